// SPDX-License-Identifier: Apache-2.0
#include "crypto/jws_sign.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <utility>
#include <vector>

#include "base/base64.h"
#include "base/text.h"
#include "crypto/jwk_parts.h"
#include "crypto/jws.h"

namespace gatelab::crypto {
namespace {

using NumberPtr = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using BuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
using EcSignaturePtr = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;

const unsigned char* octets_of(std::string_view text) noexcept { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* octets_of(std::string& text) noexcept { return reinterpret_cast<unsigned char*>(text.data()); }

Failure<Error> bad_key(const char* what) {
  ERR_clear_error();
  return fail("bad-key", what);
}

const EVP_MD* digest_of(Algorithm algorithm) noexcept {
  const std::size_t size = hash_size(algorithm);
  return size == 32 ? EVP_sha256() : size == 48 ? EVP_sha384() : EVP_sha512();
}

std::string member_of(const JsonValue& object, std::string_view name) {
  const auto value = object.member(name);
  const auto text = value ? value->as_text() : std::nullopt;
  return text ? base64url_decode(*text).value_or("") : std::string();
}

// A key pair from numbers, by OpenSSL's names for them.
KeyPtr pair_of(const char* type, const std::vector<std::pair<const char*, std::string>>& numbers, const Material* ec) {
  const BuilderPtr builder(OSSL_PARAM_BLD_new());
  std::vector<NumberPtr> kept;
  bool fine = builder != nullptr;
  for (const auto& [name, octets] : numbers) {
    if (octets.empty()) continue;
    kept.emplace_back(BN_bin2bn(octets_of(octets), static_cast<int>(octets.size()), nullptr));
    fine = fine && kept.back() && OSSL_PARAM_BLD_push_BN(builder.get(), name, kept.back().get()) == 1;
  }
  std::string point;
  if (ec != nullptr) {
    point = "\x04" + ec->first + ec->second;
    fine = fine && OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, ec->curve->group, 0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) == 1;
  }
  const ParamsPtr params(fine ? OSSL_PARAM_BLD_to_param(builder.get()) : nullptr);
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 || EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, params.get()) != 1) made = nullptr;
  return KeyPtr(made);
}

// RFC 7518 §6.3.2: who gives one of the primes' numbers gives all of them. OpenSSL 3.0 takes fewer, and leaks some.
bool has_whole_factors(const JsonValue& object) {
  std::size_t given = 0;
  for (const char* name : {"p", "q", "dp", "dq", "qi"}) given += member_of(object, name).empty() ? 0U : 1U;
  return given == 0 || given == 5;
}

KeyPtr pair_of(const JsonValue& object, const Material& material) {
  if (material.type == KeyType::Rsa && !has_whole_factors(object)) return nullptr;
  if (material.type == KeyType::Okp) {
    const std::string d = member_of(object, "d");
    return KeyPtr(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets_of(d), d.size()));
  }
  if (material.type == KeyType::Ec) return pair_of("EC", {{OSSL_PKEY_PARAM_PRIV_KEY, member_of(object, "d")}}, &material);
  return pair_of("RSA",
                 {{OSSL_PKEY_PARAM_RSA_N, material.first},
                  {OSSL_PKEY_PARAM_RSA_E, material.second},
                  {OSSL_PKEY_PARAM_RSA_D, member_of(object, "d")},
                  {OSSL_PKEY_PARAM_RSA_FACTOR1, member_of(object, "p")},
                  {OSSL_PKEY_PARAM_RSA_FACTOR2, member_of(object, "q")},
                  {OSSL_PKEY_PARAM_RSA_EXPONENT1, member_of(object, "dp")},
                  {OSSL_PKEY_PARAM_RSA_EXPONENT2, member_of(object, "dq")},
                  {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, member_of(object, "qi")}},
                 nullptr);
}

// JOSE writes r and s one behind the other, each as long as the curve's field (RFC 7518 §3.4).
std::string raw_of(const std::string& der, std::size_t octets) {
  const unsigned char* at = octets_of(std::string_view(der));
  const EcSignaturePtr parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::string out(2 * octets, '\0');
  if (parsed) {
    BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), octets_of(out), static_cast<int>(octets));
    BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), octets_of(out) + octets, static_cast<int>(octets));
  }
  return out;
}

// OpenSSL takes numbers that are no pair; what they sign would be refused by everyone, and without a word why.
bool is_pair(const SigningKey& key) {
  if (!key.verifier()) return true;  // too weak to be asked
  CompactJws probe;
  for (std::size_t i = 0; i < kAlgorithms; ++i)
    if (key.verifier()->algorithms().contains(static_cast<Algorithm>(i))) probe.algorithm = static_cast<Algorithm>(i);
  auto signature = sign(probe.signed_part(), key, probe.algorithm);
  if (!signature) return false;
  probe.signature = std::move(*signature);
  return static_cast<bool>(verify(probe, *key.verifier()));
}

bool is_pss(Algorithm algorithm) noexcept { return algorithm == Algorithm::PS256 || algorithm == Algorithm::PS384 || algorithm == Algorithm::PS512; }

}  // namespace

