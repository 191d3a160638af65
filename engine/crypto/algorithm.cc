// SPDX-License-Identifier: Apache-2.0
#include "crypto/algorithm.h"

#include <array>
#include <utility>

namespace gatelab::crypto {
namespace {

constexpr std::array<std::string_view, kAlgorithms> kNames = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256",
                                                              "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"};

constexpr std::pair<std::string_view, Algorithm> kSignatureNames[] = {
    {"hmac-sha256", Algorithm::HS256}, {"ed25519", Algorithm::EdDSA}, {"ecdsa-p256-sha256", Algorithm::ES256}, {"rsa-pss-sha512", Algorithm::PS512}};

}  // namespace

std::string_view name(Algorithm algorithm) noexcept { return kNames[static_cast<std::size_t>(algorithm)]; }

std::optional<Algorithm> parse_algorithm(std::string_view text) noexcept {
  if (text == "Ed25519") return Algorithm::EdDSA;
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == text) return static_cast<Algorithm>(i);
  return std::nullopt;
}

std::string_view signature_name(Algorithm algorithm) noexcept {
  for (const auto& [word, one] : kSignatureNames)
    if (one == algorithm) return word;
  return {};
}

std::optional<Algorithm> parse_signature_name(std::string_view text) noexcept {
  for (const auto& [word, one] : kSignatureNames)
    if (word == text) return one;
  return std::nullopt;
}

std::size_t hash_size(Algorithm algorithm) noexcept {
  switch (algorithm) {
    case Algorithm::RS256: case Algorithm::PS256: case Algorithm::ES256: case Algorithm::HS256: return 32;
    case Algorithm::RS384: case Algorithm::PS384: case Algorithm::ES384: case Algorithm::HS384: return 48;
    case Algorithm::RS512: case Algorithm::PS512: case Algorithm::ES512: case Algorithm::HS512: case Algorithm::EdDSA: return 64;
  }
  return 0;
}

}  // namespace gatelab::crypto
