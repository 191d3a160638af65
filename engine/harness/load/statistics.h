// SPDX-License-Identifier: Apache-2.0
// What can be said of a whole from a sample, and how surely. Every bound is one-sided: with this confidence the truth is not
// beyond it. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "harness/load/histogram.h"

namespace gatelab::harness::load {

// The regularised incomplete beta function I_x(a, b).
double incomplete_beta(double a, double b, double x) noexcept;
// P(X <= k) of n draws that each succeed with probability p.
double binomial_up_to(std::uint64_t k, std::uint64_t n, double p) noexcept;
// The value that a Student's t with that many degrees of freedom stays under with probability `level` (0.5 to 1).
double student_quantile(double level, double freedom) noexcept;

struct Bounds {
  double low = 0, high = 0;
};
// Clopper and Pearson: of k bad ones in n.
Bounds share_bounds(std::uint64_t k, std::uint64_t n, double confidence) noexcept;

// Ranks of the sample between which the quantile of the whole lies (order statistics: no assumption on the distribution).
// nullopt: the sample is too small to bound it from above.
struct Ranks {
  std::uint64_t low = 0;  // 0: no bound from below
  std::uint64_t high = 0;
};
std::optional<Ranks> quantile_ranks(std::uint64_t n, double quantile, double confidence) noexcept;
// How many samples that takes: 299 for p99 at 95 %.
std::uint64_t samples_for(double quantile, double confidence) noexcept;
// How many without a single bad one show that the share of bad ones is under `share`.
std::uint64_t samples_for_share(double share, double confidence) noexcept;

// Where the mean of what the rounds are drawn from lies. nullopt: fewer than two.
std::optional<Bounds> mean_bounds(const std::vector<double>& rounds, double confidence) noexcept;
double mean_of(const std::vector<double>& values) noexcept;
double deviation_of(const std::vector<double>& values) noexcept;  // of a sample: n - 1

// A quantile over rounds: what the pooled samples say, widened by how far rounds differ.
struct QuantileEstimate {
  Duration value, low, high;
  bool enough = false;        // else: `needed` samples would do, and bounds mean nothing
  std::uint64_t samples = 0, needed = 0;
};
QuantileEstimate estimate_quantile(const std::vector<const Histogram*>& rounds, double quantile, double confidence);

// The chance that a value of `b` is greater than one of `a`, ties counting half (Vargha and Delaney's A): 0.5 is no
// difference, 0.56, 0.64 and 0.71 are called small, medium and large.
double superiority(const Histogram& a, const Histogram& b);

}  // namespace gatelab::harness::load
