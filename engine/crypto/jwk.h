// SPDX-License-Identifier: Apache-2.0
// Keys that verify signatures, from JWK (RFC 7517, 7518, 8037), PEM or a shared secret. The key says which algorithms it is
// for, never the token. Immutable and shared; any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/algorithm.h"
#include "crypto/digest.h"
#include "crypto/jose_reason.h"

namespace gatelab::crypto {

enum class KeyType : std::uint8_t { Rsa, Ec, Okp, Oct };
std::string_view name(KeyType type) noexcept;  // the kty: "RSA"

class Jwk {
 public:
  ~Jwk();
  Jwk(const Jwk&) = delete;
  Jwk& operator=(const Jwk&) = delete;

  const std::optional<std::string>& kid() const noexcept { return kid_; }
  KeyType type() const noexcept { return type_; }
  AlgorithmSet algorithms() const noexcept { return algorithms_; }
  std::size_t bits() const noexcept { return bits_; }  // of the modulus, the field or the secret
  // Equal for the same key with the same kid and algorithms, so that a set that was read again can be compared with the one
  // before. In memory only: for a secret it is a digest of the secret.
  const Sha256& identity() const noexcept { return identity_; }

  struct Parts;
  const Parts& parts() const noexcept { return *parts_; }

 private:
  friend struct JwkMaker;
  Jwk() noexcept;
  std::unique_ptr<Parts> parts_;
  std::optional<std::string> kid_;
  KeyType type_ = KeyType::Oct;
  AlgorithmSet algorithms_;
  std::size_t bits_ = 0;
  Sha256 identity_{};
};
using JwkPtr = std::shared_ptr<const Jwk>;

struct JwkLimits {
  std::size_t size = 256 * 1024;  // octets of the text
  std::size_t keys = 100;         // entries, those that are left out too
};

// One JWK. Private members are not looked at and not kept.
Result<JwkPtr, JoseFault> parse_jwk(std::string_view json, const JwkLimits& limits = {});

// What is to be said of an entry of a set.
struct JwkNote {
  std::size_t index = 0;  // in `keys`
  std::string kid;        // empty if there is none
  JoseFault fault;
  bool left_out = true;   // false: it is used all the same (key-private)
};

struct JwkSet {
  std::vector<JwkPtr> keys;  // in the order of the text
  std::vector<JwkNote> notes;

  // With a kid: the key of that kid that allows the algorithm, else the only key without a kid that does (keys from PEM and
  // secrets need none). Without: the only key that allows it, since trying several would let a stranger choose how much work
  // there is. Null: unknown-key.
  JwkPtr select(const std::optional<std::string>& kid, Algorithm algorithm) const noexcept;
};

// A set whose entries can't be used is not an error: each is in the notes. An error is a text that is no JWK set at all.
Result<JwkSet, JoseFault> parse_jwks(std::string_view json, const JwkLimits& limits = {});

// A public key, a certificate (its validity is not looked at) or a private key in PEM. `algorithms`: those that it is for, of
// those that fit the key; empty: all that fit.
Result<JwkPtr, JoseFault> jwk_from_pem(std::string_view pem, std::optional<std::string> kid = {}, AlgorithmSet algorithms = {});
// A shared secret for HMAC. Allowed are the algorithms whose hash is no longer than it, of `algorithms` if that is not empty.
// PEM is refused (key-type): a public key that is taken for a secret lets everybody sign.
Result<JwkPtr, JoseFault> jwk_from_secret(std::string_view octets, std::optional<std::string> kid = {}, AlgorithmSet algorithms = {});

// The public key as a JWK with `use: sig`, and `alg` if there is one algorithm only. Empty for a secret.
std::string to_json(const Jwk& key);
// {"keys":[…]} of all that are not secret.
std::string to_json(const std::vector<JwkPtr>& keys);
// SubjectPublicKeyInfo in PEM; empty for a secret.
std::string public_pem(const Jwk& key);

}  // namespace gatelab::crypto
