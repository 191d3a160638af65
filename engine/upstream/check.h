// SPDX-License-Identifier: Apache-2.0
// Active health checks: one task a target, for as long as its configuration is in force.
#pragma once

#include <memory>

#include "base/random.h"
#include "upstream/upstream.h"

namespace gatelab::upstream {

struct CheckWorld {
  io::Loop& loop;
  io::Network& network;
  io::Resolver& resolver;
};

// Checks `target`, which must have a state, until `cancel` is cancelled; then ends at once. `keep` holds what `config` and
// `target` live in.
io::Task<void> keep_checking(CheckWorld world, const Config& config, Target& target, std::shared_ptr<io::CancelToken> cancel, Dice dice, std::shared_ptr<void> keep);

// One check. Empty: it is well; else why not: a reason's word, "status 503", "body".
io::Task<std::string> check_once(CheckWorld world, const Config& config, Target& target, io::Wait wait);

}  // namespace gatelab::upstream
