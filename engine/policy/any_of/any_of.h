// SPDX-License-Identifier: Apache-2.0
// Lets pass whom one of several authenticators knows: the first that does says who it is.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

std::unique_ptr<Policy> parse_any_of(const config::Node& node, Context& context);

}  // namespace gatelab::policy
