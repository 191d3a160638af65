// SPDX-License-Identifier: Apache-2.0
#include "crypto/jws_generate.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto/openssl.h"

namespace gatelab::crypto {
namespace {

EVP_PKEY* generate(Algorithm algorithm) noexcept {
  switch (algorithm) {
    case Algorithm::ES256: return EVP_EC_gen("P-256");
    case Algorithm::ES384: return EVP_EC_gen("P-384");
    case Algorithm::ES512: return EVP_EC_gen("P-521");
    case Algorithm::EdDSA: return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    default: return EVP_RSA_gen(2048);
  }
}

std::size_t secret_octets(Algorithm algorithm) noexcept {
  return algorithm == Algorithm::HS256 ? 32 : algorithm == Algorithm::HS384 ? 48 : algorithm == Algorithm::HS512 ? 64 : 0;
}

}  // namespace

Result<std::string> generate_key_text(Algorithm algorithm) {
  if (const std::size_t octets = secret_octets(algorithm); octets > 0) {
    // The private part of an Ed25519 key is 32 random octets, no more and no less.
    std::string secret(64, '\0');
    for (std::size_t at = 0; at < secret.size(); at += 32) {
      const KeyPtr key(generate(Algorithm::EdDSA));
      std::size_t size = 32;
      if (!key || EVP_PKEY_get_raw_private_key(key.get(), reinterpret_cast<unsigned char*>(secret.data() + at), &size) != 1) return fail("bad-key", "OpenSSL makes no key");
    }
    secret.resize(octets);
    return secret;
  }
  const KeyPtr key(generate(algorithm));
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (!key || !out || PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) return fail("bad-key", "OpenSSL makes no key for " + std::string(name(algorithm)));
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Result<SigningKeyPtr> generate_signing_key(Algorithm algorithm, std::optional<std::string> kid) {
  auto text = generate_key_text(algorithm);
  if (!text) return Failure<Error>{text.error()};
  if (secret_octets(algorithm) > 0) return SigningKey::from_secret(*text, std::move(kid));
  return SigningKey::from_pem(*text, std::move(kid));
}

}  // namespace gatelab::crypto
