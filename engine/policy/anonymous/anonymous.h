// SPDX-License-Identifier: Apache-2.0
// Nobody in particular: lets pass without a credential, under a consumer's name if one is given.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

std::unique_ptr<Policy> parse_anonymous(const config::Node& node, Context& context);
// `consumer:` of an authenticator that names one; null if there is none, reported if nobody has that name.
const Consumer* named_consumer(config::Reader& r, const Context& context);

}  // namespace gatelab::policy
