// SPDX-License-Identifier: Apache-2.0
// A circuit breaker for one target: closed lets everything through, open nothing, half-open a few probes that decide.
// Values: time comes in, nothing is read. One thread at a time; who shares one locks.
#pragma once

#include <cstdint>
#include <string_view>

#include "balance/outcome.h"
#include "base/time.h"

namespace gatelab::balance {

struct BreakerRules {
  std::uint32_t failures = 5;                     // in a row
  Duration open = std::chrono::seconds(30);       // the first time
  Duration max_open = std::chrono::minutes(5);    // each time that the probes fail it doubles, up to this
  std::uint32_t probes = 1;                       // at once while half-open, and as many good ones close it
  OutcomeSet on;                                  // what counts as a failure
};

class Breaker {
 public:
  enum class State : std::uint8_t { Closed, Open, HalfOpen };
  // What a request that was let through gives back: a result of before the last change of state counts for nothing.
  struct Permit {
    std::uint32_t epoch = 0;
    bool probe = false;
  };
  enum class Verdict : std::uint8_t { Good, Bad, None };  // None: given up, it says nothing of the target

  // What it is to a request that comes now: an open one whose time is over is half-open.
  State state(Instant now) const noexcept { return state_ == State::Open && now >= until_ ? State::HalfOpen : state_; }
  bool admits(const BreakerRules& rules, Instant now) const noexcept;
  // Only if admits(). Counts a probe.
  Permit enter(Instant now) noexcept;
  // True if the state has changed.
  bool leave(const BreakerRules& rules, Permit permit, Verdict verdict, Instant now) noexcept;
  // Nothing is being counted: closed, and the last result was a good one.
  bool at_rest() const noexcept { return state_ == State::Closed && failures_ == 0 && opened_in_a_row_ == 0; }
  // When an open one lets its first probe through.
  Instant until() const noexcept { return until_; }
  std::uint32_t epoch() const noexcept { return epoch_; }

 private:
  void become(State state) noexcept;
  void open(const BreakerRules& rules, Instant now) noexcept;

  State state_ = State::Closed;
  std::uint32_t epoch_ = 0;
  std::uint32_t failures_ = 0, probes_ = 0, good_ = 0, opened_in_a_row_ = 0;
  Instant until_;
};

std::string_view name(Breaker::State state) noexcept;  // "half-open"
// Reports.
BreakerRules parse_breaker(const config::Node& node, diag::Sink& sink, const std::string& upstream);

}  // namespace gatelab::balance
