// SPDX-License-Identifier: Apache-2.0
// Asks a service whether the request may pass, and tells the upstream what it says of the caller.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

std::unique_ptr<Policy> parse_forward_auth(const config::Node& node, Context& context);

}  // namespace gatelab::policy
