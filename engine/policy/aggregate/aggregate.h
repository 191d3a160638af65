// SPDX-License-Identifier: Apache-2.0
// The policy aggregate: docs/policies/aggregate.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `aggregate:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_aggregate(const config::Node& node, Context& context);

}  // namespace gatelab::policy
