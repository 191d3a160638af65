// SPDX-License-Identifier: Apache-2.0
#include "cache/tags.h"

#include <algorithm>

#include "base/text.h"
#include "cache/store.h"

namespace gatelab::cache {

std::span<const std::string_view> tags_of(const http::Fields& response, Arena& arena) noexcept {
  constexpr std::size_t kMost = Store::kMaxTags + 1;
  std::span<std::string_view> out;
  std::size_t count = 0;
  for (const http::Field& field : response) {
    const bool commas = iequals(field.name, "Cache-Tag");
    if (!commas && !iequals(field.name, "Surrogate-Key")) continue;
    if (out.empty()) out = arena.array<std::string_view>(kMost);
    for (std::string_view rest = field.value; !rest.empty() && count < kMost;) {
      const std::size_t end = std::min(rest.find_first_of(commas ? "," : " \t"), rest.size());
      const std::string_view tag = trim_ows(rest.substr(0, end));
      rest.remove_prefix(std::min(rest.size(), end + 1));
      if (!tag.empty() && std::find(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(count), tag) == out.begin() + static_cast<std::ptrdiff_t>(count)) out[count++] = tag;
    }
  }
  return out.first(count);
}

}  // namespace gatelab::cache
