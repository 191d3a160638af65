// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/utf8.h"

namespace gatelab {
namespace {

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

// Eight octets as one number. A test sets the top bit of an octet that it finds. A borrow or carry between octets can set it
// in one more octet, but only beside one that was found: none is missed, and whoever finds one looks again octet by octet.
constexpr std::uint64_t kOnes = 0x0101010101010101, kTops = 0x8080808080808080;
constexpr std::uint64_t each(unsigned char octet) noexcept { return kOnes * octet; }
constexpr auto not_plain_json = [](std::uint64_t x) noexcept {
  return (x | (x - each(0x20)) | (x + each(1)) | ((x ^ each('"')) - kOnes) | ((x ^ each('\\')) - kOnes)) & kTops;
};
// Octets above 0x7f are no controls: looked at without their top bit, then left out.
constexpr auto control = [](std::uint64_t x) noexcept {
  const std::uint64_t low = x & ~kTops;
  return ((low - each(0x20)) | (low + each(1))) & ~x & kTops;
};

// Up to seven octets from `at`, without reading others. The gap is spaces, which no test finds.
std::uint64_t load_tail(const char* at, std::size_t n) noexcept {
  std::uint64_t x = each(' ');
  if (n >= 4) {
    std::uint32_t first = 0, last = 0;
    std::memcpy(&first, at, 4);
    std::memcpy(&last, at + n - 4, 4);
    return first | static_cast<std::uint64_t>(last) << 32;
  }
  if (n > 0) std::memcpy(&x, at, 1);
  if (n > 1) {
    std::uint16_t last = 0;
    std::memcpy(&last, at + n - 2, 2);
    x = (x & ~std::uint64_t{0xffff00}) | static_cast<std::uint64_t>(last) << 8;
  }
  return x;
}

// All tests of the octets of `s` together.
template <class Found>
std::uint64_t any_of(std::string_view s, Found found) noexcept {
  const char* at = s.data();
  std::size_t n = s.size();
  if (n < 8) return found(load_tail(at, n));
  std::uint64_t any = 0, x = 0;
  for (; n > 8; n -= 8, at += 8) {
    std::memcpy(&x, at, 8);
    any |= found(x);
  }
  std::memcpy(&x, s.data() + s.size() - 8, 8);  // some octets twice rather than one by one
  return any | found(x);
}

bool is_plain_json_octet(unsigned char c) noexcept { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

}  // namespace

void put_long(char* at, std::string_view text) noexcept { std::memcpy(at, text.data(), text.size()); }

bool has_no_control(std::string_view s) noexcept {
  if (any_of(s, control) == 0) return true;
  for (const char c : s)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  return true;
}

bool is_plain_json(std::string_view s) noexcept {
  if (any_of(s, not_plain_json) == 0) return true;
  for (const char c : s)
    if (!is_plain_json_octet(static_cast<unsigned char>(c))) return false;
  return true;
}

bool next_list_element(std::string_view& rest, std::string_view& element) noexcept {
  while (!rest.empty()) {
    std::size_t end = 0;
    while (end < rest.size() && rest[end] != ',' && rest[end] != '"') ++end;
    if (end < rest.size() && rest[end] == '"') {
      bool quoted = false;
      for (; end < rest.size(); ++end) {
        const char c = rest[end];
        if (quoted && c == '\\') ++end;
        else if (c == '"') quoted = !quoted;
        else if (c == ',' && !quoted) break;
      }
    }
    end = std::min(end, rest.size());
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
    else if (n == 2 && c == 0xC2 && second < 0xA0) append_escape(out, static_cast<unsigned char>(second));  // C1 controls: terminals obey them too
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
