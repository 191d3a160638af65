// SPDX-License-Identifier: Apache-2.0
// Keys: which are taken, for which algorithms, and why others are not (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
#include "crypto/jwk.h"

#include "crypto/forged.h"

namespace gatelab::test {
namespace {

using crypto::AlgorithmSet;
using crypto::parse_jwk;
using crypto::parse_jwks;

constexpr const char* kX = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
constexpr const char* kY = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

// A P-256 key with more members.
std::string ec(const std::string& more = "") { return R"({"kty":"EC","crv":"P-256","x":")"s + kX + R"(","y":")" + kY + '"' + (more.empty() ? "" : "," + more) + "}"; }
std::string rsa(const std::string& n, const std::string& e = "AQAB") { return R"({"kty":"RSA","n":")" + n + R"(","e":")" + e + R"("})"; }
// An odd number of so many bits.
std::string odd(std::size_t bits) {
  std::string out((bits + 7) / 8, '\xff');
  out.front() = static_cast<char>(0xff >> (out.size() * 8 - bits));
  return base64url_encode(out);
}
std::string secret(std::size_t octets, const std::string& more = "") { return R"({"kty":"oct","k":")" + base64url_encode(std::string(octets, 's')) + '"' + (more.empty() ? "" : "," + more) + "}"; }

TEST(Jwk, RefusedWithTheirReason) {
  struct Bad {
    JoseReason reason;
    std::string json;
  };
  constexpr auto kMalformed = JoseReason::KeyMalformed, kType = JoseReason::KeyType, kUse = JoseReason::KeyUse, kWeak = JoseReason::KeyTooWeak;
  const std::string n = odd(2048), y_of_other(43, 'A');
  const std::vector<Bad> all{
      {kMalformed, ""}, {kMalformed, "[]"}, {kMalformed, "null"}, {kMalformed, "{}"}, {kMalformed, ec() + "x"}, {kMalformed, "\xef\xbb\xbf" + ec()},
      {kMalformed, R"({"kty":1})"}, {kMalformed, R"({"kty":["EC"]})"}, {kMalformed, ec(R"("kid":7)")}, {kMalformed, ec(R"("kid":null)")}, {kMalformed, ec(R"("use":["sig"])")}, {kMalformed, ec(R"("alg":256)")},
      {kMalformed, ec(R"("key_ops":"verify")")}, {kMalformed, ec(R"("key_ops":["verify",1])")}, {kMalformed, ec(R"("key_ops":["verify","verify"])")}, {kMalformed, ec(R"("x":"AA")")}, {kMalformed, ec(R"("kid":"a","kid":"b")")},
      {kMalformed, ec(R"("other":{"a":1,"a":2})")}, {kMalformed, ec(R"("x5c":[[[[[[[[]]]]]]]])")},
      {kType, R"({"kty":"ec","crv":"P-256"})"}, {kType, R"({"kty":"AKP"})"}, {kType, R"({"kty":""})"}, {kType, R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})"}, {kType, R"({"kty":"EC","crv":"P-224"})"},
      {kType, R"({"kty":"EC","crv":"Ed25519"})"}, {kType, R"({"kty":"OKP","crv":"X25519","x":"AA"})"}, {kType, R"({"kty":"OKP","crv":"Ed448","x":"AA"})"}, {kType, R"({"kty":"OKP","crv":"P-256"})"},
      {kMalformed, R"({"kty":"EC","x":"AA","y":"AA"})"}, {kMalformed, R"({"kty":"OKP","x":"AA"})"}, {kMalformed, R"({"kty":"EC","crv":"P-256"})"},
      {kMalformed, R"({"kty":"EC","crv":"P-256","x":")"s + kX + R"("})"}, {kMalformed, R"({"kty":"EC","crv":"P-256","x":")"s + kX + R"(","y":")" + y_of_other + R"("})"},
      {kMalformed, R"({"kty":"EC","crv":"P-256","x":")" + y_of_other + R"(","y":")" + y_of_other + R"("})"}, {kMalformed, R"({"kty":"EC","crv":"P-384","x":")"s + kX + R"(","y":")" + kY + R"("})"},
      {kMalformed, R"({"kty":"EC","crv":"P-256","x":")"s + kX + R"(=","y":")" + kY + R"("})"}, {kMalformed, R"({"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"})"}, {kMalformed, R"({"kty":"EC","crv":"P-256","x":1,"y":1})"},
      {kMalformed, R"({"kty":"OKP","crv":"Ed25519"})"}, {kMalformed, R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})"}, {kMalformed, R"({"kty":"OKP","crv":"Ed25519","x":")" + base64url_encode(std::string(33, '1')) + R"("})"},
      {kMalformed, R"({"kty":"RSA","n":")" + n + R"("})"}, {kMalformed, R"({"kty":"RSA","e":"AQAB"})"}, {kMalformed, rsa("")}, {kMalformed, rsa(n, "")}, {kMalformed, rsa(n, "AQ")}, {kMalformed, rsa(n, "Ag")},
      {kMalformed, rsa(n, "AAAA")}, {kMalformed, rsa(n, odd(65))}, {kMalformed, rsa(n, n)}, {kMalformed, rsa(odd(8193))}, {kMalformed, rsa(base64url_encode(std::string(255, '\xff') + '\xfe'))}, {kMalformed, rsa(n + "=")},
      {kWeak, rsa(odd(2047))}, {kWeak, rsa(odd(1024))}, {kWeak, rsa(odd(512))}, {kWeak, rsa(base64url_encode(std::string(129, '\0') + std::string(127, '\xff')))},
      {kMalformed, R"({"kty":"oct"})"}, {kMalformed, R"({"kty":"oct","k":7})"}, {kMalformed, R"({"kty":"oct","k":"A"})"},
      {kWeak, secret(0)}, {kWeak, secret(31)}, {kWeak, secret(47, R"("alg":"HS384")")}, {kWeak, secret(63, R"("alg":"HS512")")},
      {kUse, ec(R"("use":"enc")")}, {kUse, ec(R"("use":"")")}, {kUse, ec(R"("use":"SIG")")}, {kUse, ec(R"("key_ops":[])")}, {kUse, ec(R"("key_ops":["sign"])")}, {kUse, ec(R"("key_ops":["encrypt","deriveKey"])")},
      {kUse, ec(R"("use":"sig","key_ops":["sign"])")}, {kUse, ec(R"("use":"enc","key_ops":["verify"])")}, {kUse, ec(R"("alg":"ES384")")}, {kUse, ec(R"("alg":"HS256")")}, {kUse, ec(R"("alg":"none")")},
      {kUse, ec(R"("alg":"ECDH-ES")")}, {kUse, ec(R"("alg":"es256")")}, {kUse, secret(64, R"("alg":"RS256")")}};
  EXPECT_GE(all.size(), 70U);
  for (const Bad& bad : all) {
    const auto key = parse_jwk(bad.json);
    ASSERT_FALSE(key) << bad.json.substr(0, 300);
    EXPECT_EQ(word(key.error().reason), word(bad.reason)) << bad.json.substr(0, 300) << ": " << key.error().detail;
    EXPECT_FALSE(key.error().detail.empty());
  }
}

