// SPDX-License-Identifier: Apache-2.0
// What an intermediary owes a request before anyone looks at it or it goes on (RFC 9110 §7.6): fields that end at this
// hop, names that can be taken for others, Max-Forwards. Pure; edits the head in place. Any thread.
#pragma once

#include "http/message.h"
#include "http/rule.h"

namespace gatelab::http {

// Servers that make variables of fields (CGI and its heirs) can't tell X_User from X-User, so that a field with an
// underscore speaks in another's name.
enum class UnderscoreFields : std::uint8_t {
  Drop,
  Keep,    // all but those that read like a field which is sent as well
  Reject,  // the request
};

struct HopOptions {
  UnderscoreFields underscore_fields = UnderscoreFields::Drop;
  bool forward_trace = false;  // TRACE shows a client the fields that the gateway adds
};

// Removes what the Connection fields list (so that no policy judges by a field that goes no further, and none that a
// policy sets later can be listed away) and fields with underscores; counts Max-Forwards of OPTIONS and TRACE down.
// Framing, Host, Via and Max-Forwards stay, whoever lists them. Rule::Ok, or why the request is refused.
Rule end_hop(RequestHead& head, const HopOptions& options) noexcept;

// Asks the gateway itself: OPTIONS * , or an OPTIONS or TRACE that may be forwarded no further.
bool is_for_gateway(const RequestHead& head) noexcept;

// The same name, but for case and for underscores in place of dashes: servers that make variables of fields read them alike.
bool reads_like(std::string_view a, std::string_view b) noexcept;

// Before a field of a request that kept its underscores is sent: another one has this name, but for the dashes.
bool reads_like_another(const Fields& fields, std::string_view name) noexcept;

// A field that frames a message or belongs to one hop, or that the gateway sets itself: no configuration may set it. Underscores
// count as dashes, as servers that make variables of fields read them.
bool is_gateways_own(std::string_view name) noexcept;
// HTTP, or the gateway, reads something in a field of this name: no configuration may give it another meaning. Underscores as above.
bool has_a_meaning(std::string_view name) noexcept;

// Takes what this hop ends off an answer: Connection, all that it lists, and the other fields of one hop;
// Content-Length too, which the framing carries.
void strip_hop_by_hop(Fields& fields) noexcept;

}  // namespace gatelab::http
