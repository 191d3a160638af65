// SPDX-License-Identifier: Apache-2.0
// The policy rate-limit: docs/policies/rate-limit.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `rate-limit:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_rate_limit(const config::Node& node, Context& context);

}  // namespace gatelab::policy
