// SPDX-License-Identifier: Apache-2.0
#include "policy/rate_limit/algorithm.h"

#include <algorithm>

namespace gatelab::policy {
namespace {

__extension__ using Wide = __int128;

// Windows are aligned to the epoch, so that "per minute" means the clock's minutes.
std::int64_t window_of(const LimitRule& rule, Instant now) noexcept {
  const std::int64_t per = rule.rate.per.count();
  return now.ns - ((now.ns % per) + per) % per;
}

void enter_window(const LimitRule& rule, LimitCell& cell, std::int64_t window) noexcept {
  // A reload may have changed how long windows are. Another worker's clock may be ahead: its window is not gone back from.
  const std::int64_t entered = window_of(rule, Instant{cell.instant});
  if (entered >= window) {
    cell.instant = entered;
    return;
  }
  cell.before = entered == window - rule.rate.per.count() ? cell.count : 0;
  cell.count = 0;
  cell.instant = window;
}

// Where what is charged anyway stops: further than any limit goes, and far from where numbers end.
constexpr std::uint64_t kMost = 1'000'000'000'000;

// Asks for `cost`, and pays it or, if `anyway`, owes it.
struct Charge {
  const LimitRule& rule;
  LimitCell& cell;
  std::uint64_t cost;
  Instant now;
  bool anyway;
};

void add(std::uint64_t& count, std::uint64_t cost) noexcept { count = std::min(kMost, count + std::min(kMost, cost)); }

LimitAnswer fixed_window(const Charge& c) noexcept {
  enter_window(c.rule, c.cell, window_of(c.rule, c.now));
  LimitAnswer out;
  out.reset = Duration{c.cell.instant + c.rule.rate.per.count() - c.now.ns};
  out.allowed = c.cell.count + c.cost <= c.rule.rate.count;
  if (out.allowed || c.anyway) add(c.cell.count, c.cost);
  else out.wait = out.reset;
  out.remaining = c.rule.rate.count > c.cell.count ? c.rule.rate.count - c.cell.count : 0;
  return out;
}

// The window before counts for as much of it as the last `per` still covers. Compared in products, so that it is exact.
LimitAnswer sliding_window(const Charge& c) noexcept {
  LimitCell& cell = c.cell;
  enter_window(c.rule, cell, window_of(c.rule, c.now));
  const Wide per = c.rule.rate.per.count(), elapsed = std::max<std::int64_t>(0, c.now.ns - cell.instant), limit = c.rule.rate.count, cost = c.cost;
  const Wide weight = static_cast<Wide>(cell.before) * (per - elapsed);
  LimitAnswer out;
  out.reset = Duration{static_cast<std::int64_t>(per - elapsed)};
  out.allowed = weight + (static_cast<Wide>(cell.count) + cost) * per <= limit * per;
  if (out.allowed || c.anyway) add(cell.count, c.cost);
  const Wide left = limit * per - weight - static_cast<Wide>(cell.count) * per;
  out.remaining = left > 0 ? static_cast<std::uint64_t>(left / per) : 0;
  if (out.allowed || c.anyway) return out;
  // The first instant at which the weight has shrunk enough: in this window, or in the next, where today's count fades.
  const bool here = static_cast<Wide>(cell.count) + cost <= limit;
  const Wide fading = here ? static_cast<Wide>(cell.before) : static_cast<Wide>(cell.count);
  const Wide room = std::max<Wide>(0, here ? limit - static_cast<Wide>(cell.count) - cost : limit - cost);
  const Wide needed = fading == 0 ? 0 : std::max<Wide>(0, per - (room * per) / fading);
  out.wait = Duration{static_cast<std::int64_t>(here ? needed - elapsed : per - elapsed + needed)};
  return out;
}

std::int64_t interval_of(const LimitRule& rule) noexcept {
  return std::max<std::int64_t>(1, rule.rate.per.count() / static_cast<std::int64_t>(rule.rate.count));
}

// The generic cell rate algorithm: one instant says it all.
LimitAnswer gcra(const Charge& c) noexcept {
  const Wide interval = interval_of(c.rule);
  const Wide tolerance = interval * static_cast<Wide>(quota(c.rule));
  const Wide arrival = static_cast<Wide>(std::max(c.cell.instant, c.now.ns)) + interval * static_cast<Wide>(std::min(kMost, c.cost));
  LimitAnswer out;
  out.allowed = arrival - c.now.ns <= tolerance;
  if (out.allowed || c.anyway) c.cell.instant = static_cast<std::int64_t>(std::min<Wide>(arrival, Instant::max().ns));
  else out.wait = Duration{static_cast<std::int64_t>(std::min<Wide>(arrival - tolerance - c.now.ns, Duration::max().count()))};
  const Wide ahead = std::max<Wide>(0, static_cast<Wide>(c.cell.instant) - c.now.ns);
  out.remaining = tolerance > ahead ? static_cast<std::uint64_t>((tolerance - ahead) / interval) : 0;
  out.reset = Duration{static_cast<std::int64_t>(ahead)};
  return out;
}

LimitAnswer charge_by(const Charge& c) noexcept {
  switch (c.rule.algorithm) {
    case Algorithm::FixedWindow: return fixed_window(c);
    case Algorithm::SlidingWindow: return sliding_window(c);
    case Algorithm::Gcra: break;
  }
  return gcra(c);
}

}  // namespace

std::uint64_t quota(const LimitRule& rule) noexcept { return rule.algorithm == Algorithm::Gcra && rule.burst > 0 ? rule.burst : rule.rate.count; }

LimitAnswer charge(const LimitRule& rule, LimitCell& cell, std::uint64_t cost, Instant now) noexcept { return charge_by({rule, cell, cost, now, false}); }

LimitAnswer charge_anyway(const LimitRule& rule, LimitCell& cell, std::uint64_t cost, Instant now) noexcept { return charge_by({rule, cell, cost, now, true}); }

void give_back(const LimitRule& rule, LimitCell& cell, std::uint64_t cost, Instant charged_at) noexcept {
  if (rule.algorithm == Algorithm::Gcra) {
    const Wide before = static_cast<Wide>(cell.instant) - static_cast<Wide>(interval_of(rule)) * static_cast<Wide>(cost);
    cell.instant = static_cast<std::int64_t>(std::max<Wide>(0, before));
    return;
  }
  const std::int64_t window = window_of(rule, charged_at);
  if (cell.instant == window) cell.count -= std::min(cell.count, cost);
  else if (cell.instant == window + rule.rate.per.count()) cell.before -= std::min(cell.before, cost);
}

Instant counted_at(const LimitRule& rule, const LimitCell& cell, Instant now) noexcept {
  return rule.algorithm == Algorithm::Gcra ? now : std::max(now, Instant{cell.instant});
}

Instant forgotten_at(const LimitRule& rule, const LimitCell& cell) noexcept {
  const Instant instant{cell.instant};
  if (rule.algorithm == Algorithm::Gcra) return instant;
  if (cell.count == 0 && cell.before == 0) return Instant{};
  const Instant end = instant + rule.rate.per;
  return rule.algorithm == Algorithm::SlidingWindow ? end + rule.rate.per : end;
}

}  // namespace gatelab::policy
