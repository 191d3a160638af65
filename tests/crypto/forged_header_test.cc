// SPDX-License-Identifier: Apache-2.0
// Tokens whose header or payload is not what it must be (RFC 8725 §2 and §3, RFC 7515 §10).
#include "crypto/forged.h"

namespace gatelab::test {
namespace {

constexpr JoseReason kMalformed = JoseReason::Malformed, kAlgorithm = JoseReason::Algorithm, kCrit = JoseReason::Crit, kUnknownKey = JoseReason::UnknownKey,
                     kSignature = JoseReason::Signature;

// A header whose alg is this JSON.
std::string alg_is(const std::string& json) { return R"({"alg":)" + json + R"(,"kid":"ed"})"; }
std::string kid_is(const std::string& json) { return R"({"alg":"EdDSA","kid":)" + json + "}"; }
std::string more_in_header(const std::string& members) { return R"({"alg":"EdDSA","kid":"ed",)" + members + "}"; }
std::string more_in_claims(const std::string& members) { return R"({"iss":"joe",)" + members + "}"; }

// Not one of the names, so nothing is left of which a signature could be wrong.
TEST(Forged, NoAlgorithmOfOurs) {
  std::vector<Row> rows;
  for (const char* none : {R"("none")", R"("None")", R"("NONE")", R"("nOnE")", R"("\u006eone")", R"("none ")", R"(" none")", R"("none\u0000")", R"("none\n")", R"("")", R"("null")"}) {
    rows.push_back({none + " with nothing"s, kAlgorithm, part_of(alg_is(none)) + "."});
    rows.push_back({none + " with a signature"s, kAlgorithm, token_of(alg_is(none))});
  }
  for (const char* alg : {R"("eddsa")", R"("EDDSA")", R"("EdDSA ")", R"("EdDSA\u0000")", R"("ed25519")", R"("Ed448")", R"("ES256K")", R"("HS1")", R"("RS1")", R"("dir")", R"("RSA-OAEP")",
                          R"("A128KW")", R"("EdDSA,none")", R"("ⅡdDSA")"})
    rows.push_back({alg, kAlgorithm, token_of(alg_is(alg))});
  rows.push_back({"no alg", kAlgorithm, token_of(R"({"kid":"ed"})")});
  rows.push_back({"an empty header", kAlgorithm, token_of("{}")});
  rows.push_back({"Alg", kAlgorithm, token_of(R"({"Alg":"EdDSA","kid":"ed"})")});
  for (const char* alg : {"null", "true", "1", R"(["EdDSA"])", R"({"EdDSA":1})", R"(["none"])"}) rows.push_back({alg, kMalformed, token_of(alg_is(alg))});
  expect_all_refused(rows, 45);
}

// The public key is known to all: as a secret it must open nothing.
TEST(Forged, TheKeyDecidesTheFamily) {
  const Ring& keys = ring();
  std::vector<Row> rows;
  const auto hmac = [](const std::string& kid, std::string_view secret, Algorithm algorithm = Algorithm::HS256) {
    return signed_over(part_of(R"({"alg":")" + std::string(name(algorithm)) + R"(","kid":")" + kid + R"("})"), crypto::SigningKey::from_secret(secret), algorithm);
  };
  for (const auto& key : {keys.rsa, keys.ec, keys.ed}) {
    const std::string pem = public_pem(*key->verifier()), kid = *key->kid();
    rows.push_back({kid + ": PEM as a secret", kUnknownKey, hmac(kid, pem)});
    rows.push_back({kid + ": PEM without its last line end", kUnknownKey, hmac(kid, std::string_view(pem).substr(0, pem.size() - 1))});
    rows.push_back({kid + ": PEM, HS512", kUnknownKey, hmac(kid, pem, Algorithm::HS512)});
    rows.push_back({kid + ": JWK as a secret", kUnknownKey, hmac(kid, to_json(*key->verifier()))});
    rows.push_back({kid + ": no secret", kUnknownKey, hmac(kid, "")});
    rows.push_back({kid + ": PEM for the secret's kid", kSignature, hmac("oct", pem)});
    for (const auto algorithm : {Algorithm::HS256, Algorithm::HS384, Algorithm::HS512}) {
      crypto::CompactJws jws = *crypto::parse_compact(hmac(kid, pem, algorithm));
      EXPECT_EQ(verify(jws, *key->verifier()).error().reason, kAlgorithm) << kid;
    }
  }
  rows.push_back({"oct: no secret", kSignature, hmac("oct", "")});
  const auto labelled = [](const char* header, const SigningKeyPtr& key, Algorithm signs) { return signed_over(part_of(header), key, signs); };
  rows.push_back({"PS256 says RS256", kSignature, labelled(R"({"alg":"RS256","kid":"rsa"})", keys.rsa, Algorithm::PS256)});
  rows.push_back({"RS256 says PS256", kSignature, labelled(R"({"alg":"PS256","kid":"rsa"})", keys.rsa, Algorithm::RS256)});
  rows.push_back({"RS256 says RS384", kSignature, labelled(R"({"alg":"RS384","kid":"rsa"})", keys.rsa, Algorithm::RS256)});
  rows.push_back({"PS512 says PS256", kSignature, labelled(R"({"alg":"PS256","kid":"rsa"})", keys.rsa, Algorithm::PS512)});
  rows.push_back({"HS256 says HS512", kSignature, labelled(R"({"alg":"HS512","kid":"oct"})", keys.oct, Algorithm::HS256)});
  rows.push_back({"ES512 says ES256", kUnknownKey, labelled(R"({"alg":"ES256","kid":"p521"})", keys.p521, Algorithm::ES512)});
  rows.push_back({"ES256 says ES512", kUnknownKey, labelled(R"({"alg":"ES512","kid":"ec"})", keys.ec, Algorithm::ES256)});
  rows.push_back({"ES256 says EdDSA", kUnknownKey, labelled(R"({"alg":"EdDSA","kid":"ec"})", keys.ec, Algorithm::ES256)});
  rows.push_back({"RS256 says ES256", kUnknownKey, labelled(R"({"alg":"ES256","kid":"rsa"})", keys.rsa, Algorithm::RS256)});
  rows.push_back({"ES256 for the kid of RSA", kUnknownKey, labelled(R"({"alg":"ES256","kid":"rsa"})", keys.ec, Algorithm::ES256)});
  rows.push_back({"RS256 for the kid of the other RSA key", kSignature, labelled(R"({"alg":"RS256","kid":"rsa2"})", keys.rsa, Algorithm::RS256)});
  rows.push_back({"RS256 without a kid, and two keys", kUnknownKey, labelled(R"({"alg":"RS256"})", keys.rsa, Algorithm::RS256)});
  expect_all_refused(rows, 30);
}

TEST(Forged, AKidIsANameAndNothingElse) {
  std::vector<Row> rows;
  for (const char* kid : {R"("other")", R"("")", R"("ED")", R"("ed ")", R"(" ed")", R"("ed\u0000")", R"("../../../../dev/null")", R"("/proc/self/environ")", R"("' OR '1'='1")", R"("http://127.0.0.1/key")",
                          R"("ed|rsa")", R"("*")", R"("е\u0064")"})
    rows.push_back({kid, kUnknownKey, token_of(kid_is(kid))});
  for (const char* kid : {"null", "0", "false", R"(["ed"])", R"({"ed":"ed"})"}) rows.push_back({kid, kMalformed, token_of(kid_is(kid))});
  rows.push_back({"a very long one", kUnknownKey, token_of(kid_is('"' + std::string(5000, 'k') + '"'))});
  expect_all_refused(rows, 19);
}

TEST(Forged, NothingThatMustBeUnderstood) {
  std::vector<Row> rows;
  for (const char* members : {R"("crit":["exp"])", R"("crit":["b64"],"b64":false)", R"("crit":["b64"],"b64":true)", R"("crit":[])", R"("crit":null)", R"("crit":"exp")", R"("crit":{})", R"("crit":false)",
                              R"("crit":["alg"])", R"("cr\u0069t":["exp"])", R"("b64":false)", R"("b64":"true")", R"("b64":null)", R"("b64":1)"})
    rows.push_back({members, kCrit, token_of(more_in_header(members))});
  // RFC 7797 §4.2, its payload being $.02.
  rows.push_back({"an unencoded payload", kMalformed, "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19.$.02.A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY"});
  rows.push_back({"an unencoded payload without a dot", kMalformed, "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19.$02.A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY"});
  expect_all_refused(rows, 16);
}

// The attacker's own key signs, and the token brings it along.
TEST(Forged, NoKeyComesFromTheToken) {
  const SigningKeyPtr own = *crypto::generate_signing_key(Algorithm::ES256, "own");
  const std::string jwk = to_json(*own->verifier());
  std::vector<Row> rows;
  for (const std::string& member : {R"("jwk":)" + jwk, R"("jku":"https://attacker.example/jwks.json")"s, R"("jku":"data:application/json,{\"keys\":[)"s + R"(]}")", R"("x5u":"https://attacker.example/key.pem")"s,
                                    R"("x5c":["MIIB"])"s, R"("x5t":"AAAA")"s, R"("jwk":)" + jwk + R"(,"jku":"http://127.0.0.1/")", R"("jwks":{"keys":[)" + jwk + "]}"}) {
    const auto signed_with = [&](const std::string& kid) { return signed_over(part_of(R"({"alg":"ES256",)" + kid + member + "}"), own, Algorithm::ES256); };
    rows.push_back({"its own kid, " + member, kUnknownKey, signed_with(R"("kid":"own",)")});
    rows.push_back({"our kid, " + member, kSignature, signed_with(R"("kid":"ec",)")});
    rows.push_back({"no kid, " + member, kSignature, signed_with("")});
  }
  expect_all_refused(rows, 24);
  const auto told = crypto::parse_compact(signed_over(part_of(R"({"alg":"ES256","jwk":{},"jku":"","x5u":1,"x5c":[]})"), own, Algorithm::ES256));
  ASSERT_TRUE(told);
  EXPECT_TRUE(told->has_jwk && told->has_jku && told->has_x5u && told->has_x5c);
}

// What must be JSON and one reading of it: a header, or a payload.
std::vector<Row> bad_json(const std::string& good, const std::string& where, std::string (*token)(const std::string&)) {
  std::vector<Row> rows;
  const auto add = [&](const std::string& name, const std::string& json) { rows.push_back({where + ": " + name, kMalformed, token(json)}); };
  const std::string open = good.substr(0, good.size() - 1);  // without its }
  const auto with = [&](const std::string& name, const std::string& member) { add(name, open + "," + member + "}"); };
  add("nothing", "");
  add("a list", "[" + good + "]");
  add("a text", R"("alg")");
  add("a number", "1");
  add("null", "null");
  add("true", "true");
  add("not closed", open);
  add("closed twice", good + "}");
  add("a comma at the end", open + ",}");
  add("a letter behind", good + "x");
  add("another object behind", good + good);
  add("a NUL behind", good + '\0');
  add("a byte order mark", "\xef\xbb\xbf" + good);
  add("a comment", good + "/**/");
  add("a line comment", "//\n" + good);
  add("UTF-16", "{\0\"\0a\0\"\0"s);
  with("single quotes", "'x':1");
  with("a name without quotes", "x:1");
  with("NaN", R"("x":NaN)");
  with("Infinity", R"("x":-Infinity)");
  with("hexadecimal", R"("x":0x10)");
  with("a zero in front", R"("x":01)");
  with("a plus", R"("x":+1)");
  with("no digit before the point", R"("x":.5)");
  with("no digit behind the point", R"("x":1.)");
  with("more than a double holds", R"("x":1e400)");
  with("a line end in a text", "\"x\":\"\n\"");
  with("a NUL in a text", "\"x\":\"\0\""s);
  with("an unknown escape", R"("x":"\x41")");
  with("half an escape", R"("x":"\u00")");
  with("a high surrogate alone", R"("x":"\ud800")");
  with("a low surrogate alone", R"("x":"\udc00")");
  with("surrogates in the wrong order", R"("x":"\udc00\ud800")");
  with("overlong UTF-8", "\"x\":\"\xc0\xaf\"");
  with("a surrogate in UTF-8", "\"x\":\"\xed\xa0\x80\"");
  with("beyond Unicode", "\"x\":\"\xf4\x90\x80\x80\"");
  with("UTF-8 cut off", "\"x\":\"\xe2\x82\"");
  with("no UTF-8 in a name", "\"\xff\":1");
  with("a member twice", R"("x":1,"x":1)");
  with("a member twice, escaped once", R"("x":1,"\u0078":2)");
  with("a member twice, inside", R"("x":{"y":1,"y":2})");
  with("a member twice, in a list", R"("x":[[{"y":1,"z":0,"y":1}]])");
  with("seventeen deep", R"("x":)" + repeat("[", 16) + repeat("]", 16));
  with("deep and open", R"("x":)" + repeat(R"({"a":)", 1000));
  with("too many values", R"("x":[0)" + repeat(",0", 2000) + "]");
  return rows;
}

TEST(Forged, AHeaderIsStrictJson) {
  auto rows = bad_json(std::string(kHeader), "header", [](const std::string& json) { return token_of(json); });
  const auto add = [&rows](const std::string& name, const std::string& json) { rows.push_back({name, kMalformed, token_of(json)}); };
  add("alg twice, none first", R"({"alg":"none","alg":"EdDSA","kid":"ed"})");
  add("alg twice, none last", R"({"alg":"EdDSA","kid":"ed","alg":"none"})");
  add("alg twice, escaped once", R"({"alg":"EdDSA","kid":"ed","\u0061lg":"none"})");
  add("kid twice", R"({"alg":"EdDSA","kid":"ed","kid":"rsa"})");
  add("typ is no text", more_in_header(R"("typ":1)"));
  add("typ is null", more_in_header(R"("typ":null)"));
  add("cty is no text", more_in_header(R"("cty":[])"));
  add("larger than 8 KiB", more_in_header(R"("x":")" + std::string(8200, 'x') + '"'));
  expect_all_refused(rows, 50);
}

TEST(Forged, ClaimsAreStrictJson) {
  auto rows = bad_json(std::string(kClaims), "payload", [](const std::string& json) { return token_of(kHeader, json); });
  const auto add = [&rows](const std::string& name, const std::string& member) { rows.push_back({name, kMalformed, token_of(kHeader, more_in_claims(member))}); };
  for (const std::string claim : {"exp", "nbf", "iat"})
    for (const char* value : {R"("1300819380")", "null", "true", "[1300819380]", R"({"at":1})", "-1", "-0.5", R"("")", R"("NaN")", "-1e300", R"("1e9")"}) {
      const std::string member = '"' + claim + "\":" + value;
      add(member, member);
    }
  for (const char* member : {R"("exp":1,"exp":9999999999)", R"("exp":1,"e\u0078p":9999999999)", R"("sub":1)", R"("sub":null)", R"("sub":["a"])", R"("jti":7)", R"("aud":7)", R"("aud":null)", R"("aud":["a",7])",
                             R"("aud":[["a"]])", R"("aud":{"a":1})", R"("scope":["a"])", R"("scope":7)", R"("scope":{})", R"("scp":7)", R"("scp":[7])", R"("scp":{"a":true})"})
    add(member, member);
  rows.push_back({"iss is a list", kMalformed, token_of(kHeader, R"({"iss":["joe"]})")});
  rows.push_back({"iss is null", kMalformed, token_of(kHeader, R"({"iss":null})")});
  expect_all_refused(rows, 95);
}

// The bounds themselves and what is odd but right: each differs from a row above by the one thing.
TEST(Forged, WhatIsRightPasses) {
  for (const std::string& header : {std::string(kHeader), R"({"alg":"EdDSA"})"s, R"({"alg":"Ed25519","kid":"ed"})"s, R"( { "alg" : "EdDSA" } )"s, R"({"\u0061lg":"EdDSA","ALG":"none"})"s,
                                    more_in_header(R"("b64":true)"), more_in_header(R"("jku":"http://a/","jwk":{},"x5c":[],"zip":"DEF")"), more_in_header(R"("x":"\ud83d\ude00")"),
                                    more_in_header(R"("x":)" + repeat("[", 15) + repeat("]", 15)), more_in_header(R"("x":[0)" + repeat(",0", 190) + "]"), more_in_header(R"("x":")" + std::string(8000, 'x') + '"')})
    EXPECT_EQ(said(judge(token_of(header))), "accepted") << header.substr(0, 200);
  for (const std::string& claims : {"{}"s, more_in_claims(R"("exp":0)"), more_in_claims(R"("exp":1300819380.5)"), more_in_claims(R"("exp":1e300)"), more_in_claims(R"("exp":99999999999999999999999)"),
                                    more_in_claims(R"("aud":[],"scp":[],"scope":"")"), more_in_claims(R"("x":)" + repeat("[", 15) + repeat("]", 15)), more_in_claims(R"("x":[0)" + repeat(",0", 1990) + "]")})
    EXPECT_EQ(said(judge(token_of(kHeader, claims))), "accepted") << claims.substr(0, 200);
}

}  // namespace
}  // namespace gatelab::test
