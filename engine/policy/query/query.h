// SPDX-License-Identifier: Apache-2.0
// The policy query: docs/policies/query.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `query:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_query(const config::Node& node, Context& context);

}  // namespace gatelab::policy
