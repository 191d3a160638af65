// SPDX-License-Identifier: Apache-2.0
// The policy redirect: docs/policies/redirect.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `redirect:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_redirect(const config::Node& node, Context& context);

}  // namespace gatelab::policy
