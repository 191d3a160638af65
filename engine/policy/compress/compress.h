// SPDX-License-Identifier: Apache-2.0
// The policy compress: docs/policies/compress.md.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `compress:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_compress(const config::Node& node, Context& context);

}  // namespace gatelab::policy
