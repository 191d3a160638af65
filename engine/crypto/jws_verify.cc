// SPDX-License-Identifier: Apache-2.0
// Is this signature by this key? Fresh tokens cost what OpenSSL costs and little more: the hash is made without EVP, and a
// context that is set up for key and algorithm is used again.
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <cstring>

#include "crypto/jwk_parts.h"
#include "crypto/jws.h"

namespace gatelab::crypto {
namespace {

constexpr std::size_t kMaxIdle = 16;  // contexts kept per key and algorithm

Failure<JoseFault> wrong(std::string_view detail) { return {{JoseReason::Signature, detail}}; }
constexpr std::string_view kWrong = "the signature is not this key's over this token";
constexpr std::string_view kLength = "the signature has not the length that key and algorithm give";

const unsigned char* octets_of(std::string_view text) noexcept { return reinterpret_cast<const unsigned char*>(text.data()); }

const EVP_MD* digest_of(Algorithm algorithm) noexcept {
  const std::size_t size = hash_size(algorithm);
  return size == 32 ? EVP_sha256() : size == 48 ? EVP_sha384() : EVP_sha512();
}

bool is_pss(Algorithm algorithm) noexcept { return algorithm == Algorithm::PS256 || algorithm == Algorithm::PS384 || algorithm == Algorithm::PS512; }

KeyContextPtr make_context(EVP_PKEY* key, KeyType type, Algorithm algorithm) noexcept {
  KeyContextPtr out(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (!out || EVP_PKEY_verify_init(out.get()) != 1) return nullptr;
  const EVP_MD* digest = digest_of(algorithm);
  if (type == KeyType::Rsa && EVP_PKEY_CTX_set_rsa_padding(out.get(), is_pss(algorithm) ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) != 1) return nullptr;
  if (EVP_PKEY_CTX_set_signature_md(out.get(), digest) != 1) return nullptr;
  // RFC 7518 §3.5: MGF1 with the same hash, a salt as long as the hash.
  if (is_pss(algorithm) && (EVP_PKEY_CTX_set_rsa_mgf1_md(out.get(), digest) != 1 || EVP_PKEY_CTX_set_rsa_pss_saltlen(out.get(), RSA_PSS_SALTLEN_DIGEST) != 1)) return nullptr;
  return out;
}

// Octets, and what is said to be somebody's signature over them.
struct Signed {
  std::string_view octets, signature;
  Algorithm algorithm;
};

Verdict verify_hash(const Signed& given, const Jwk& key, std::string_view signature) noexcept {
  const Jwk::Parts& parts = key.parts();
  KeyContextPtr context = parts.borrow(given.algorithm);
  if (!context && !(context = make_context(parts.key.get(), key.type(), given.algorithm))) {
    ERR_clear_error();
    return wrong("the key can't be used");
  }
  const Hash hash = hash_of(hash_size(given.algorithm), given.octets);
  const bool valid = EVP_PKEY_verify(context.get(), octets_of(signature), signature.size(), hash.octets.data(), hash.size) == 1;
  parts.give_back(given.algorithm, std::move(context));  // also after a wrong one: forgeries must not cost more than tokens
  if (valid) return Unit{};
  ERR_clear_error();  // else the next one on this thread who asks OpenSSL for errors, TLS, would get ours
  return wrong(kWrong);
}

// SEQUENCE { INTEGER r, INTEGER s } of two numbers of `octets` each.
struct DerSignature {
  unsigned char octets[3 + 2 * (3 + kMaxField)];
  std::size_t size = 0;
  void put(std::size_t octet) noexcept { octets[size++] = static_cast<unsigned char>(octet); }
};

DerSignature der_of(std::string_view r, std::string_view s) noexcept {
  struct Integer {
    std::string_view digits;
    bool zero_first;  // else it would be negative
    explicit Integer(std::string_view text) noexcept : digits(text) {
      while (digits.size() > 1 && digits.front() == 0) digits.remove_prefix(1);
      zero_first = (static_cast<unsigned char>(digits.front()) & 0x80) != 0;
    }
    std::size_t size() const noexcept { return digits.size() + (zero_first ? 1 : 0); }
  };
  DerSignature out;
  const Integer both[] = {Integer(r), Integer(s)};
  const std::size_t content = 4 + both[0].size() + both[1].size();
  out.put(0x30);
  if (content >= 0x80) out.put(0x81);
  out.put(content);
  for (const Integer& one : both) {
    out.put(0x02);
    out.put(one.size());
    if (one.zero_first) out.put(0);
    std::memcpy(out.octets + out.size, one.digits.data(), one.digits.size());
    out.size += one.digits.size();
  }
  return out;
}

bool in_range(std::string_view number, const Curve& curve) noexcept {
  return number.find_first_not_of('\0') != std::string_view::npos && std::memcmp(number.data(), curve.order.data(), curve.octets) < 0;
}

Verdict verify_ec(const Signed& given, const Jwk& key) noexcept {
  const Curve& curve = *key.parts().material.curve;
  const std::string_view both = given.signature;
  if (both.size() != 2 * curve.octets) return wrong(kLength);
  const std::string_view r = both.substr(0, curve.octets), s = both.substr(curve.octets);
  if (!in_range(r, curve) || !in_range(s, curve)) return wrong("r or s is zero or not below the curve's order");
  const DerSignature der = der_of(r, s);
  return verify_hash(given, key, {reinterpret_cast<const char*>(der.octets), der.size});
}

Verdict verify_eddsa(const Signed& given, const Jwk& key) noexcept {
  if (given.signature.size() != 64) return wrong(kLength);
  // Ed25519 hashes by itself, and its context can't be used twice.
  const std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  const bool valid = context && EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.parts().key.get(), nullptr) == 1 &&
                     EVP_DigestVerify(context.get(), octets_of(given.signature), given.signature.size(), octets_of(given.octets), given.octets.size()) == 1;
  if (!valid) {
    ERR_clear_error();
    return wrong(kWrong);
  }
  return Unit{};
}

Verdict verify_hmac(const Signed& given, const Jwk& key) noexcept {
  const auto& hmac = key.parts().hmac[static_cast<std::size_t>(given.algorithm) - static_cast<std::size_t>(Algorithm::HS256)];
  if (given.signature.size() != hash_size(given.algorithm)) return wrong(kLength);
  const Hash own = hmac->of(given.octets);
  if (CRYPTO_memcmp(own.octets.data(), given.signature.data(), own.size) != 0) return wrong(kWrong);
  return Unit{};
}

}  // namespace

KeyContextPtr Jwk::Parts::borrow(Algorithm algorithm) const noexcept {
  const std::lock_guard lock(mutex_);
  auto& idle = idle_[static_cast<std::size_t>(algorithm)];
  if (idle.empty()) return nullptr;
  KeyContextPtr out = std::move(idle.back());
  idle.pop_back();
  return out;
}

void Jwk::Parts::give_back(Algorithm algorithm, KeyContextPtr context) const noexcept {
  const std::lock_guard lock(mutex_);
  auto& idle = idle_[static_cast<std::size_t>(algorithm)];
  if (idle.size() < kMaxIdle) idle.push_back(std::move(context));
}

Verdict verify(std::string_view octets, std::string_view signature, Algorithm algorithm, const Jwk& key) noexcept {
  if (!key.algorithms().contains(algorithm)) return Failure<JoseFault>{{JoseReason::Algorithm, "the key does not allow the token's alg"}};
  const Signed given{octets, signature, algorithm};
  switch (key.type()) {
    case KeyType::Rsa:
      if (signature.size() != (key.bits() + 7) / 8) return wrong(kLength);
      return verify_hash(given, key, signature);
    case KeyType::Ec: return verify_ec(given, key);
    case KeyType::Okp: return verify_eddsa(given, key);
    case KeyType::Oct: return verify_hmac(given, key);
  }
  return wrong(kWrong);
}

Verdict verify(const CompactJws& jws, const Jwk& key) noexcept { return verify(jws.signed_part(), jws.signature, jws.algorithm, key); }

}  // namespace gatelab::crypto
