// SPDX-License-Identifier: Apache-2.0
// What can never match is refused when it is read: statuses that are no numbers, reasons that gatelab does not know. Pure.
#pragma once

#include "config/node.h"
#include "diag/diagnostic.h"

namespace gatelab::harness {

// A status, or predicates of one.
void check_status(const config::Node& node, diag::Sink& sink);
// `status` of `totals`: a map of statuses to how many.
void check_status_counts(const config::Node& node, diag::Sink& sink);
// A reason (docs/errors.md), or predicates of one.
void check_reason(const config::Node& node, diag::Sink& sink);

}  // namespace gatelab::harness
