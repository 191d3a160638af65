// SPDX-License-Identifier: Apache-2.0
// Passive health: a target whose answers are bad, or slow beside the others', gets no requests for a while. Values; one thread
// at a time, who shares one locks.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "balance/outcome.h"
#include "base/time.h"
#include "base/units.h"

namespace gatelab::balance {

struct EjectionWindow {
  std::uint32_t min = 20;  // fewer results say nothing
  Duration window = std::chrono::seconds(10);
};
struct EjectionErrorShare : EjectionWindow {
  Share share{500'000};
};
struct EjectionLatency : EjectionWindow {
  double factor = 3;                                    // times the median of the others' averages
  Duration least = std::chrono::milliseconds(50);       // less than this is never slow
};

struct EjectionRules {
  std::uint32_t consecutive = 5;  // bad results in a row; 0: not looked at
  using ErrorShare = EjectionErrorShare;
  using Latency = EjectionLatency;
  std::optional<ErrorShare> error_share;
  std::optional<Latency> latency;
  Duration time = std::chrono::seconds(30);      // `for`: the first time; then twice, three times as long
  Duration max_time = std::chrono::minutes(5);
  Share max_ejected{500'000};                    // of the upstream's targets
  OutcomeSet on;                                 // what is a bad result
};

// Results within a window of time: the window that runs and the one before it, weighed by how much of it is still in.
class ResultWindow {
 public:
  void add(Duration window, bool bad, Duration took, Instant now) noexcept;
  struct Sum {
    double results = 0, bad = 0, took = 0;  // took: nanoseconds
  };
  Sum sum(Duration window, Instant now) const noexcept;

 private:
  void roll(Duration window, Instant now) noexcept;
  struct Part {
    std::uint32_t results = 0, bad = 0;
    double took = 0;
  };
  Part current_, before_;
  std::int64_t index_ = 0;
};

class Ejection {
 public:
  // Why the target should be ejected now; empty: it should not. `others`: the median of what the other targets take on
  // average, if enough is known of them.
  std::string_view add(const EjectionRules& rules, bool bad, Duration took, std::optional<Duration> others, Instant now) noexcept;
  void eject(const EjectionRules& rules, Instant now) noexcept;
  bool ejected(Instant now) const noexcept { return now < until_; }
  Instant until() const noexcept { return until_; }
  // Of this target, for the others' comparison.
  std::optional<Duration> average(const EjectionRules& rules, Instant now) const noexcept;
  bool at_rest() const noexcept { return in_a_row_ == 0; }

 private:
  std::uint32_t in_a_row_ = 0, times_ = 0;
  Instant until_;
  ResultWindow errors_, latencies_;
};

// Of that many targets, how many may be ejected at once. At least one target of several is always left.
std::size_t may_eject(const EjectionRules& rules, std::size_t targets) noexcept;
// Reports.
EjectionRules parse_ejection(const config::Node& node, diag::Sink& sink, const std::string& upstream);

}  // namespace gatelab::balance
