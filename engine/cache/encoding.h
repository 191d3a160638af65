// SPDX-License-Identifier: Apache-2.0
// Texts in a row that can be taken apart again, so that no two rows of texts are the same octets: the length of each stands
// before it. What a client sends in one part can never reach into the next. Pure, any thread.
#pragma once

#include <charconv>
#include <string_view>

#include "base/arena_text.h"

namespace gatelab::cache {

// part = length ":" octets
inline void add_part(ArenaText& out, std::string_view part) noexcept {
  char digits[20];
  out.add({digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, part.size()).ptr - digits)}).add(':').add(part);
}

// Takes the next part off `rest`; false if there is none.
inline bool next_part(std::string_view& rest, std::string_view& part) noexcept {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
  const auto digits = static_cast<std::size_t>(end - rest.data());
  if (error != std::errc() || digits >= rest.size() || rest[digits] != ':' || rest.size() - digits - 1 < size) return false;
  part = rest.substr(digits + 1, size);
  rest.remove_prefix(digits + 1 + size);
  return true;
}

}  // namespace gatelab::cache
