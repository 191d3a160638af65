// SPDX-License-Identifier: Apache-2.0
// The policy headers: docs/policies/headers.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `headers:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_headers(const config::Node& node, Context& context);

}  // namespace gatelab::policy
