// SPDX-License-Identifier: Apache-2.0
#include "policy/all_of/all_of.h"

#include "policy/composite.h"

namespace gatelab::policy {

std::unique_ptr<Policy> parse_all_of(const config::Node& node, Context& context) { return parse_composite(node, context, true); }

}  // namespace gatelab::policy
