// SPDX-License-Identifier: Apache-2.0
#include "http/digest_fields.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"

namespace gatelab::http {
namespace {

bool is_digest(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"Content-Digest", "Repr-Digest", "Digest", "Content-MD5"};
  return std::any_of(kNames.begin(), kNames.end(), [name](std::string_view known) { return iequals(known, name); });
}

// As it was if it announces no digest.
std::string_view without_digests(Arena& arena, std::string_view announced) noexcept {
  bool found = false;
  std::string_view rest = announced, name;
  while (next_list_element(rest, name)) found = found || is_digest(name);
  if (!found) return announced;
  char* const out = static_cast<char*>(arena.allocate(announced.size() * 2, 1));  // a comma may become a comma and a space
  std::size_t size = 0;
  for (rest = announced; next_list_element(rest, name);) {
    if (name.empty() || is_digest(name)) continue;
    for (const std::string_view part : {size == 0 ? std::string_view() : std::string_view(", "), name}) {
      if (!part.empty()) std::memcpy(out + size, part.data(), part.size());
      size += part.size();
    }
  }
  return {out, size};
}

}  // namespace

void drop_digests(Fields& fields) noexcept {
  Field* kept = fields.begin();
  for (Field field : fields) {
    if (field.id == FieldId::Trailer && !field.value.empty()) {
      field.value = without_digests(fields.arena(), field.value);
      if (field.value.empty()) continue;
    } else if (field.id == FieldId::Other && is_digest(field.name)) {
      continue;
    }
    *kept++ = field;
  }
  fields.truncate(static_cast<std::size_t>(kept - fields.begin()));
}

}  // namespace gatelab::http
