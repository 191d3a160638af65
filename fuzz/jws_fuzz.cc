// SPDX-License-Identifier: Apache-2.0
// Compact JWS. The first line of the input says what is done with the rest: `raw` tries it as a token with every key; HS256,
// ES256, ES512, EdDSA, RS256 or PS256 signs with that key the next line as header and the one behind it as payload, and what
// is left is XORed over the signature. Whatever comes: a token that is read has one spelling, its header and claims are what
// another JSON reader finds, and the verdict is plain OpenSSL's.
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/base64.h"
#include "crypto/claims.h"
#include "crypto/jws.h"
#include "crypto/jws_generate.h"

using namespace gatelab;
using namespace gatelab::crypto;

namespace {

constexpr std::string_view kSecret = "not so secret, but long enough to sign with HS256, HS384 and HS512";

struct Key {
  std::string name;
  Algorithm algorithm;
  SigningKeyPtr signer;
  std::shared_ptr<EVP_PKEY> plain;  // null for the secret
};

Key make(Algorithm algorithm) {
  if (algorithm == Algorithm::HS256) return {"HS256", algorithm, SigningKey::from_secret(kSecret), nullptr};
  const SigningKeyPtr signer = *generate_signing_key(algorithm, "k");
  const std::string pem = public_pem(*signer->verifier());
  BIO* in = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  EVP_PKEY* plain = PEM_read_bio_PUBKEY(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  if (plain == nullptr) std::abort();
  return {std::string(name(algorithm)), algorithm, signer, {plain, EVP_PKEY_free}};
}

const std::vector<Key>& keys() {
  static const std::vector<Key> all{make(Algorithm::HS256), make(Algorithm::ES256), make(Algorithm::ES512), make(Algorithm::EdDSA), make(Algorithm::RS256), make(Algorithm::PS256)};
  return all;
}

// RFC 4648 §5, bit by bit.
std::string spelt(std::string_view octets) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  for (std::size_t bit = 0; bit < octets.size() * 8; bit += 6) {
    unsigned value = 0;
    for (std::size_t i = bit; i < bit + 6; ++i) value = value << 1 | (i < octets.size() * 8 ? static_cast<unsigned char>(octets[i / 8]) >> (7 - i % 8) & 1U : 0U);
    out += digits[value];
  }
  return out;
}

const unsigned char* octets_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
const EVP_MD* digest_of(Algorithm algorithm) { return hash_size(algorithm) == 32 ? EVP_sha256() : hash_size(algorithm) == 48 ? EVP_sha384() : EVP_sha512(); }

// Without a context that is used twice, and ECDSA's numbers through OpenSSL's own writer of DER.
bool plainly_valid(const CompactJws& jws, const Key& key) {
  const std::string_view part = jws.signed_part();
  std::string signature = jws.signature;
  if (key.plain == nullptr) {
    unsigned char own[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(digest_of(jws.algorithm), kSecret.data(), static_cast<int>(kSecret.size()), octets_of(part), part.size(), own, &size);
    return signature == std::string_view(reinterpret_cast<char*>(own), size);
  }
  const bool ed = EVP_PKEY_is_a(key.plain.get(), "ED25519") == 1;
  if (EVP_PKEY_is_a(key.plain.get(), "EC") == 1) {
    const std::size_t half = (static_cast<std::size_t>(EVP_PKEY_get_bits(key.plain.get())) + 7) / 8;
    if (signature.size() != 2 * half) return false;
    ECDSA_SIG* both = ECDSA_SIG_new();
    ECDSA_SIG_set0(both, BN_bin2bn(octets_of(signature), static_cast<int>(half), nullptr), BN_bin2bn(octets_of(signature) + half, static_cast<int>(half), nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(both, &der);
    signature.assign(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    ECDSA_SIG_free(both);
  }
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* parameters = nullptr;
  bool valid = EVP_DigestVerifyInit(context, &parameters, ed ? nullptr : digest_of(jws.algorithm), nullptr, key.plain.get()) == 1;
  if (valid && name(jws.algorithm).starts_with("PS")) valid = EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 && EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
  valid = valid && EVP_DigestVerify(context, octets_of(signature), signature.size(), octets_of(part), part.size()) == 1;
  EVP_MD_CTX_free(context);
  ERR_clear_error();
  return valid;
}

void check(bool holds) {
  if (!holds) std::abort();
}

void compare(const JsonValue& ours, const nlohmann::json& theirs) {
  switch (theirs.type()) {
    case nlohmann::json::value_t::object:
      check(ours.is(JsonKind::Object) && ours.size() == theirs.size());  // a member that is there twice would be missing
      for (auto one = ours.first(); one; one = one->next()) {
        const auto found = theirs.find(std::string(one->name()));
        check(found != theirs.end());
        compare(*one, *found);
      }
      return;
    case nlohmann::json::value_t::array: {
      check(ours.is(JsonKind::List) && ours.size() == theirs.size());
      auto one = ours.first();
      for (const auto& their : theirs) {
        check(one.has_value());
        compare(*one, their);
        one = one->next();
      }
      return check(!one);
    }
    case nlohmann::json::value_t::string: return check(ours.as_text() == std::string_view(theirs.get_ref<const std::string&>()));
    case nlohmann::json::value_t::boolean: return check(ours.as_bool() == theirs.get<bool>());
    case nlohmann::json::value_t::null: return check(ours.is(JsonKind::Null));
    default: check(ours.as_number() == theirs.get<double>());
  }
}

void check_header(const CompactJws& jws) {
  const auto header = nlohmann::json::parse(*base64url_decode(jws.signed_part().substr(0, jws.signed_part().find('.'))), nullptr, false);
  check(header.is_object() && !header.contains("crit") && header["alg"].is_string() && header.value("b64", true));
  const std::string alg = header["alg"];
  check(alg == name(jws.algorithm) || (alg == "Ed25519" && jws.algorithm == Algorithm::EdDSA));
  const auto same = [&header](const char* member, const std::optional<std::string>& ours) { check(header.contains(member) == ours.has_value() && (!ours || header[member] == *ours)); };
  same("kid", jws.kid);
  same("typ", jws.typ);
  same("cty", jws.cty);
}

void check_claims(const CompactJws& jws) {
  const auto claims = Claims::parse(jws.payload);
  if (!claims) return;
  const auto theirs = nlohmann::json::parse(jws.payload, nullptr, false);
  compare(claims->all(), theirs);
  if (claims->expires()) check(claims->expires()->ns >= 0 && theirs.at("exp").is_number());
  for (const auto audience : claims->audiences()) check(claims->has_audience(audience));
  for (const auto scope : claims->scopes()) check(claims->has_scope(scope));
  for (const auto& [member, value] : theirs.items()) check(claims->find(member).has_value());
}

// True: valid for one of the keys.
bool run(std::string_view token) {
  const auto jws = parse_compact(token);
  if (!jws) return false;
  const std::string_view part = jws->signed_part();
  check(jws->token == token && token == std::string(part) + "." + spelt(jws->signature));
  check(part.substr(part.find('.') + 1) == spelt(jws->payload));
  check_header(*jws);
  check_claims(*jws);
  bool valid = false;
  for (const Key& key : keys()) {
    const Jwk& verifier = *key.signer->verifier();
    const bool ours = static_cast<bool>(verify(*jws, verifier));
    check(ours == (verifier.algorithms().contains(jws->algorithm) && plainly_valid(*jws, key)));
    valid = valid || ours;
  }
  return valid;
}

std::string_view line(std::string_view& rest) {
  const std::string_view out = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), out.size() + 1));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view how = line(rest);
  for (const Key& key : keys()) {
    if (how != key.name) continue;
    const std::string_view header = line(rest), payload = line(rest);
    std::string signature = *sign(spelt(header) + "." + spelt(payload), *key.signer, key.algorithm);
    const std::size_t length = signature.size();
    for (std::size_t i = 0; i < rest.size(); ++i) {
      if (i < length) signature[i] = static_cast<char>(signature[i] ^ rest[i]);
      else signature += rest[i];
    }
    const bool valid = run(compact(header, payload, signature));
    // The other way: a token that can be read and that nobody spoilt is valid.
    const bool whole = rest.size() <= length && rest.find_first_not_of('\0') == std::string_view::npos;
    const auto jws = parse_compact(compact(header, payload, signature));
    if (jws && jws->algorithm == key.algorithm) check(valid || !whole);
    return 0;
  }
  run(how == "raw" ? rest : std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
