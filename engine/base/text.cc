// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <cstdint>
#include <cstring>

namespace gatelab {
namespace {

// Octets of the UTF-8 sequence at the front of `s` (RFC 3629 §4), or 0 if it is not one.
std::size_t utf8_sequence(std::string_view s) noexcept {
  const auto at = [s](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U; };
  const auto tail = [&at](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool narrow = (lead == 0xE0 && at(1) < 0xA0) || (lead == 0xED && at(1) > 0x9F);
    return tail(1) && tail(2) && !narrow ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool narrow = (lead == 0xF0 && at(1) < 0x90) || (lead == 0xF4 && at(1) > 0x8F);
    return tail(1) && tail(2) && tail(3) && !narrow ? 4 : 0;
  }
  return 0;
}

void append_escape(std::string& out, unsigned char c) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default:
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
  }
}

// Eight octets as one number. A test sets the top bit of each octet that it finds; octets above 0x7f may be found too, so
// callers that allow those look again one by one.
constexpr std::uint64_t kOnes = 0x0101010101010101, kTops = 0x8080808080808080;
constexpr std::uint64_t below(std::uint64_t x, std::uint64_t n) noexcept { return (x - kOnes * n) & ~x & kTops; }
constexpr std::uint64_t equal(std::uint64_t x, std::uint64_t octet) noexcept { return below(x ^ (kOnes * octet), 1); }

constexpr std::uint64_t kSpaces = kOnes * ' ';

// Up to seven octets from `at`; the rest are spaces, which no test finds.
std::uint64_t load_tail(const char* at, std::size_t n) noexcept {
  std::uint64_t x = kSpaces;
  std::memcpy(&x, at, n);
  return x;
}

// `found(x)`: nonzero if an octet of x may be one; `is(c)`: whether it is.
template <class Found, class Is>
bool none_of(std::string_view s, Found found, Is is) noexcept {
  std::uint64_t any = 0;
  std::size_t i = 0;
  for (; i + 8 <= s.size(); i += 8) {
    std::uint64_t x = 0;
    std::memcpy(&x, s.data() + i, 8);
    any |= found(x);
  }
  any |= found(load_tail(s.data() + i, s.size() - i));
  if (any == 0) return true;
  for (const char c : s)
    if (is(static_cast<unsigned char>(c))) return false;
  return true;
}

}  // namespace

bool has_no_control(std::string_view s) noexcept {
  return none_of(s, [](std::uint64_t x) { return below(x, 0x20) | equal(x, 0x7f); }, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_plain_json(std::string_view s) noexcept {
  return none_of(
      s, [](std::uint64_t x) { return (x & kTops) | below(x, 0x20) | equal(x, 0x7f) | equal(x, '"') | equal(x, '\\'); },
      [](unsigned char c) { return c < 0x20 || c > 0x7e || c == '"' || c == '\\'; });
}

bool next_list_element(std::string_view& rest, std::string_view& element) noexcept {
  while (!rest.empty()) {
    bool quoted = false;
    std::size_t end = 0;
    for (; end < rest.size(); ++end) {
      const char c = rest[end];
      if (quoted && c == '\\') ++end;
      else if (c == '"') quoted = !quoted;
      else if (c == ',' && !quoted) break;
    }
    if (end > rest.size()) end = rest.size();
    element = trim_ows(rest.substr(0, end));
    rest.remove_prefix(end < rest.size() ? end + 1 : end);
    if (!element.empty()) return true;
  }
  return false;
}

std::string to_lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = ascii_lower(c);
  return out;
}

bool constant_time_equals(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned different = 0;
  for (std::size_t i = 0; i < a.size(); ++i) different |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return different == 0;
}

void append_json_escaped(std::string& out, std::string_view text) {
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
      ++i;
      continue;
    }
    out.append(text, plain, i - plain);
    const std::size_t n = c < 0x80 ? 1 : utf8_sequence(text.substr(i));
    const auto second = n == 2 ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (c < 0x80) append_escape(out, c);
    else if (c == 0xC2 && second < 0xA0) append_escape(out, static_cast<unsigned char>(second));  // C1 controls: terminals obey them too
    else if (n == 0) out += "\xEF\xBF\xBD";
    else out.append(text, i, n);
    i += n == 0 ? 1 : n;
    plain = i;
  }
  out.append(text, plain, text.size() - plain);
}

bool parse_decimal(std::string_view text, std::uint64_t& out) noexcept {
  if (text.empty()) return false;
  std::uint64_t n = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    if (__builtin_mul_overflow(n, std::uint64_t{10}, &n) || __builtin_add_overflow(n, static_cast<std::uint64_t>(c - '0'), &n)) return false;
  }
  out = n;
  return true;
}

}  // namespace gatelab
