// SPDX-License-Identifier: Apache-2.0
#include "base/siphash.h"

#include <bit>
#include <cstddef>

namespace gatelab {
namespace {

struct State {
  std::uint64_t v0, v1, v2, v3;
  void rounds(int n) noexcept {
    for (; n > 0; --n) {
      v0 += v1;
      v1 = std::rotl(v1, 13) ^ v0;
      v0 = std::rotl(v0, 32);
      v2 += v3;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
  }
  void take(std::uint64_t word) noexcept {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }
};

// Little-endian, whatever the machine.
std::uint64_t word_at(const char* at, std::size_t octets) noexcept {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < octets; ++i) word |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
  return word;
}

}  // namespace

std::uint64_t siphash(std::string_view text, const SipKey& key) noexcept {
  State s{0x736f6d6570736575 ^ key.low, 0x646f72616e646f6d ^ key.high, 0x6c7967656e657261 ^ key.low, 0x7465646279746573 ^ key.high};
  const std::uint64_t length = static_cast<std::uint64_t>(text.size()) << 56;
  for (; text.size() >= 8; text.remove_prefix(8)) s.take(word_at(text.data(), 8));
  s.take(length | word_at(text.data(), text.size()));
  s.v2 ^= 0xff;
  s.rounds(4);
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace gatelab
