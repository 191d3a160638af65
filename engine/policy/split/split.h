// SPDX-License-Identifier: Apache-2.0
// Sends shares of the requests to several upstreams (docs/policies/split.md).
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

std::unique_ptr<Policy> parse_split(const config::Node& node, Context& context);

}  // namespace gatelab::policy
