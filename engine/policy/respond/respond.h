// SPDX-License-Identifier: Apache-2.0
// The policy respond: docs/policies/respond.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `respond:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_respond(const config::Node& node, Context& context);

}  // namespace gatelab::policy
