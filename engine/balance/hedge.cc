// SPDX-License-Identifier: Apache-2.0
#include "balance/hedge.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace gatelab::balance {

// Up to 16 µs one bucket a microsecond; from there each octave has 16.
std::size_t Latencies::bucket_of(Duration took) noexcept {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(0, took.count()) / 1000);
  if (us < kFine) return static_cast<std::size_t>(us);
  const auto octave = static_cast<std::size_t>(std::bit_width(us)) - std::bit_width(kFine - 1);
  const std::size_t bucket = octave * kFine + (static_cast<std::size_t>(us >> (octave - 1)) - kFine);
  return std::min(bucket, kBuckets - 1);
}

Duration Latencies::end_of(std::size_t bucket) noexcept {
  if (bucket < kFine) return std::chrono::microseconds(bucket + 1);
  const std::size_t octave = bucket / kFine;
  return std::chrono::microseconds(static_cast<std::int64_t>(bucket % kFine + kFine + 1) << (octave - 1));
}

void Latencies::add(Duration took, Instant now) noexcept {
  const std::int64_t index = now.ns / kHalf.count();
  Half& half = halves_[static_cast<std::size_t>(index & 1)];
  std::int64_t known = half.index.load(std::memory_order_relaxed);
  if (known != index && half.index.compare_exchange_strong(known, index, std::memory_order_relaxed)) {
    half.samples.store(0, std::memory_order_relaxed);
    for (auto& count : half.counts) count.store(0, std::memory_order_relaxed);
  }
  half.counts[bucket_of(took)].fetch_add(1, std::memory_order_relaxed);
  half.samples.fetch_add(1, std::memory_order_relaxed);
}

std::optional<Duration> Latencies::quantile(double q, Instant now) const noexcept {
  const std::int64_t index = now.ns / kHalf.count();
  std::array<const Half*, 2> counted{};
  std::size_t n = 0;
  std::uint64_t samples = 0;
  for (const Half& half : halves_) {
    const std::int64_t age = index - half.index.load(std::memory_order_relaxed);
    if (age < 0 || age > 1) continue;
    counted[n++] = &half;
    samples += half.samples.load(std::memory_order_relaxed);
  }
  if (samples < kEnough) return std::nullopt;
  const auto rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(samples)));
  std::uint64_t below = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    for (std::size_t i = 0; i < n; ++i) below += counted[i]->counts[bucket].load(std::memory_order_relaxed);
    if (below >= rank) return end_of(bucket);
  }
  return end_of(kBuckets - 1);
}

std::optional<Duration> Latencies::recent_quantile(double q, Instant now) noexcept {
  if (now.ns - computed_at_.load(std::memory_order_acquire) >= kRecent.count()) {
    const std::optional<Duration> value = quantile(q, now);
    computed_.store(value ? value->count() : -1, std::memory_order_relaxed);
    computed_at_.store(now.ns, std::memory_order_release);
  }
  const std::int64_t ns = computed_.load(std::memory_order_relaxed);
  return ns < 0 ? std::nullopt : std::optional(Duration(ns));
}

std::optional<Duration> patience(const HedgeRules& rules, Latencies& latencies, Instant now) noexcept {
  if (rules.after) return rules.after;
  const std::optional<Duration> observed = latencies.recent_quantile(rules.quantile, now);
  if (!observed) return std::nullopt;
  return std::max(*observed, rules.min);
}

namespace {

// "p95", "p99.9"
std::optional<double> parse_quantile(std::string_view text) noexcept {
  if (text.size() < 2 || text.front() != 'p') return std::nullopt;
  double value = 0, place = 1;
  bool dot = false;
  for (const char c : text.substr(1)) {
    if (c == '.' && !dot) {
      dot = true;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    if (dot) place /= 10;
    value = dot ? value + place * (c - '0') : value * 10 + (c - '0');
  }
  if (text.back() == '.' || value <= 0 || value >= 100) return std::nullopt;
  return value / 100;
}

}  // namespace

HedgeRules parse_hedge(const config::Node& node, diag::Sink& sink, const std::string& upstream) {
  HedgeRules rules;
  config::Reader r(node, sink, "`hedge` of upstream `" + upstream + "`");
  r.require("after");
  if (const auto text = r.text("after")) {
    const std::optional<double> quantile = parse_quantile(*text);
    const auto fixed = parse_duration(*text);
    if (quantile) rules.quantile = *quantile;
    else if (fixed) rules.after = *fixed;
    if (!quantile && (!rules.after || *rules.after <= Duration{}))
      sink.error("bad-hedge", r.span_of("after"), "`" + *text + "` is neither a quantile nor a duration", "after: p95, or after: 20ms");
  }
  if (rules.after && r.get("min") != nullptr) sink.error("two-places", r.key_span("min"), "`min` has no meaning where `after` is a duration", "after: p95, or no `min`");
  rules.min = r.duration("min", rules.min);
  if (const config::Node* budget = r.get("budget")) rules.budget = parse_budget(rules.budget, *budget, sink, "`budget` of " + r.what());
  r.finish();
  return rules;
}

}  // namespace gatelab::balance