AlgorithmSet of(const std::string& json) {
  const auto key = parse_jwk(json);
  EXPECT_TRUE(key) << json.substr(0, 300) << ": " << (key ? "" : key.error().detail);
  return key ? (*key)->algorithms() : AlgorithmSet{};
}

TEST(Jwk, SayWhichAlgorithmsTheyAreFor) {
  using A = Algorithm;
  EXPECT_EQ(of(ec()), AlgorithmSet{A::ES256});
  EXPECT_EQ(of(ec(R"("use":"sig","key_ops":["sign","verify"],"alg":"ES256","x5c":["a","b"],"x5t":"c","d":"never looked at")")), AlgorithmSet{A::ES256});
  EXPECT_EQ(of(kRfcP521), AlgorithmSet{A::ES512});
  EXPECT_EQ(of(kRfcEd25519), AlgorithmSet{A::EdDSA});
  EXPECT_EQ(of(R"({"kty":"OKP","crv":"Ed25519","alg":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"), AlgorithmSet{A::EdDSA});
  EXPECT_EQ(of(rsa(odd(2048))), (AlgorithmSet{A::RS256, A::RS384, A::RS512, A::PS256, A::PS384, A::PS512}));
  EXPECT_EQ(of(rsa(odd(8192), "Aw")), (AlgorithmSet{A::RS256, A::RS384, A::RS512, A::PS256, A::PS384, A::PS512}));
  EXPECT_EQ(of(R"({"kty":"RSA","alg":"PS384","n":")" + odd(2048) + R"(","e":"AQAB"})"), AlgorithmSet{A::PS384});
  EXPECT_EQ(of(secret(32)), AlgorithmSet{A::HS256});
  EXPECT_EQ(of(secret(48)), (AlgorithmSet{A::HS256, A::HS384}));
  EXPECT_EQ(of(secret(64)), (AlgorithmSet{A::HS256, A::HS384, A::HS512}));
  EXPECT_EQ(of(kRfcSmallSecret), AlgorithmSet{A::HS256});
}

