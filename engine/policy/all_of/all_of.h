// SPDX-License-Identifier: Apache-2.0
// Lets pass whom all of several authenticators know: the last says who it is.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

std::unique_ptr<Policy> parse_all_of(const config::Node& node, Context& context);

}  // namespace gatelab::policy
