// SPDX-License-Identifier: Apache-2.0
// What the targets behind a gateway did during a load, as the gateway counted it: who answered how fast, what failed, what was
// tried again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"

namespace gatelab::gateway {
class Gateway;
}

namespace gatelab::harness::load {

struct Served {
  std::string target;  // "orders/primary"
  std::uint64_t answers = 0;
  Duration p50{}, p99{};  // not longer than this; max(): longer than the last bucket
  std::map<std::string, std::uint64_t> failures;  // tries without an answer, by reason
};
struct ServedAll {
  std::vector<Served> targets;
  std::uint64_t retries = 0, hedges = 0;
};

// Of upstreams with several targets, or with a breaker, health checks or limits. Any thread.
ServedAll served_by(const gateway::Gateway& gateway);
// Lines of a report, each ended. Empty if there is nothing to tell.
std::string to_text(const ServedAll& all);

}  // namespace gatelab::harness::load
