// SPDX-License-Identifier: Apache-2.0
// Routes that can never win, and routes between which only their order in the file decides. Private to the room.
#pragma once

#include <vector>

#include "route/table.h"

namespace gatelab::route {

// Warnings route-unreachable and route-tie.
void lint(const std::vector<Spec>& specs, diag::Sink& sink);

}  // namespace gatelab::route
