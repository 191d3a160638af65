// SPDX-License-Identifier: Apache-2.0
#include "cache/seconds.h"

#include <algorithm>

namespace gatelab::cache {

std::optional<Duration> parse_delta_seconds(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  constexpr std::uint64_t kMost = std::uint64_t{1} << 31;
  std::uint64_t seconds = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    seconds = std::min<std::uint64_t>(kMost, seconds * 10 + static_cast<std::uint64_t>(c - '0'));
  }
  return std::chrono::seconds(static_cast<std::int64_t>(seconds));
}

}  // namespace gatelab::cache
