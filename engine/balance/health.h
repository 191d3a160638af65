// SPDX-License-Identifier: Apache-2.0
// What active health checks ask, and what their results make of a target. Values; one thread at a time.
#pragma once

#include <cstdint>
#include <string>

#include "balance/outcome.h"
#include "base/random.h"
#include "base/time.h"
#include "base/units.h"

namespace gatelab::balance {

struct HealthRules {
  bool tcp = false;           // a connection is enough
  std::string path = "/";     // what is asked for, with a query if there is one
  std::string method = "GET";
  std::string host;           // empty: the target's
  StatusSet status;           // that is healthy
  std::string body;           // must be contained in the answer's first 64 KiB; empty: anything
  Duration every = std::chrono::seconds(5);
  Duration timeout = std::chrono::seconds(1);
  std::uint32_t healthy = 2, unhealthy = 3;  // results in a row
  Share jitter{100'000};      // of `every`: up to so much is added, by the dice
};

class Health {
 public:
  enum class State : std::uint8_t { Unknown, Healthy, Unhealthy };

  State state() const noexcept { return state_; }
  // Nothing is known yet: it has requests until a check says otherwise.
  bool available() const noexcept { return state_ != State::Unhealthy; }
  // True if the target is available now and was not, or the other way round.
  bool checked(const HealthRules& rules, bool good) noexcept;

 private:
  State state_ = State::Unknown;
  std::uint32_t in_a_row_ = 0;  // results that speak against state_
};

std::string_view name(Health::State state) noexcept;  // "unhealthy"
// Until the next check.
Duration next_check(const HealthRules& rules, Dice& dice) noexcept;
// Reports.
HealthRules parse_health(const config::Node& node, diag::Sink& sink, const std::string& upstream);

}  // namespace gatelab::balance
