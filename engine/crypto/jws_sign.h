// SPDX-License-Identifier: Apache-2.0
// Making tokens: for the identity provider in the box, `gatelab mint jwt`, scenarios and tests. Weak keys sign here all the
// same, since forging is a purpose. Pure but for OpenSSL's nonces (docs/decisions/0004); any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/algorithm.h"
#include "crypto/jwk.h"

namespace gatelab::crypto {

class SigningKey {
 public:
  // A JWK with its private members, or an octet key. Errors: bad-key.
  static Result<std::shared_ptr<const SigningKey>> from_jwk(std::string_view json);
  // A private key in PEM, not encrypted. Errors: bad-key, encrypted-key.
  static Result<std::shared_ptr<const SigningKey>> from_pem(std::string_view pem, std::optional<std::string> kid = {});
  // Of any length, an empty one too.
  static std::shared_ptr<const SigningKey> from_secret(std::string_view octets, std::optional<std::string> kid = {});
  ~SigningKey();
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;

  KeyType type() const noexcept { return type_; }
  const std::optional<std::string>& kid() const noexcept { return kid_; }
  // All that the key can sign with, by its type and curve.
  AlgorithmSet algorithms() const noexcept { return algorithms_; }
  // What verifies; null if the key is too weak to be trusted.
  const JwkPtr& verifier() const noexcept { return verifier_; }

  struct Parts;
  const Parts& parts() const noexcept { return *parts_; }

 private:
  friend struct SigningKeyMaker;
  SigningKey() noexcept;
  std::unique_ptr<Parts> parts_;
  std::optional<std::string> kid_;
  KeyType type_ = KeyType::Oct;
  AlgorithmSet algorithms_;
  JwkPtr verifier_;
};
using SigningKeyPtr = std::shared_ptr<const SigningKey>;

// {"alg":"ES256","typ":"JWT","kid":"k1"}; without what is empty.
std::string jws_header(Algorithm algorithm, std::string_view typ, const std::optional<std::string>& kid);
// The bare signature over any octets, in JOSE's form. Errors: bad-algorithm (the key does not fit), too-short (an RSA key whose
// modulus has no room for the hash).
Result<std::string> sign(std::string_view octets, const SigningKey& key, Algorithm algorithm);
// header.payload.signature; the header is taken as it is, also when it names another algorithm.
Result<std::string> sign_compact(std::string_view header, std::string_view payload, const SigningKey& key, Algorithm algorithm);
// The three parts put together, whatever they are.
std::string compact(std::string_view header, std::string_view payload, std::string_view signature);

}  // namespace gatelab::crypto
