// SPDX-License-Identifier: Apache-2.0
// The policy security-headers: docs/policies/security-headers.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `security-headers:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_security_headers(const config::Node& node, Context& context);

}  // namespace gatelab::policy
