// SPDX-License-Identifier: Apache-2.0
// The policy cors: docs/policies/cors.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `cors:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_cors(const config::Node& node, Context& context);

}  // namespace gatelab::policy
