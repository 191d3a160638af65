// SPDX-License-Identifier: Apache-2.0
// Seeded dice. Every draw is a pure function of (seed, name, ordinal, draw), so that one more draw in one place never
// shifts the draws of another (docs/time.md). Immutable, any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace gatelab {

// SplitMix64's finaliser: a bijection that spreads every input bit.
constexpr std::uint64_t mix64(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// A stable hash for tables and dice; not for untrusted keys without a secret seed.
constexpr std::uint64_t hash64(std::string_view text, std::uint64_t seed = 0) noexcept {
  std::uint64_t h = seed ^ (text.size() * 0x9e3779b97f4a7c15ULL);
  for (char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return mix64(h);
}

// A stream of dice that belongs to one owner.
class Dice {
 public:
  constexpr explicit Dice(std::uint64_t seed = 0) noexcept : state_(seed) {}
  constexpr std::uint64_t next() noexcept { return mix64(state_ += 0x9e3779b97f4a7c15ULL); }
  // Uniform in [0, n); 0 if n is 0.
  constexpr std::uint64_t below(std::uint64_t n) noexcept {
    return n == 0 ? 0 : static_cast<std::uint64_t>((static_cast<Wide>(next()) * n) >> 64);
  }
  // Uniform in [0, 1).
  constexpr double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  __extension__ using Wide = unsigned __int128;
  std::uint64_t state_;
};

class Random {
 public:
  constexpr explicit Random(std::uint64_t seed) noexcept : seed_(seed) {}
  constexpr std::uint64_t seed() const noexcept { return seed_; }
  constexpr Dice fork(std::string_view name, std::uint64_t ordinal = 0) const noexcept {
    // A small seed must not meet the name's octets as it is: (1, "a") and (2, "b") would be the same dice.
    return Dice(mix64(hash64(name, mix64(seed_)) ^ mix64(ordinal)));
  }

 private:
  std::uint64_t seed_;
};

}  // namespace gatelab
