// SPDX-License-Identifier: Apache-2.0
// The signature algorithms of JOSE that are known here (RFC 7518 §3, RFC 8037 §3.1). Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace gatelab::crypto {

enum class Algorithm : std::uint8_t { RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, HS256, HS384, HS512 };
inline constexpr std::size_t kAlgorithms = 13;

std::string_view name(Algorithm algorithm) noexcept;  // "RS256"
// The exact spelling only. "Ed25519" (RFC 9864) is the same as "EdDSA" here: no other curve of that kind is known.
std::optional<Algorithm> parse_algorithm(std::string_view text) noexcept;
// The names that HTTP message signatures have for some of them (RFC 9421 §6.2): "ed25519". Empty, nothing: it has none there.
std::string_view signature_name(Algorithm algorithm) noexcept;
std::optional<Algorithm> parse_signature_name(std::string_view text) noexcept;
// Octets of its hash: 32, 48 or 64.
std::size_t hash_size(Algorithm algorithm) noexcept;

class AlgorithmSet {
 public:
  constexpr AlgorithmSet() = default;
  constexpr AlgorithmSet(std::initializer_list<Algorithm> all) noexcept {
    for (const Algorithm one : all) add(one);
  }
  constexpr void add(Algorithm one) noexcept { bits_ |= bit(one); }
  constexpr bool contains(Algorithm one) const noexcept { return (bits_ & bit(one)) != 0; }
  constexpr bool empty() const noexcept { return bits_ == 0; }
  constexpr AlgorithmSet operator&(AlgorithmSet other) const noexcept { return AlgorithmSet(static_cast<std::uint16_t>(bits_ & other.bits_)); }
  constexpr bool operator==(const AlgorithmSet&) const noexcept = default;

 private:
  constexpr explicit AlgorithmSet(std::uint16_t bits) noexcept : bits_(bits) {}
  static constexpr std::uint16_t bit(Algorithm one) noexcept { return static_cast<std::uint16_t>(1U << static_cast<unsigned>(one)); }
  std::uint16_t bits_ = 0;
};

}  // namespace gatelab::crypto
