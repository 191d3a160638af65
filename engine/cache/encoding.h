// SPDX-License-Identifier: Apache-2.0
// Texts in a row that can be taken apart again, so that no two rows of texts are the same octets: the length of each stands
// before it. What a client sends in one part can never reach into the next. Pure, any thread.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

#include "base/arena_text.h"

namespace gatelab::cache {

// number ":"
inline void add_number(ArenaText& out, std::uint64_t number) noexcept {
  char digits[20];
  out.add({digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, number).ptr - digits)}).add(':');
}
// part = length ":" octets
inline void add_part(ArenaText& out, std::string_view part) noexcept {
  add_number(out, part.size());
  out.add(part);
}

}  // namespace gatelab::cache
