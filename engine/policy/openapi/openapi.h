// SPDX-License-Identifier: Apache-2.0
// The policy openapi: docs/policies/openapi.md.
#pragma once

#include <vector>

#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `openapi:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_openapi(const config::Node& node, Context& context);

// What a route with `openapi:` in the place of `name` and `match` stands for: a route for each operation, in the document's order, with the
// policy before the route's own. Reports. The nodes hold copies of the route's.
std::vector<config::Node> openapi_routes(const config::Node& route, Context& context);

}  // namespace gatelab::policy
