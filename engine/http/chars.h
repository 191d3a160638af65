// SPDX-License-Identifier: Apache-2.0
// Classes of octets (RFC 9110 §5.6.2, §5.5; RFC 3986 §2, §3.3). Tables, any thread. Private to the room.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace gatelab::http {

inline constexpr std::uint8_t kToken = 1;       // tchar
inline constexpr std::uint8_t kValue = 2;       // VCHAR, obs-text, SP, HTAB
inline constexpr std::uint8_t kPath = 4;        // pchar, '/', '%' and what browsers send raw in paths
inline constexpr std::uint8_t kQuery = 8;       // kPath and '?'
inline constexpr std::uint8_t kUnreserved = 16;
inline constexpr std::uint8_t kHost = 32;       // of a name in DNS, and an IPv4 address

inline constexpr std::array<std::uint8_t, 256> kChars = [] {
  std::array<std::uint8_t, 256> t{};
  const auto add = [&t](std::string_view chars, std::uint8_t bits) {
    for (const char c : chars) t[static_cast<unsigned char>(c)] = static_cast<std::uint8_t>(t[static_cast<unsigned char>(c)] | bits);
  };
  constexpr std::string_view kAlnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  add(kAlnum, kToken | kPath | kQuery | kUnreserved | kHost);
  add("!#$%&'*+-.^_`|~", kToken);
  add("-._~", kPath | kQuery | kUnreserved | kHost);
  add("!$&'()*+,;=", kPath | kQuery);
  add(":@/%", kPath | kQuery);
  add("?", kQuery);
  // Not RFC 3986, but sent raw by browsers and curl in queries; they mean nothing to a path.
  add("\"<>[]^`{|}", kQuery);
  for (unsigned c = 0x20; c < 256; ++c)
    if (c != 0x7f) t[c] = static_cast<std::uint8_t>(t[c] | kValue);
  t['\t'] = static_cast<std::uint8_t>(t['\t'] | kValue);
  return t;
}();

inline bool is(char c, std::uint8_t bits) noexcept { return (kChars[static_cast<unsigned char>(c)] & bits) != 0; }
inline bool all(std::string_view s, std::uint8_t bits) noexcept {
  for (const char c : s)
    if (!is(c, bits)) return false;
  return true;
}
inline int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace gatelab::http
