// SPDX-License-Identifier: Apache-2.0
// Names with a star at their end: utm_* is every name that begins with utm_. Pure; any thread.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace gatelab {

inline bool matches_wildcard(std::string_view pattern, std::string_view name) noexcept {
  return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
}
inline bool matches_any(const std::vector<std::string>& patterns, std::string_view name) noexcept {
  return std::any_of(patterns.begin(), patterns.end(), [name](std::string_view pattern) { return matches_wildcard(pattern, name); });
}

}  // namespace gatelab
