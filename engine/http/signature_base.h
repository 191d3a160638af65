// SPDX-License-Identifier: Apache-2.0
// What an HTTP message signature is over: the signature base of a request (RFC 9421 §2.5). The verifier and whoever signs
// in tests and scenarios make it here. Pure; the result lives in the arena.
#pragma once

#include <string_view>

#include "base/arena.h"
#include "http/message.h"
#include "http/structured.h"

namespace gatelab::http {

struct SignatureBase {
  enum class Fault : std::uint8_t {
    None,
    Malformed,    // no identifier of a component, or one that is there twice
    Unsupported,  // a component or parameter that is not known here, or is for answers
    Absent,       // the request has no such field or query parameter, or has the parameter twice
  };
  Fault fault = Fault::None;
  std::string_view text;       // the base
  std::string_view component;  // the one with the fault, as it would be written
};

// `input` is the member of Signature-Input: the covered components and the signature's parameters. The request is the one
// that was received: targets as they came, fields as they are in `head`. `scheme` is the client's.
SignatureBase signature_base(const RequestHead& head, std::string_view scheme, const structured::Member& input, Arena& arena) noexcept;

// All lines of that field, trimmed and joined by ", " (§2.1). `found` tells an empty field from none.
std::string_view combined_field(const Fields& fields, std::string_view name, Arena& arena, bool& found) noexcept;

// True for a name that can be covered: a field's in small letters, or a derived component of a request that is known here.
bool is_component(std::string_view name) noexcept;

}  // namespace gatelab::http
