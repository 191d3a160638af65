// SPDX-License-Identifier: Apache-2.0
// The policy json: docs/policies/json.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `json:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_json(const config::Node& node, Context& context);

}  // namespace gatelab::policy
