// SPDX-License-Identifier: Apache-2.0
// The policy concurrency: docs/policies/concurrency.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `concurrency:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_concurrency(const config::Node& node, Context& context);

}  // namespace gatelab::policy
