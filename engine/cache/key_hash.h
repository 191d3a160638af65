// SPDX-License-Identifier: Apache-2.0
// The hash of the store's keys: eight octets a step, for keys are long and every hit pays for it. Seeded with a secret, so that
// nobody can choose keys that meet in one place; the same only within one process. Pure, any thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/random.h"

namespace gatelab::cache {

// Both halves of the product count: each octet reaches every bit.
constexpr std::uint64_t fold_multiply(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t key_hash(std::string_view text, std::uint64_t seed) noexcept {
  const std::uint64_t secret = mix64(seed) | 1;
  std::uint64_t h = seed ^ text.size(), word = 0;
  while (text.size() >= 8) {
    std::memcpy(&word, text.data(), 8);
    h = fold_multiply(h ^ word ^ secret, 0x9e3779b97f4a7c15ULL ^ (secret << 1));
    text.remove_prefix(8);
  }
  word = 0;
  if (!text.empty()) std::memcpy(&word, text.data(), text.size());
  return mix64(fold_multiply(h ^ word, secret));
}

}  // namespace gatelab::cache
