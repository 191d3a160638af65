// SPDX-License-Identifier: Apache-2.0
// Refuses whom its rule fits.
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

std::unique_ptr<Policy> parse_deny(const config::Node& node, Context& context);

}  // namespace gatelab::policy
