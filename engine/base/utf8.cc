// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

namespace gatelab {

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

bool is_utf8(std::string_view s) noexcept {
  while (!s.empty()) {
    const std::size_t octets = utf8_sequence(s);
    if (octets == 0) return false;
    s.remove_prefix(octets);
  }
  return true;
}

}  // namespace gatelab
