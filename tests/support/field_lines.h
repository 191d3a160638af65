// SPDX-License-Identifier: Apache-2.0
// Fields written as lines: "Age: 5\nVary: a, b". For tables of tests.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/text.h"
#include "http/fields.h"

namespace gatelab::test {

inline http::Fields field_lines(std::string_view text, Arena& arena) {
  http::Fields out(arena);
  text = arena.copy(text);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) out.add(line.substr(0, colon), trim_ows(line.substr(colon + 1)));
  }
  return out;
}

inline std::string lines_of(const http::Fields& fields) {
  std::string out;
  for (const http::Field& one : fields) out.append(out.empty() ? "" : "\n").append(one.name).append(": ").append(one.value);
  return out;
}

}  // namespace gatelab::test