TEST(Jwk, ASetLeavesOutWhatItCantUseAndSaysSo) {
  const std::string text = R"({"keys":[)" + ec(R"("kid":"a")") + "," + ec(R"("kid":"a")") + R"(,7,{"kty":"new","kid":"n"},)" + ec(R"("kid":"b","use":"enc")") + "," + kRfcEd25519 + "," + secret(32, R"("kid":"s")") + "," + rsa(odd(1024)) + R"(],"other":[{}]})";
  const auto set = parse_jwks(text);
  ASSERT_TRUE(set);
  ASSERT_EQ(set->keys.size(), 3U);
  std::string notes;
  for (const auto& note : set->notes) notes += std::to_string(note.index) + " " + note.kid + " " + std::string(word(note.fault.reason)) + (note.left_out ? " out\n" : " in\n");
  EXPECT_EQ(notes, "1 a key-duplicate out\n2  key-malformed out\n3 n key-type out\n4 b key-use out\n5 ed key-private in\n6 s key-private in\n7  key-too-weak out\n");
  // Nothing private is left in it.
  for (const auto& key : set->keys) EXPECT_EQ(to_json(*key).find("nWGxne"), std::string::npos);
  for (const auto& key : set->keys) EXPECT_EQ(to_json(*key).find("\"k\":"), std::string::npos);
}

TEST(Jwk, WhatIsNoSet) {
  std::string many = R"({"keys":[7)" + repeat(",7", 100) + "]}";
  for (const std::string& text : {""s, "[]"s, "{}"s, R"({"keys":{}})"s, R"({"keys":null})"s, R"({"keys":[],"keys":[]})"s, ec(), R"({"keys":[]}})"s, many, R"({"x":")" + std::string(300'000, 'x') + R"(","keys":[]})"}) {
    const auto set = parse_jwks(text);
    ASSERT_FALSE(set) << text.substr(0, 100);
    EXPECT_EQ(set.error().reason, JoseReason::KeyMalformed);
  }
  EXPECT_TRUE(parse_jwks(R"({"keys":[]})")->keys.empty());
}

