// SPDX-License-Identifier: Apache-2.0
// Authenticators made of authenticators: any-of lets pass whom one of them knows, all-of whom all of them know.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

std::unique_ptr<Policy> parse_composite(const config::Node& node, Context& context, bool all);

}  // namespace gatelab::policy
