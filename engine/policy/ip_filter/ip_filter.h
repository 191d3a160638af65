// SPDX-License-Identifier: Apache-2.0
// The policy ip-filter: docs/policies/ip-filter.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `ip-filter:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_ip_filter(const config::Node& node, Context& context);

}  // namespace gatelab::policy
