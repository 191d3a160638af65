// SPDX-License-Identifier: Apache-2.0
// What requests and answers have in common: lines that end with CR LF, field lines, framing fields. Private to the room.
#pragma once

#include <string_view>

#include "http/message.h"
#include "http/rule.h"

namespace gatelab::http {

// Where a line ends, found once: `at` is its first octet, `scanned` how far no LF was found.
enum class LineState : std::uint8_t { NeedMore, Line, Failed };
LineState next_line(std::string_view data, std::size_t& at, std::size_t& scanned, std::uint32_t limit, std::string_view& line, Rule& rule) noexcept;

// name ":" OWS value OWS (RFC 9112 §5); appended to `out`.
Rule field_line(std::string_view line, Fields& out, std::uint32_t max_fields) noexcept;

// "HTTP/1.0" or "HTTP/1.1".
Rule parse_version(std::string_view text, Version& out) noexcept;

// Transfer-Encoding and Content-Length (RFC 9112 §6.1 to §6.3). `out` stays as it is when there is neither.
Rule framing(const Fields& fields, Version version, BodyFraming& out) noexcept;

// RFC 9112 §9.3.
bool keeps_alive(const Fields& fields, Version version) noexcept;

}  // namespace gatelab::http