// The only one who sets members.
struct SigningKeyMaker {
  static std::shared_ptr<const SigningKey> make(Material material, KeyPtr key, std::string secret, std::optional<std::string> kid, AlgorithmSet algorithms) {
    std::shared_ptr<SigningKey> out(new SigningKey());
    out->parts_ = std::make_unique<SigningKey::Parts>();
    out->parts_->key = std::move(key);
    out->parts_->secret = std::move(secret);
    out->kid_ = std::move(kid);
    out->type_ = material.type;
    out->algorithms_ = fitting(material.type, material.curve);
    if (!algorithms.empty()) out->algorithms_ = out->algorithms_ & algorithms;
    auto verifier = make_jwk(std::move(material), {.kid = out->kid_, .algorithms = algorithms});
    if (verifier) out->verifier_ = std::move(*verifier);
    return out;
  }
};

SigningKey::SigningKey() noexcept = default;
SigningKey::~SigningKey() = default;
SigningKey::Parts::~Parts() { OPENSSL_cleanse(secret.data(), secret.size()); }

Result<SigningKeyPtr> SigningKey::from_jwk(std::string_view json) {
  const auto document = JsonDocument::parse(json, {});
  if (!document) return bad_key("is no JSON object");
  const JsonValue root = document->root();
  const auto advice = advice_of(root);
  auto material = material_of(root);
  if (!advice || !material) return bad_key("is no JWK that can sign");
  if (material->type == KeyType::Oct) {
    std::string secret = material->first;
    return SigningKeyMaker::make(std::move(*material), nullptr, std::move(secret), advice->kid, advice->algorithms);
  }
  KeyPtr key = pair_of(root, *material);
  const char* unfit = "has no private part that fits its public part";
  if (!key) return bad_key(unfit);
  auto out = SigningKeyMaker::make(std::move(*material), std::move(key), {}, advice->kid, advice->algorithms);
  if (!is_pair(*out)) return bad_key(unfit);
  return out;
}

Result<SigningKeyPtr> SigningKey::from_pem(std::string_view pem, std::optional<std::string> kid) {
  auto key = private_key_of(pem);
  if (!key) return Failure<Error>{key.error()};
  auto material = material_of(key->get());
  if (!material) return bad_key("is neither RSA, nor on P-256, P-384 or P-521, nor Ed25519");
  return SigningKeyMaker::make(std::move(*material), std::move(*key), {}, std::move(kid), {});
}

SigningKeyPtr SigningKey::from_secret(std::string_view octets, std::optional<std::string> kid) {
  return SigningKeyMaker::make({KeyType::Oct, nullptr, std::string(octets), {}}, nullptr, std::string(octets), std::move(kid), {});
}

std::string jws_header(Algorithm algorithm, std::string_view typ, const std::optional<std::string>& kid) {
  std::string out = "{\"alg\":\"" + std::string(name(algorithm)) + "\"";
  const auto member = [&out](const char* key, std::string_view value) {
    out.append(",\"").append(key).append("\":\"");
    append_json_escaped(out, value);
    out += '"';
  };
  if (!typ.empty()) member("typ", typ);
  if (kid) member("kid", *kid);
  return out + "}";
}

Result<std::string> sign(std::string_view octets, const SigningKey& key, Algorithm algorithm) {
  if (!key.algorithms().contains(algorithm)) return fail("bad-algorithm", "the key can't sign with " + std::string(name(algorithm)));
  if (key.type() == KeyType::Oct) {
    const Hash hash = Hmac(hash_size(algorithm), key.parts().secret).of(octets);
    return std::string(hash.view());
  }
  const DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  const EVP_MD* digest = key.type() == KeyType::Okp ? nullptr : digest_of(algorithm);
  bool fine = context && EVP_DigestSignInit(context.get(), &parameters, digest, nullptr, key.parts().key.get()) == 1;
  if (fine && is_pss(algorithm))
    fine = EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 && EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
  std::size_t size = 0;
  fine = fine && EVP_DigestSign(context.get(), nullptr, &size, octets_of(octets), octets.size()) == 1;
  std::string out(size, '\0');
  fine = fine && EVP_DigestSign(context.get(), octets_of(out), &size, octets_of(octets), octets.size()) == 1;
  ERR_clear_error();
  if (!fine) return fail("too-short", "the key is too short for " + std::string(name(algorithm)));
  out.resize(size);
  return key.type() == KeyType::Ec ? raw_of(out, static_cast<std::size_t>(EVP_PKEY_get_bits(key.parts().key.get()) + 7) / 8) : out;
}

Result<std::string> sign_compact(std::string_view header, std::string_view payload, const SigningKey& key, Algorithm algorithm) {
  const std::string part = base64url_encode(header) + "." + base64url_encode(payload);
  auto signature = sign(part, key, algorithm);
  if (!signature) return signature;
  return part + "." + base64url_encode(*signature);
}

std::string compact(std::string_view header, std::string_view payload, std::string_view signature) {
  return base64url_encode(header) + "." + base64url_encode(payload) + "." + base64url_encode(signature);
}

}  // namespace gatelab::crypto
