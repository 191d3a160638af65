// SPDX-License-Identifier: Apache-2.0
// What a run is held against, and what can honestly be said of it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diag/diagnostic.h"
#include "harness/load/load.h"
#include "harness/load/statistics.h"

namespace gatelab::harness::load {

struct Threshold {
  enum class What : std::uint8_t { Latency, Service, Errors, Rate } what = What::Latency;
  enum class Op : std::uint8_t { Lt, Le, Gt, Ge } op = Op::Lt;
  double quantile = 0.99;  // of Latency and Service
  double bound = 0;        // nanoseconds, or a share
  std::string text;        // "p99 < 50ms"
  diag::Span span;         // where it was written, if in a file
};
// "p99<50ms,errors<0.1%,rate>=99%". ids: bad-threshold.
Result<std::vector<Threshold>> parse_thresholds(std::string_view text);
// "p99", "p99.9". nullopt: it is none.
std::optional<double> parse_percentile(std::string_view text);
std::string percentile_name(double quantile);  // "p99.9"

enum class Verdict : std::uint8_t {
  Pass,
  Fail,
  Inconclusive,  // the bound lies within what the sample leaves open
  Invalid,       // the generator was not good enough to say anything
};
std::string_view name(Verdict verdict) noexcept;
// The one that decides of two.
Verdict worse(Verdict a, Verdict b) noexcept;

struct Finding {
  Threshold threshold;
  Verdict verdict = Verdict::Inconclusive;
  double value = 0, low = 0, high = 0;
  std::string text;  // what was found: "12.3ms, at most 13.1ms"
  std::uint64_t needed = 0;  // requests that would tell, where there were too few; 0: there were enough
};

struct Judgement {
  Verdict verdict = Verdict::Inconclusive;
  std::vector<Finding> findings;
  std::vector<std::string> invalid;  // why it says nothing
  std::string hint;                  // what was seen and is held against nothing; empty: there is none
};

// `threads`: generators of the process; for what is told.
Judgement judge(const std::vector<Round>& rounds, const std::vector<Threshold>& thresholds, double confidence, Model model, std::uint32_t connections);

// Why the generator was not good enough to say anything of these percentiles; nothing: it was.
std::vector<std::string> faults_of_generator(const std::vector<Round>& rounds, const std::vector<double>& quantiles, double confidence, Model model, std::uint32_t connections);

// The share of requests that ended in an error, and where that of the whole lies: what the sample leaves open, widened by how far
// rounds differ.
struct ErrorShare {
  std::uint64_t bad = 0, all = 0;
  double value = 0;
  Bounds bounds{0, 1};
};
ErrorShare error_share(const std::vector<Round>& rounds, double confidence);

// Three digits: "1.23ms", "45.6µs".
std::string brief(Duration d);
std::string brief(double nanoseconds);
std::string percent(double share);

}  // namespace gatelab::harness::load
