// SPDX-License-Identifier: Apache-2.0
#include "harness/match/json_text.h"

namespace gatelab::harness {

bool is_nested_too_deep(std::string_view text) noexcept {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') ++i;
    else if (text[i] == '"') quoted = !quoted;
    else if (!quoted && (text[i] == '[' || text[i] == '{') && ++depth > kMostNested) return true;
    else if (!quoted && (text[i] == ']' || text[i] == '}')) --depth;
  }
  return false;
}

}  // namespace gatelab::harness
