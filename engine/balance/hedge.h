// SPDX-License-Identifier: Apache-2.0
// When a second try goes out beside one that takes long (design §5), and what "long" is. Values; any thread where not said
// otherwise.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "balance/retry.h"

namespace gatelab::balance {

struct HedgeRules {
  std::optional<Duration> after;  // always; else after `quantile` of what answers have taken of late
  double quantile = 0.95;
  Duration min = std::chrono::milliseconds(1);  // never sooner, however fast the targets are
  RetryRules::Budget budget{Share{50'000}, 1, std::chrono::seconds(10)};
};

// How long the answers of an upstream have taken, over the last ten to twenty seconds. Shared by all workers: any thread. Its
// quantiles are at most 1/16 too long. Samples that cross the border of a half at the same moment may be lost.
class Latencies {
 public:
  // Below this many samples there is no quantile.
  static constexpr std::uint32_t kEnough = 100;

  void add(Duration took, Instant now) noexcept;
  // 0 < q < 1. nullopt: there are too few samples.
  std::optional<Duration> quantile(double q, Instant now) const noexcept;
  // The same as it was within the last tenth of a second: for who asks with each request, always for one and the same `q`.
  std::optional<Duration> recent_quantile(double q, Instant now) noexcept;

 private:
  static constexpr std::size_t kFine = 16, kOctaves = 32;  // from 1 µs, in steps of 1/16 of an octave, to more than an hour
  static constexpr std::size_t kBuckets = kFine * kOctaves;
  static std::size_t bucket_of(Duration took) noexcept;
  static Duration end_of(std::size_t bucket) noexcept;
  struct Half {
    std::atomic<std::int64_t> index{-1};
    std::atomic<std::uint32_t> samples{0};
    std::array<std::atomic<std::uint32_t>, kBuckets> counts{};
  };
  static constexpr Duration kHalf = std::chrono::seconds(10);
  static constexpr Duration kRecent = std::chrono::milliseconds(100);
  std::array<Half, 2> halves_;
  std::atomic<std::int64_t> computed_at_{0}, computed_{-1};  // -1: too few samples
};

// How long a try is waited for before another goes out; nullopt: none does.
std::optional<Duration> patience(const HedgeRules& rules, Latencies& latencies, Instant now) noexcept;

// Reports.
HedgeRules parse_hedge(const config::Node& node, diag::Sink& sink, const std::string& upstream);

}  // namespace gatelab::balance
