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
  if (cell.instant == window) return;
  cell.before = cell.instant == window - rule.rate.per.count() ? cell.count : 0;
  cell.count = 0;
  cell.instant = window;
}

LimitAnswer fixed_window(const LimitRule& rule, LimitCell& cell, Instant now) noexcept {
  enter_window(rule, cell, window_of(rule, now));
  LimitAnswer out;
  out.reset = Duration{cell.instant + rule.rate.per.count() - now.ns};
  out.allowed = cell.count < rule.rate.count;
  if (out.allowed) ++cell.count;
  else out.wait = out.reset;
  out.remaining = rule.rate.count > cell.count ? rule.rate.count - cell.count : 0;
  return out;
}

// The window before counts for as much of it as the last `per` still covers. Compared in products, so that it is exact.
LimitAnswer sliding_window(const LimitRule& rule, LimitCell& cell, Instant now) noexcept {
  enter_window(rule, cell, window_of(rule, now));
  const Wide per = rule.rate.per.count(), elapsed = now.ns - cell.instant, limit = rule.rate.count;
  const Wide weight = static_cast<Wide>(cell.before) * (per - elapsed);
  LimitAnswer out;
  out.reset = Duration{static_cast<std::int64_t>(per - elapsed)};
  out.allowed = weight + static_cast<Wide>(cell.count + 1) * per <= limit * per;
  if (out.allowed) ++cell.count;
  const Wide left = limit * per - weight - static_cast<Wide>(cell.count) * per;
  out.remaining = left > 0 ? static_cast<std::uint64_t>(left / per) : 0;
  if (out.allowed) return out;
  // The first instant at which the weight has shrunk enough: in this window, or in the next, where today's count fades.
  const bool here = static_cast<Wide>(cell.count) + 1 <= limit;
  const Wide fading = here ? static_cast<Wide>(cell.before) : static_cast<Wide>(cell.count);
  const Wide room = here ? limit - static_cast<Wide>(cell.count) - 1 : limit - 1;
  const Wide needed = fading == 0 ? 0 : std::max<Wide>(0, per - (room * per) / fading);
  out.wait = Duration{static_cast<std::int64_t>(here ? needed - elapsed : per - elapsed + needed)};
  return out;
}

// The generic cell rate algorithm: one instant says it all.
LimitAnswer gcra(const LimitRule& rule, LimitCell& cell, Instant now) noexcept {
  const std::int64_t interval = std::max<std::int64_t>(1, rule.rate.per.count() / static_cast<std::int64_t>(rule.rate.count));
  const Wide tolerance = static_cast<Wide>(interval) * static_cast<Wide>(quota(rule));
  const Wide arrival = static_cast<Wide>(std::max(cell.instant, now.ns)) + interval;
  LimitAnswer out;
  out.allowed = arrival - now.ns <= tolerance;
  if (out.allowed) cell.instant = static_cast<std::int64_t>(arrival);
  else out.wait = Duration{static_cast<std::int64_t>(arrival - tolerance - now.ns)};
  const Wide ahead = std::max<Wide>(0, static_cast<Wide>(cell.instant) - now.ns);
  out.remaining = static_cast<std::uint64_t>((tolerance - ahead) / interval);
  out.reset = Duration{static_cast<std::int64_t>(ahead)};
  return out;
}

}  // namespace

std::uint64_t quota(const LimitRule& rule) noexcept { return rule.algorithm == Algorithm::Gcra && rule.burst > 0 ? rule.burst : rule.rate.count; }

LimitAnswer charge(const LimitRule& rule, LimitCell& cell, Instant now) noexcept {
  switch (rule.algorithm) {
    case Algorithm::FixedWindow: return fixed_window(rule, cell, now);
    case Algorithm::SlidingWindow: return sliding_window(rule, cell, now);
    case Algorithm::Gcra: break;
  }
  return gcra(rule, cell, now);
}

void give_back(const LimitRule& rule, LimitCell& cell, Instant now) noexcept {
  if (rule.algorithm == Algorithm::Gcra) {
    cell.instant -= std::max<std::int64_t>(1, rule.rate.per.count() / static_cast<std::int64_t>(rule.rate.count));
    return;
  }
  // A window that has ended in between keeps nothing to give back to.
  if (cell.instant == window_of(rule, now) && cell.count > 0) --cell.count;
}

Instant forgotten_at(const LimitRule& rule, const LimitCell& cell) noexcept {
  const Instant instant{cell.instant};
  if (rule.algorithm == Algorithm::Gcra) return instant;
  if (cell.count == 0 && cell.before == 0) return Instant{};
  return instant + rule.rate.per * (rule.algorithm == Algorithm::SlidingWindow ? 2 : 1);
}

}  // namespace gatelab::policy
