// SPDX-License-Identifier: Apache-2.0
// Between octets and OpenSSL's keys.
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include <algorithm>

#include "crypto/jwk_parts.h"

namespace gatelab::crypto {
namespace {

using namespace std::string_view_literals;
using NumberPtr = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using DecoderPtr = std::unique_ptr<OSSL_DECODER_CTX, Freed<OSSL_DECODER_CTX_free>>;

// SEC 2's orders.
constexpr Curve kCurves[] = {
    {"P-256", "prime256v1", 32, Algorithm::ES256,
     "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51"sv},
    {"P-384", "secp384r1", 48, Algorithm::ES384,
     "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xc7\x63\x4d\x81\xf4\x37\x2d\xdf\x58\x1a\x0d\xb2\x48\xb0\xa7\x7a\xec\xec\x19\x6a\xcc\xc5\x29\x73"sv},
    {"P-521", "secp521r1", 66, Algorithm::ES512,
     "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfa\x51\x86\x87\x83\xbf\x2f\x96\x6b\x7f\xcc\x01\x48\xf7\x09\xa5\xd0\x3b\xb5\xc9\xb8\x89\x9c\x47\xae\xbb\x6f\xb7\x1e\x91\x38\x64\x09"sv},
};

static_assert(std::all_of(std::begin(kCurves), std::end(kCurves), [](const Curve& one) { return one.order.size() == one.octets && one.octets <= kMaxField; }));

const unsigned char* octets_of(std::string_view text) noexcept { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string number_of(EVP_PKEY* key, const char* name, std::size_t octets) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return {};
  const NumberPtr number(raw);
  std::string out(std::max(octets, static_cast<std::size_t>(BN_num_bytes(number.get()))), '\0');
  BN_bn2binpad(number.get(), reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
  return out;
}

int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

}  // namespace

const Curve* find_curve(std::string_view name) noexcept {
  for (const Curve& one : kCurves)
    if (one.name == name) return &one;
  return nullptr;
}

const Curve* find_group(std::string_view group) noexcept {
  for (const Curve& one : kCurves)
    if (one.group == group) return &one;
  return nullptr;
}

KeyPtr public_key_of(const Material& material) {
  if (material.type == KeyType::Okp) {
    KeyPtr out(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets_of(material.first), material.first.size()));
    ERR_clear_error();
    return out;
  }
  const bool rsa = material.type == KeyType::Rsa;
  // OpenSSL takes numbers in the machine's order.
  std::string n(material.first.rbegin(), material.first.rend()), e(material.second.rbegin(), material.second.rend());
  std::string point = "\x04" + material.first + material.second, group = rsa ? std::string() : material.curve->group;
  OSSL_PARAM rsa_parts[] = {OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, reinterpret_cast<unsigned char*>(n.data()), n.size()),
                            OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, reinterpret_cast<unsigned char*>(e.data()), e.size()), OSSL_PARAM_construct_end()};
  OSSL_PARAM ec_parts[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
                           OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()), OSSL_PARAM_construct_end()};
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, rsa ? "RSA" : "EC", nullptr));
  EVP_PKEY* made = nullptr;
  const bool done = context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
                    EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, rsa ? rsa_parts : ec_parts) == 1;
  KeyPtr out(made);
  if (done && !rsa) {
    const KeyContextPtr check(EVP_PKEY_CTX_new_from_pkey(nullptr, out.get(), nullptr));
    if (!check || EVP_PKEY_public_check(check.get()) != 1) out.reset();
  }
  ERR_clear_error();
  return done ? std::move(out) : nullptr;
}

std::optional<Material> material_of(EVP_PKEY* key) {
  Material out;
  if (EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1) {
    out.type = KeyType::Rsa;
    out.first = number_of(key, OSSL_PKEY_PARAM_RSA_N, 0);
    out.second = number_of(key, OSSL_PKEY_PARAM_RSA_E, 0);
  } else if (EVP_PKEY_is_a(key, "EC") == 1) {
    char group[64] = {};
    std::size_t size = 0;
    out.type = KeyType::Ec;
    if (EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1) out.curve = find_group({group, size});
    if (out.curve == nullptr) return ERR_clear_error(), std::nullopt;
    out.first = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, out.curve->octets);
    out.second = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, out.curve->octets);
  } else if (EVP_PKEY_is_a(key, "ED25519") == 1) {
    out.type = KeyType::Okp;
    out.first.resize(32);
    std::size_t size = out.first.size();
    if (EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(out.first.data()), &size) != 1) out.first.clear();
  }
  ERR_clear_error();
  if (out.first.empty()) return std::nullopt;
  return out;
}

Result<KeyPtr> private_key_of(std::string_view pem) {
  const BioPtr in = bio_of(pem);
  bool asked = false;
  KeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, &asked));
  ERR_clear_error();
  if (asked) return fail("encrypted-key", "is encrypted with a passphrase, which is not supported: decrypt it first (openssl pkey)");
  if (!key) return fail("bad-key", "holds no private key in PEM form");
  return key;
}

Result<JwkPtr, JoseFault> jwk_from_pem(std::string_view pem, std::optional<std::string> kid, AlgorithmSet algorithms) {
  const auto malformed = [](std::string_view detail) { return Failure<JoseFault>{{JoseReason::KeyMalformed, detail}}; };
  KeyPtr key;
  if (pem.find("-----BEGIN CERTIFICATE") != std::string_view::npos) {
    const BioPtr in = bio_of(pem);
    const X509Ptr certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    if (certificate) key.reset(X509_get_pubkey(certificate.get()));
  } else if (pem.find("PRIVATE KEY-----") != std::string_view::npos) {
    auto whole = private_key_of(pem);
    if (!whole && whole.error().id == "encrypted-key") return malformed("a private key that is encrypted: give the public key");
    if (whole) key = std::move(*whole);
  } else {
    EVP_PKEY* read = nullptr;
    const BioPtr in = bio_of(pem);
    const DecoderPtr decoder(OSSL_DECODER_CTX_new_for_pkey(&read, "PEM", nullptr, nullptr, EVP_PKEY_PUBLIC_KEY, nullptr, nullptr));
    if (decoder) OSSL_DECODER_from_bio(decoder.get(), in.get());
    key.reset(read);
  }
  ERR_clear_error();
  if (!key) return malformed("no public key, certificate or private key in PEM form");
  auto material = material_of(key.get());
  if (!material) return Failure<JoseFault>{{JoseReason::KeyType, "neither RSA, nor on P-256, P-384 or P-521, nor Ed25519"}};
  KeyAdvice advice{.kid = std::move(kid), .algorithms = algorithms};
  if (EVP_PKEY_is_a(key.get(), "RSA-PSS") == 1) {
    const AlgorithmSet pss{Algorithm::PS256, Algorithm::PS384, Algorithm::PS512};
    advice.algorithms = algorithms.empty() ? pss : algorithms & pss;
    if (advice.algorithms.empty()) return Failure<JoseFault>{{JoseReason::KeyUse, "a key for RSA-PSS only, and none of PS256, PS384, PS512 is asked for"}};
  }
  return make_jwk(std::move(*material), std::move(advice));
}

std::string public_pem(const Jwk& key) {
  if (!key.parts().key) return {};
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(out.get(), key.parts().key.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace gatelab::crypto
