// SPDX-License-Identifier: Apache-2.0
// Small ASCII text tools. Never the locale's. Pure, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace gatelab {

constexpr char ascii_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

constexpr bool iequals(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
  return true;
}

// Without leading and trailing SP and HTAB (RFC 9110 §5.6.3 OWS).
constexpr std::string_view trim_ows(std::string_view s) noexcept {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

// Takes the next element of a comma-separated field value off `rest` (RFC 9110 §5.6.1; quoted strings respected); empty
// elements are skipped. False when nothing is left.
bool next_list_element(std::string_view& rest, std::string_view& element) noexcept;

std::string to_lower(std::string_view s);

// Behind put(). Not inline: where GCC knows the size of what is copied from, it warns of a branch that is never taken.
void put_long(char* at, std::string_view text) noexcept;

// Copies `text` to `at` and returns the end of the copy. Names and values of a message are short, and a call of memcpy for
// each shows in profiles.
inline char* put(char* at, std::string_view text) noexcept {
  const char* from = text.data();
  const std::size_t n = text.size();
  const auto overlapping = [at, from, n](auto word) {
    constexpr std::size_t kWord = sizeof word;
    auto last = word;
    std::memcpy(&word, from, kWord);
    std::memcpy(&last, from + n - kWord, kWord);
    std::memcpy(at, &word, kWord);
    std::memcpy(at + n - kWord, &last, kWord);
  };
  struct Pair { std::uint64_t low, high; };
  if (n > 32) put_long(at, text);
  else if (n >= 16) overlapping(Pair{});
  else if (n >= 8) overlapping(std::uint64_t{});
  else if (n >= 4) overlapping(std::uint32_t{});
  else if (n >= 2) overlapping(std::uint16_t{});
  else if (n == 1) *at = *from;
  return at + n;
}

// Octets are looked at eight at a time: these run over every field value and log member of a request.
// True if there is no control octet (0x00 to 0x1f, 0x7f) in `s`.
bool has_no_control(std::string_view s) noexcept;
// True if `s` can stand between JSON's quotes as it is: printable ASCII without quote and backslash.
bool is_plain_json(std::string_view s) noexcept;

// Time does not depend on where the first difference is, only on the lengths.
bool constant_time_equals(std::string_view a, std::string_view b) noexcept;

// Appends `text` as the inside of a JSON string (RFC 8259 §7): quotes, backslash, controls (C1's too) escaped; octets that are
// not UTF-8 become U+FFFD, so that the output is always valid JSON.
void append_json_escaped(std::string& out, std::string_view text);
// `text` as percent-encoded octets (RFC 3986 §2.1), but for those that `keeps(char)` is true of.
template <class Keeps>
void append_percent_encoded(std::string& out, std::string_view text, Keeps keeps) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (keeps(c)) out += c;
    else out += {'%', kHex[octet >> 4], kHex[octet & 15]};
  }
}

// Decimal digits only, no sign, no space; false on overflow or anything else.
bool parse_decimal(std::string_view text, std::uint64_t& out) noexcept;

}  // namespace gatelab
