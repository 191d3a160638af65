// SPDX-License-Identifier: Apache-2.0
// Ranges of addresses: what is taken is written the same way again, holds its own base, and one bit more than its prefix
// allows takes an address out of it.
#include <cstdint>
#include <string_view>

#include "base/cidr.h"

using namespace gatelab;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto range = parse_cidr(text);
  if (!range) return 0;
  const auto again = parse_cidr(format(*range));
  if (!again || *again != *range || !range->contains(range->base) || !range->covers(*again)) __builtin_trap();
  for (std::size_t bit = 0; bit < range->bits; ++bit) {
    IpAddress other = range->base;
    other.octets[bit / 8] = static_cast<std::uint8_t>(other.octets[bit / 8] ^ (0x80U >> bit % 8));
    if (range->contains(other)) __builtin_trap();
  }
  AddressSet set;
  if (!set.add(text) || !set.contains(range->base)) __builtin_trap();
  return 0;
}
