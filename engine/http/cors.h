// SPDX-License-Identifier: Apache-2.0
// Cross-origin requests as browsers send them (Fetch Standard §3.2; RFC 6454 §6.2). Pure; any thread.
#pragma once

#include <string_view>

#include "http/message.h"

namespace gatelab::http {

// An OPTIONS that asks whether another request may be sent.
bool is_preflight(const RequestHead& head) noexcept;
// The method of that other request; empty if this is no preflight, or one that does not name a single method.
std::string_view preflight_method(const RequestHead& head) noexcept;

// scheme://host[:port] to the letter as a browser writes it: lower case, no default port, no path; not `null`.
bool is_origin(std::string_view text) noexcept;

}  // namespace gatelab::http
