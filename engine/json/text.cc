// SPDX-License-Identifier: Apache-2.0
#include "json/text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/utf8.h"

namespace gatelab::json {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

int hex(char c) noexcept {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Of \uXXXX, behind the u; -1: it is none.
int code_unit(std::string_view digits) noexcept {
  if (digits.size() < 4) return -1;
  int unit = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const int digit = hex(digits[i]);
    if (digit < 0) return -1;
    unit = unit << 4 | digit;
  }
  return unit;
}

// Octets of the escape that `text` begins with, backslash and all; 0: it is none.
std::size_t escape_size(std::string_view text) noexcept {
  if (text.size() < 2) return 0;
  if (text[1] != 'u') return std::string_view("\"\\/bfnrt").find(text[1]) == std::string_view::npos ? 0 : 2;
  const int unit = code_unit(text.substr(2));
  if (unit < 0 || (unit >= 0xDC00 && unit < 0xE000)) return 0;
  if (unit < 0xD800 || unit >= 0xE000) return 6;
  if (text.size() < 12 || text[6] != '\\' || text[7] != 'u') return 0;
  const int low = code_unit(text.substr(8));
  return low >= 0xDC00 && low < 0xE000 ? 12 : 0;
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&out](std::uint32_t octet) { out += static_cast<char>(octet); };
  if (c < 0x80) return put(c);
  if (c < 0x800) return put(0xC0 | c >> 6), put(0x80 | (c & 63));
  if (c < 0x10000) return put(0xE0 | c >> 12), put(0x80 | (c >> 6 & 63)), put(0x80 | (c & 63));
  put(0xF0 | c >> 18), put(0x80 | (c >> 12 & 63)), put(0x80 | (c >> 6 & 63)), put(0x80 | (c & 63));
}

// Of eight octets: none is a quote, a backslash, a control or beyond ASCII.
bool is_plain(const char* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t x) { return (x - kOnes) & ~x & kHigh; };
  return ((word & kHigh) | ((word - kOnes * 0x20) & ~word & kHigh) | has_zero(word ^ kOnes * '"') | has_zero(word ^ kOnes * '\\')) == 0;
}

// A number's digits without what does not count, and the power of ten that stands before the first: 0.FIRST × 10^scale.
struct Decimal {
  bool negative = false;
  std::string_view digits;    // with perhaps a point among them
  std::int64_t scale = 0;
  bool is_zero() const noexcept { return digits.empty(); }
};

constexpr std::int64_t kMostExponent = 1'000'000'000'000;

Decimal decimal_of(std::string_view text) noexcept {
  Decimal out;
  if (text.starts_with('-')) {
    out.negative = true;
    text.remove_prefix(1);
  }
  const std::size_t e = text.find_first_of("eE");
  std::int64_t exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    const bool minus = digits.starts_with('-');
    if (minus || digits.starts_with('+')) digits.remove_prefix(1);
    for (const char c : digits) exponent = std::min(exponent * 10 + (c - '0'), kMostExponent);
    if (minus) exponent = -exponent;
    text = text.substr(0, e);
  }
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::size_t first = text.find_first_not_of("0.");
  if (first == std::string_view::npos) return out;
  out.scale = exponent + (first < point ? static_cast<std::int64_t>(point - first) : -static_cast<std::int64_t>(first - point - 1));
  out.digits = text.substr(first, text.find_last_not_of(point == text.size() ? "0" : "0.") + 1 - first);
  return out;
}

