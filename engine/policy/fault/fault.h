// SPDX-License-Identifier: Apache-2.0
// Makes clients suffer as a slow or failing upstream would (docs/policies/fault.md).
#pragma once

#include "policy/catalog.h"

namespace gatelab::policy {

std::unique_ptr<Policy> parse_fault(const config::Node& node, Context& context);

}  // namespace gatelab::policy
