// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <array>
#include <cstdint>

namespace gatelab {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::string_view kUrlDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kNone = 0xff;
constexpr auto kUrlValue = [] {
  std::array<std::uint8_t, 256> out{};
  out.fill(kNone);
  for (std::size_t i = 0; i < kUrlDigits.size(); ++i) out[static_cast<std::uint8_t>(kUrlDigits[i])] = static_cast<std::uint8_t>(i);
  return out;
}();

std::uint32_t octet(char c) noexcept { return static_cast<std::uint8_t>(c); }

}  // namespace

std::string base64_encode(std::string_view octets) {
  std::string out;
  out.reserve((octets.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < octets.size(); i += 3) {
    const std::size_t n = octets.size() - i < 3 ? octets.size() - i : 3;
    const std::uint32_t bits = octet(octets[i]) << 16 | (n > 1 ? octet(octets[i + 1]) << 8 : 0) | (n > 2 ? octet(octets[i + 2]) : 0);
    for (std::size_t k = 0; k < 4; ++k) out += k <= n ? kDigits[(bits >> (18 - 6 * k)) & 63] : '=';
  }
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const std::string_view digits = text.substr(0, text.size() - padding);
  std::uint32_t bits = 0, known = 0;
  for (const char c : digits) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6 | static_cast<std::uint32_t>(digit)) & 0xffffff;
    known += 6;
    if (known < 8) continue;
    known -= 8;
    out += static_cast<char>(bits >> known);
  }
  if ((bits & ((1U << known) - 1)) != 0) return std::nullopt;
  return out;
}

std::string base64url_encode(std::string_view octets) {
  std::string out;
  out.reserve((octets.size() * 4 + 2) / 3);
  for (std::size_t i = 0; i < octets.size(); i += 3) {
    const std::size_t n = octets.size() - i < 3 ? octets.size() - i : 3;
    const std::uint32_t bits = octet(octets[i]) << 16 | (n > 1 ? octet(octets[i + 1]) << 8 : 0) | (n > 2 ? octet(octets[i + 2]) : 0);
    for (std::size_t k = 0; k <= n; ++k) out += kUrlDigits[(bits >> (18 - 6 * k)) & 63];
  }
  return out;
}

// Every token of every request comes through here: four digits at a time, and one look at the end whether all were digits.
std::optional<std::string> base64url_decode(std::string_view text) {
  const std::size_t rest = text.size() % 4;
  if (rest == 1) return std::nullopt;
  std::string out(text.size() / 4 * 3 + (rest == 0 ? 0 : rest - 1), '\0');
  const auto value = [text](std::size_t i) -> std::uint32_t { return kUrlValue[static_cast<std::uint8_t>(text[i])]; };
  std::uint32_t seen = 0;
  std::size_t from = 0, to = 0;
  for (; from + 4 <= text.size(); from += 4, to += 3) {
    const std::uint32_t a = value(from), b = value(from + 1), c = value(from + 2), d = value(from + 3);
    seen |= a | b | c | d;
    out[to] = static_cast<char>(a << 2 | b >> 4);
    out[to + 1] = static_cast<char>(b << 4 | c >> 2);
    out[to + 2] = static_cast<char>(c << 6 | d);
  }
  if (rest != 0) {
    const std::uint32_t a = value(from), b = value(from + 1), c = rest == 3 ? value(from + 2) : 0;
    seen |= a | b | c;
    if ((rest == 3 ? c & 3 : b & 15) != 0) return std::nullopt;
    out[to] = static_cast<char>(a << 2 | b >> 4);
    if (rest == 3) out[to + 1] = static_cast<char>(b << 4 | c >> 2);
  }
  if ((seen & 0x80) != 0) return std::nullopt;
  return out;
}

}  // namespace gatelab
