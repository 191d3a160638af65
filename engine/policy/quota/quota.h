// SPDX-License-Identifier: Apache-2.0
// The policy quota: docs/policies/quota.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `quota:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_quota(const config::Node& node, Context& context);

}  // namespace gatelab::policy
