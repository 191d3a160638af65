// SPDX-License-Identifier: Apache-2.0
// The policy load-shed: docs/policies/load-shed.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `load-shed:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_load_shed(const config::Node& node, Context& context);

}  // namespace gatelab::policy
