// SPDX-License-Identifier: Apache-2.0
// Who signs may call (RFC 9421): a signature over what the route asks for, by a known key, in time, never twice, and over a
// body that is the one it speaks of (RFC 9530). State: nonces that were let in.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

std::unique_ptr<Policy> parse_hmac(const config::Node& node, Context& context);

}  // namespace gatelab::policy
