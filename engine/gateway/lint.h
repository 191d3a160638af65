// SPDX-License-Identifier: Apache-2.0
// What is allowed and most likely not meant: looks at a whole configuration that is otherwise right. Private to the room.
#pragma once

#include "gateway/model.h"

namespace gatelab::gateway {

// Warnings: unauthenticated-route, limit-by-choice, quota-in-memory, unreachable-consumer, unused-issuer,
// no-client-certificates, credentials-in-plain, secret-in-plain-text and limit-never-binds.
void lint(const Model& model, diag::Sink& sink);

// Two limits of one route by the same key, of which one never refuses what the other lets through.
void lint_limits(const Model& model, diag::Sink& sink);

// References of templates that stand for nothing on any route of their policy (unknown-parameter, an error), and consumers where
// nobody says who they are (no-authenticator).
void lint_templates(const Model& model, diag::Sink& sink);

}  // namespace gatelab::gateway
