// SPDX-License-Identifier: Apache-2.0
// A located tree as JSON text (RFC 8259): bodies that are written as YAML. Pure.
#pragma once

#include <string>

#include "config/node.h"

namespace gatelab::config {

// Compact, members in file order. Numbers keep their digits.
std::string to_json(const Node& node);

}  // namespace gatelab::config
