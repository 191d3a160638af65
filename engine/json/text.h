// SPDX-License-Identifier: Apache-2.0
// The small forms of JSON (RFC 8259): strings and numbers as they are written. Pure; any thread; nothing is rounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gatelab::json {

// Octets of the string that `text` begins with, behind its opening quote and up to its closing one; npos: it is none. It has no
// control octets, valid escapes only, no half of a surrogate pair, and is UTF-8. `escaped`: it has escapes.
std::size_t string_size(std::string_view text, bool& escaped) noexcept;
// Octets of the number that `text` begins with (RFC 8259 §6); 0: it is none.
std::size_t number_size(std::string_view text) noexcept;
// What stands between quotes, without escapes. Of what string_size() has looked at only.
std::string unescaped(std::string_view raw);

// Less than zero, zero, more: two numbers as they are written, by their value and to the last digit: 1.0 is 1, 1e400 is more
// than 1e399. Exponents beyond a million million are all alike.
int compare_numbers(std::string_view a, std::string_view b) noexcept;
// True of 2, 2.0 and 20e-1.
bool is_integer(std::string_view number) noexcept;
// A number without its sign, zeros that do not count and its point: digits × 10^exponent. 0 has no digits.
struct Parts {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;
};
Parts parts_of(std::string_view number);
// The same text for equal numbers, and for no others.
void append_canonical_number(std::string& out, std::string_view number);
// Whether `number` is a whole number of times `digits` × 10^exponent. `digits` is neither 0 nor a multiple of 10.
bool is_multiple(std::string_view number, std::uint32_t digits, std::int64_t exponent);

}  // namespace gatelab::json
