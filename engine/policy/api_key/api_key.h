// SPDX-License-Identifier: Apache-2.0
// The policy api-key: docs/policies/api-key.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `api-key:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_api_key(const config::Node& node, Context& context);

}  // namespace gatelab::policy
