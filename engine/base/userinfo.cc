// SPDX-License-Identifier: Apache-2.0
#include "base/userinfo.h"

#include <algorithm>

namespace gatelab {
namespace {

// Where a URL within a text is over at the latest.
constexpr std::string_view kAround = " \t\r\n`\"'<>";

bool is_port(std::string_view text) noexcept {
  return text.size() <= 5 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Of a URL from behind its ://.
std::size_t length_of_userinfo(std::string_view rest) noexcept {
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const std::size_t colon = authority.find(':');
  // What follows the colon is a port, or a password; with [::1] in front it is neither.
  const bool password = colon != std::string_view::npos && !authority.starts_with('[') && !is_port(authority.substr(colon + 1));
  const std::size_t at = (password ? rest : authority).rfind('@');
  return at == std::string_view::npos ? 0 : at;
}

}  // namespace

Userinfo find_userinfo(std::string_view text, std::size_t from) noexcept {
  for (std::size_t at = text.find("://", from); at != std::string_view::npos; at = text.find("://", at + 3)) {
    const std::string_view rest = text.substr(at + 3);
    const std::size_t length = length_of_userinfo(rest.substr(0, rest.find_first_of(kAround)));
    if (length > 0) return {at + 3, at + 3 + length};
  }
  return {};
}

std::string without_userinfo(std::string_view text) {
  std::string out;
  std::size_t done = 0;
  for (Userinfo one = find_userinfo(text); one; one = find_userinfo(text, one.end)) {
    out.append(text.substr(done, one.begin - done)).append(kNoUserinfo);
    done = one.end;
  }
  return out.append(text.substr(done));
}

}  // namespace gatelab
