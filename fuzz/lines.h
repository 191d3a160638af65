// SPDX-License-Identifier: Apache-2.0
// An input as lines, and lines as fields of a name. For targets whose input is a part of a message.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "base/arena.h"
#include "base/text.h"
#include "http/fields.h"

namespace gatelab::fuzz {

inline void check(bool holds) {
  if (!holds) std::abort();
}

inline bool next_line(std::string_view& rest, std::string_view& line) {
  if (rest.empty()) return false;
  line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return true;
}

// What the parser of messages would let through as that field.
inline void add_field(http::Fields& fields, std::string_view name, std::string_view value) {
  value = trim_ows(value);
  if (http::is_token(name) && http::is_field_value(value)) fields.add(name, value);
}

// "Name: value"
inline void add_line(http::Fields& fields, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos) add_field(fields, line.substr(0, colon), line.substr(colon + 1));
}

}  // namespace gatelab::fuzz
