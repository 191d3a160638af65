// SPDX-License-Identifier: Apache-2.0
// Credentials in URLs (RFC 3986 §3.2.1), which nothing that is shown may repeat: messages, excerpts, names of targets. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gatelab {

inline constexpr std::string_view kNoUserinfo = "***";

// Octets [begin, end) of `text`, without the @ behind them; begin == end: there is none.
struct Userinfo {
  std::size_t begin = 0, end = 0;
  explicit operator bool() const noexcept { return begin != end; }
};
// The first at or after `from`. A password that holds what a URL would have to encode (http://u:a/b@host) is found too.
Userinfo find_userinfo(std::string_view text, std::size_t from = 0) noexcept;

// With kNoUserinfo in the place of each.
std::string without_userinfo(std::string_view text);

}  // namespace gatelab
