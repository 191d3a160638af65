// SPDX-License-Identifier: Apache-2.0
// Names of header fields that a configuration may set on messages. Pure.
#pragma once

#include <string>

#include "diag/diagnostic.h"

namespace gatelab::policy {

// False after a report: it is no name, or the field frames a message or belongs to one hop (RFC 9110 §7.6.1).
bool check_field_name(const std::string& name, const diag::Span& span, diag::Sink& sink);

}  // namespace gatelab::policy
