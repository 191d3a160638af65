// SPDX-License-Identifier: Apache-2.0
// Sends copies of requests to another upstream (docs/policies/mirror.md).
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

std::unique_ptr<Policy> parse_mirror(const config::Node& node, Context& context);

}  // namespace gatelab::policy
