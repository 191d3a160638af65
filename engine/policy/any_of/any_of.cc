// SPDX-License-Identifier: Apache-2.0
#include "policy/any_of/any_of.h"

#include "policy/composite.h"

namespace gatelab::policy {

std::unique_ptr<Policy> parse_any_of(const config::Node& node, Context& context) { return parse_composite(node, context, false); }

}  // namespace gatelab::policy