TEST(Jwk, AreSelectedByKidAndAlgorithm) {
  const auto key = [](const char* more) { return *parse_jwk(ec(more)); };
  const crypto::JwkPtr a = key(R"("kid":"a")"), b = key(R"("kid":"b")"), nameless = key(R"("use":"sig")"), ed = *parse_jwk(kRfcEd25519);
  const auto select = [](std::vector<crypto::JwkPtr> keys, std::optional<std::string> kid, Algorithm algorithm = Algorithm::ES256) { return crypto::JwkSet{std::move(keys), {}}.select(kid, algorithm); };
  EXPECT_EQ(select({a, b, ed}, "b"), b);
  EXPECT_EQ(select({a, b}, "c"), nullptr);
  EXPECT_EQ(select({a, b}, "b", Algorithm::RS256), nullptr);
  EXPECT_EQ(select({a, nameless}, "c"), nameless);
  EXPECT_EQ(select({nameless, a}, "a"), a);
  EXPECT_EQ(select({nameless, nameless}, "a"), nullptr);
  EXPECT_EQ(select({nameless, nameless, a}, "a"), a);
  EXPECT_EQ(select({nameless, nameless, nameless}, "c"), nullptr);
  EXPECT_EQ(select({a, ed}, {}), a);
  EXPECT_EQ(select({a, b, ed}, {}), nullptr);
  EXPECT_EQ(select({a, b, nameless}, {}), nullptr);
  EXPECT_EQ(select({a, b, ed}, {}, Algorithm::EdDSA), ed);
  EXPECT_EQ(select({}, {}), nullptr);
}

TEST(Jwk, IdentityTellsKeysApart) {
  const auto same = [](const std::string& one, const std::string& other) { return (*parse_jwk(one))->identity() == (*parse_jwk(other))->identity(); };
  EXPECT_TRUE(same(ec(), ec(R"("use":"sig","x5c":[])")));
  EXPECT_FALSE(same(ec(), ec(R"("kid":"")")));
  EXPECT_FALSE(same(ec(R"("kid":"a")"), ec(R"("kid":"b")")));
  EXPECT_FALSE(same(secret(64), secret(64, R"("alg":"HS512")")));
  EXPECT_FALSE(same(secret(64), secret(65)));
}

TEST(Jwk, APublicKeyIsNoSecret) {
  const std::string pem = public_pem(*ring().rsa->verifier());
  const auto refused = crypto::jwk_from_secret(pem);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, JoseReason::KeyType);
  EXPECT_FALSE(crypto::jwk_from_secret("\n" + pem));
  EXPECT_TRUE(crypto::jwk_from_secret(std::string(32, '-')));
  const auto weak = crypto::jwk_from_secret(std::string(31, 's'));
  ASSERT_FALSE(weak);
  EXPECT_EQ(weak.error().reason, JoseReason::KeyTooWeak);
}

// A private part of another key signs nothing that the public part verifies.
TEST(Jwk, APairFits) {
  const auto mixed = [](std::string json, const std::string& d) {
    const std::size_t at = json.find(R"("d":")") + 5;
    return json.replace(at, json.find('"', at) - at, d);
  };
  const std::string other = base64url_encode(std::string(32, '7'));
  EXPECT_FALSE(crypto::SigningKey::from_jwk(mixed(kRfcEd25519, other)));
  EXPECT_FALSE(crypto::SigningKey::from_jwk(mixed(kRfcP256, other)));
  EXPECT_FALSE(crypto::SigningKey::from_jwk(mixed(kRfcEd25519, "")));
  EXPECT_FALSE(crypto::SigningKey::from_jwk(to_json(*ring().rsa->verifier())));
  EXPECT_TRUE(crypto::SigningKey::from_jwk(kRfcRsa));
}

TEST(Jwk, PemIsReadForWhatItIs) {
  const auto text = crypto::generate_key_text(Algorithm::ES384);
  ASSERT_TRUE(text);
  const auto key = crypto::jwk_from_pem(*text, "k");
  ASSERT_TRUE(key);
  EXPECT_EQ((*key)->algorithms(), AlgorithmSet{Algorithm::ES384});
  EXPECT_EQ((*key)->kid(), "k");
  EXPECT_EQ(crypto::jwk_from_pem(*text, {}, {Algorithm::RS256}).error().reason, JoseReason::KeyUse);
  for (const char* pem : {"", "-----BEGIN PUBLIC KEY-----\n", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    const auto bad = crypto::jwk_from_pem(pem);
    ASSERT_FALSE(bad) << pem;
    EXPECT_EQ(bad.error().reason, JoseReason::KeyMalformed) << pem;
  }
}

}  // namespace
}  // namespace gatelab::test
