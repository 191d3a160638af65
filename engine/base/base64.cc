// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <cstdint>

namespace gatelab {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

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

}  // namespace gatelab
