// SPDX-License-Identifier: Apache-2.0
// User and password (RFC 7617) against an htpasswd file. A password is checked off the loop, and once: who has passed is
// remembered by a keyed digest.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

std::unique_ptr<Policy> parse_basic(const config::Node& node, Context& context);

}  // namespace gatelab::policy
