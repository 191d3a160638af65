// SPDX-License-Identifier: Apache-2.0
// Values from the environment are secrets, and a report shows what was sent: both configurations, and what is sent to them, have
// the place that a value comes from, `$(env.NAME)`, instead of it. A scenario that has it takes the value from there again.
#pragma once

#include <map>
#include <string>

#include "config/node.h"
#include "harness/diff/probe.h"

namespace gatelab::harness::diff {

// By value: what stands for it.
using References = std::map<std::string, std::string>;

// Of keys, and of what `headers` set or add.
void find_references(const config::Node& tree, References& out);
// In the same places, whether or not they say where the value comes from.
void refer(config::Node& tree, const References& references);
// Wherever a header, the target or the body has such a value.
void refer(Request& request, const References& references);
// "$(env.NAME)", with or without a default, as a shell's variable; `text` is about to stand between single quotes.
std::string as_variables(std::string_view text);

}  // namespace gatelab::harness::diff
