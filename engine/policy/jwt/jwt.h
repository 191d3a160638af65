// SPDX-License-Identifier: Apache-2.0
// JSON Web Tokens as bearer tokens (RFC 7519, RFC 6750, RFC 9068): the signature, then what the token says, then what this
// route asks of it.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

std::unique_ptr<Policy> parse_jwt(const config::Node& node, Context& context);

}  // namespace gatelab::policy