// One digit after the other, zeros behind the last.
class Digits {
 public:
  explicit Digits(std::string_view text) noexcept : text_(text) {}
  bool more() const noexcept { return at_ < text_.size(); }
  char next() noexcept {
    if (more() && text_[at_] == '.') ++at_;
    return more() ? text_[at_++] : '0';
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

int compare_magnitudes(const Decimal& a, const Decimal& b) noexcept {
  if (a.is_zero() || b.is_zero()) return static_cast<int>(b.is_zero()) - static_cast<int>(a.is_zero());
  if (a.scale != b.scale) return a.scale < b.scale ? -1 : 1;
  Digits left(a.digits), right(b.digits);
  while (left.more() || right.more()) {
    const char x = left.next(), y = right.next();
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

}  // namespace

std::size_t string_size(std::string_view text, bool& escaped) noexcept {
  escaped = false;
  std::size_t at = 0;
  while (at < text.size()) {
    while (at + 8 <= text.size() && is_plain(text.data() + at)) at += 8;
    if (at == text.size()) break;
    const auto c = static_cast<unsigned char>(text[at]);
    if (c == '"') return at;
    std::size_t size = 1;
    if (c == '\\') {
      escaped = true;
      size = escape_size(text.substr(at));
    } else if (c >= 0x80) {
      size = utf8_sequence(text.substr(at));
    } else if (c < 0x20) {
      size = 0;
    }
    if (size == 0) return std::string_view::npos;
    at += size;
  }
  return std::string_view::npos;
}

std::size_t number_size(std::string_view text) noexcept {
  std::size_t at = 0;
  const auto peek = [&] { return at < text.size() ? text[at] : '\0'; };
  const auto digits = [&] {
    const std::size_t begin = at;
    while (is_digit(peek())) ++at;
    return at - begin;
  };
  if (peek() == '-') ++at;
  if (peek() == '0') ++at;
  else if (digits() == 0) return 0;
  if (peek() == '.') {
    ++at;
    if (digits() == 0) return 0;
  }
  if (peek() == 'e' || peek() == 'E') {
    ++at;
    if (peek() == '+' || peek() == '-') ++at;
    if (digits() == 0) return 0;
  }
  return at;
}

std::string unescaped(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t at = 0; at < raw.size();) {
    if (raw[at] != '\\') {
      out += raw[at++];
      continue;
    }
    constexpr std::string_view kLetters = "bfnrt", kControls = "\b\f\n\r\t";
    const char letter = raw[at + 1];
    if (letter != 'u') {
      const std::size_t control = kLetters.find(letter);
      out += control == std::string_view::npos ? letter : kControls[control];
      at += 2;
      continue;
    }
    const auto unit = static_cast<std::uint32_t>(code_unit(raw.substr(at + 2)));
    const bool pair = unit >= 0xD800 && unit < 0xDC00;
    const std::uint32_t low = pair ? static_cast<std::uint32_t>(code_unit(raw.substr(at + 8))) : 0;
    append_utf8(out, pair ? 0x10000 + ((unit - 0xD800) << 10 | (low - 0xDC00)) : unit);
    at += pair ? 12 : 6;
  }
  return out;
}

int compare_numbers(std::string_view a, std::string_view b) noexcept {
  const Decimal left = decimal_of(a), right = decimal_of(b);
  const bool minus_left = left.negative && !left.is_zero(), minus_right = right.negative && !right.is_zero();
  if (minus_left != minus_right) return minus_left ? -1 : 1;
  const int order = compare_magnitudes(left, right);
  return minus_left ? -order : order;
}

bool is_integer(std::string_view number) noexcept {
  const Decimal d = decimal_of(number);
  const auto count = static_cast<std::int64_t>(d.digits.size()) - (d.digits.find('.') == std::string_view::npos ? 0 : 1);
  return d.is_zero() || count <= d.scale;
}

Parts parts_of(std::string_view number) {
  const Decimal d = decimal_of(number);
  Parts out;
  if (d.is_zero()) return out;
  out.negative = d.negative;
  for (const char c : d.digits)
    if (c != '.') out.digits += c;
  out.exponent = d.scale - static_cast<std::int64_t>(out.digits.size());
  return out;
}

void append_canonical_number(std::string& out, std::string_view number) {
  const Parts parts = parts_of(number);
  if (parts.digits.empty()) return void(out += '0');
  if (parts.negative) out += '-';
  out.append(parts.digits).append(1, 'e').append(std::to_string(parts.exponent));
}

bool is_multiple(std::string_view number, std::uint32_t digits, std::int64_t exponent) {
  const Parts parts = parts_of(number);
  if (parts.digits.empty()) return true;
  // Neither ends with a zero: below the other's last digit nothing of it can stand.
  if (parts.exponent < exponent) return false;
  std::uint64_t rest = 0;
  for (const char c : parts.digits) rest = (rest * 10 + static_cast<std::uint64_t>(c - '0')) % digits;
  std::uint64_t power = 10 % digits;
  for (auto left = static_cast<std::uint64_t>(parts.exponent - exponent); left > 0; left /= 2) {
    if (left % 2 == 1) rest = rest * power % digits;
    power = power * power % digits;
  }
  return rest == 0;
}

}  // namespace gatelab::json
