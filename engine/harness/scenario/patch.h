// SPDX-License-Identifier: Apache-2.0
// Changes one value of a located tree by its dotted path: upstreams.orders.timeouts.response, routes.read-orders.match.path.
#pragma once

#include <string_view>

#include "config/node.h"

namespace gatelab::harness {

// Elements of lists are named by their `name`, their single policy's kind, or their number from 0. The last step of a path
// may be a key that is not there yet. False if the way to it does not exist.
bool patch(config::Node& tree, std::string_view path, const config::Node& value);

}  // namespace gatelab::harness
