// SPDX-License-Identifier: Apache-2.0
// The policy path: docs/policies/path.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `path:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_path(const config::Node& node, Context& context);

}  // namespace gatelab::policy
