// SPDX-License-Identifier: Apache-2.0
// The policy size-limit: docs/policies/size-limit.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `size-limit:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_size_limit(const config::Node& node, Context& context);

}  // namespace gatelab::policy
