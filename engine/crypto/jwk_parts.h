// SPDX-License-Identifier: Apache-2.0
// What is behind Jwk and SigningKey. Private to the room.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/hash.h"
#include "crypto/jwk.h"
#include "crypto/jws_sign.h"
#include "crypto/openssl.h"
#include "crypto/strict_json.h"

namespace gatelab::crypto {

inline constexpr std::size_t kMaxField = 66;  // octets of P-521

struct Curve {
  std::string_view name;    // of JOSE: "P-256"
  const char* group;        // of OpenSSL
  std::size_t octets;       // of a coordinate
  Algorithm algorithm;
  std::string_view order;   // big endian, `octets` of them
};
const Curve* find_curve(std::string_view name) noexcept;
const Curve* find_group(std::string_view group) noexcept;

// The public part of a key, as octets.
struct Material {
  KeyType type = KeyType::Oct;
  const Curve* curve = nullptr;  // of Ec
  std::string first;             // n, x; the secret
  std::string second;            // e, y
};

struct Jwk::Parts {
  Material material;  // without a secret
  KeyPtr key;         // null for a secret
  std::array<std::unique_ptr<const Hmac>, 3> hmac;  // of 32, 48 and 64 octets; those that are allowed

  // A context that is ready to verify with this algorithm. Making one costs a tenth of a verification and two threads can't
  // use one, so those that are not in use wait here.
  KeyContextPtr borrow(Algorithm algorithm) const noexcept;
  void give_back(Algorithm algorithm, KeyContextPtr context) const noexcept;

 private:
  mutable std::mutex mutex_;
  mutable std::array<std::vector<KeyContextPtr>, kAlgorithms> idle_;
};

struct SigningKey::Parts {
  KeyPtr key;          // null for a secret
  std::string secret;
  ~Parts();
};

// What an entry says about itself.
struct KeyAdvice {
  std::optional<std::string> kid;
  AlgorithmSet algorithms;         // empty: no opinion
  bool for_verifying = true;       // `use` and `key_ops` allow it, and `alg` is one of those that are known
};

// All algorithms that fit, were the key strong enough.
AlgorithmSet fitting(KeyType type, const Curve* curve) noexcept;
Result<KeyAdvice, JoseFault> advice_of(const JsonValue& object);
Result<Material, JoseFault> material_of(const JsonValue& object);
// A key's public part; null if OpenSSL refuses it (a point that is not on its curve).
KeyPtr public_key_of(const Material& material);
// Nothing: of a kind or curve that is not known.
std::optional<Material> material_of(EVP_PKEY* key);
Result<JwkPtr, JoseFault> make_jwk(Material material, KeyAdvice advice);
// The first private key of a PEM text.
Result<KeyPtr> private_key_of(std::string_view pem);

}  // namespace gatelab::crypto
