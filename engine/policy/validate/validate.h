// SPDX-License-Identifier: Apache-2.0
// The policy validate: docs/policies/validate.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `validate:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_validate(const config::Node& node, Context& context);

}  // namespace gatelab::policy
