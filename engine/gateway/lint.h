// SPDX-License-Identifier: Apache-2.0
// What is allowed and most likely not meant: looks at a whole configuration that is otherwise right. Private to the room.
#pragma once

#include "gateway/model.h"

namespace gatelab::gateway {

// Warnings: unauthenticated-route, limit-by-choice, unreachable-consumer, unused-issuer, no-client-certificates,
// credentials-in-plain.
void lint(const Model& model, diag::Sink& sink);

}  // namespace gatelab::gateway
