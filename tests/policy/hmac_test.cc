// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <thread>

#include "crypto/jwk.h"
#include "crypto/rfc_keys.h"
#include "policy/hmac/nonce_store.h"
#include "policy/stepped.h"
#include "support/signed_request.h"

namespace gatelab::test {
namespace {

using crypto::Algorithm;

// RFC 9421 appendix B.1: public keys, and the shared secret.
constexpr const char* kTestRsaPss =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2\n+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+\n"
    "oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq\ngDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W\n"
    "Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4\naOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI\n2wIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
constexpr const char* kTestEd25519 = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----\n";
constexpr const char* kTestEcc =
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf\nw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==\n-----END PUBLIC KEY-----\n";
#define TEST_SHARED_SECRET "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="

constexpr const char* kRfcPolicy =
    "[ { hmac: { required: [], max_age: 1h, nonce: optional, content_digest: when-present, keys: ["
    " { id: test-key-rsa-pss, algorithm: rsa-pss-sha512, public_key: rsa }, { id: test-key-ed25519, algorithm: ed25519, public_key: ed },"
    " { id: test-key-ecc-p256, algorithm: ecdsa-p256-sha256, public_key: ecc }, { id: test-shared-secret, algorithm: hmac-sha256, secret_base64: \"" TEST_SHARED_SECRET "\" } ] } } ]";

Stepped rfc_policy() { return Stepped(kRfcPolicy, "", "", {{"rsa", kTestRsaPss}, {"ed", kTestEd25519}, {"ecc", kTestEcc}}); }

// Appendix B.2's request, with these fields.
std::string rfc_request(const std::string& more) {
  return "POST /foo?param=Value&Pet=dog HTTP/1.1\r\nHost: example.com\r\nDate: Tue, 20 Apr 2021 02:07:55 GMT\r\nContent-Type: application/json\r\n"
         "Content-Digest: sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:\r\nContent-Length: 18\r\n" +
         more + "\r\n";
}

struct RfcExample {
  const char* section;
  const char* input;
  const char* signature;
};
constexpr RfcExample kRfcExamples[] = {
    {"B.2.1", R"(sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd")",
     "sig-b21=:d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==:"},
    {"B.2.2", R"(sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example")",
     "sig-b22=:LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==:"},
    {"B.2.3", R"(sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss")",
     "sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:"},
    {"B.2.5", R"(sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret")", "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:"},
    {"B.2.6", R"(sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519")",
     "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"},
};
const Instant kRfcNow = Instant::from_seconds(1618884473 + 60);

TEST(Hmac, VerifiesTheExamplesOfTheRfc) {
  for (const RfcExample& example : kRfcExamples) {
    Stepped policy = rfc_policy();
    ASSERT_EQ(policy.errors, "");
    const std::string fields = std::string("Signature-Input: ") + example.input + "\r\nSignature: " + example.signature + "\r\n";
    EXPECT_EQ(policy.step(rfc_request(fields), kRfcNow).reason, "") << example.section << ": " << policy.step(rfc_request(fields), kRfcNow).detail;
    EXPECT_NE(policy.input->body_digests, nullptr) << example.section << ": the body has not come yet";
  }
}

TEST(Hmac, KnowsAnExampleWithAnotherRequestOrKeyForWhatItIs) {
  for (const RfcExample& example : kRfcExamples) {
    const std::string fields = std::string("Signature-Input: ") + example.input + "\r\nSignature: " + example.signature + "\r\n";
    std::string other = rfc_request(fields);
    const bool covers_host = fields.find("@authority") != std::string::npos;
    other.replace(other.find("example.com"), 11, "example.org");
    Stepped policy = rfc_policy();
    EXPECT_EQ(policy.step(other, kRfcNow).reason, covers_host ? "wrong-signature" : "") << example.section;
    std::string later = rfc_request(fields);
    later.replace(later.find("1618884473"), 10, "1618884474");
    EXPECT_EQ(policy.step(later, kRfcNow).reason, "wrong-signature") << example.section;
    for (const char* id : {"test-key-rsa-pss", "test-shared-secret", "test-key-ed25519", "test-key-ecc-p256"}) {
      std::string keyed = rfc_request(fields);
      const std::size_t at = keyed.find("keyid=\"") + 7, end = keyed.find('"', at);
      if (keyed.substr(at, end - at) == id) continue;
      keyed.replace(at, end - at, id);
      EXPECT_EQ(policy.step(keyed, kRfcNow).reason, "wrong-signature") << example.section << " " << id;
    }
  }
}

const std::string kSecret = "an hmac secret that is long enough, 32 octets";

struct Keys {
  crypto::SigningKeyPtr secret = crypto::SigningKey::from_secret(kSecret), rsa = *crypto::SigningKey::from_jwk(kRfcRsa), ec = *crypto::SigningKey::from_jwk(kRfcP256),
                        ed = *crypto::SigningKey::from_jwk(kRfcEd25519);
};
const Keys& keys() {
  static const Keys all;
  return all;
}

Stepped make(const std::string& more = "") {
  return Stepped("[ { hmac: { keys: [ { id: shop, algorithm: hmac-sha256, secret: \"" + kSecret + "\", consumer: shop }, { id: ed, algorithm: ed25519, public_key: ed }, "
                 "{ id: ec, algorithm: ecdsa-p256-sha256, public_key: ec, consumer: shop }, { id: rsa, algorithm: rsa-pss-sha512, public_key: rsa } ]" + more + " } } ]",
                 "[ { name: shop, groups: [gold] } ]", "",
                 {{"ed", crypto::public_pem(*keys().ed->verifier())}, {"ec", crypto::public_pem(*keys().ec->verifier())}, {"rsa", crypto::public_pem(*keys().rsa->verifier())}});
}

const std::string kGet = "GET /orders?x=1 HTTP/1.1\r\nHost: a\r\nX-Day: monday\r\n";
const std::string kPost = "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n";
const std::string kParameters = ";created=1000;keyid=\"shop\";nonce=\"n1\"";
const std::string kInput = "(\"@method\" \"@target-uri\")" + kParameters;

// The head with a signature of `shop` over it for `input`.
std::string with(const std::string& head, const std::string& input) {
  return head + signature_fields(input, signature_of(head, input, *keys().secret, Algorithm::HS256)) + "\r\n";
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

TEST(Hmac, TakesEachAlgorithmAndSaysWhoItIs) {
  struct Row {
    const char* id;
    const crypto::SigningKeyPtr& key;
    Algorithm algorithm;
    const char* alg;
    const char* consumer;
  };
  for (const Row& row : {Row{"shop", keys().secret, Algorithm::HS256, "hmac-sha256", "shop"}, Row{"ed", keys().ed, Algorithm::EdDSA, "ed25519", ""},
                         Row{"ec", keys().ec, Algorithm::ES256, "ecdsa-p256-sha256", "shop"}, Row{"rsa", keys().rsa, Algorithm::PS512, "rsa-pss-sha512", ""}}) {
    for (const bool says_alg : {false, true}) {
      Stepped policy = make();
      ASSERT_EQ(policy.errors, "");
      const std::string input = "(\"@method\" \"@target-uri\");created=1000;keyid=\"" + std::string(row.id) + "\";nonce=\"n\"" + (says_alg ? ";alg=\"" + std::string(row.alg) + "\"" : "");
      const policy::Step step = policy.step(kGet + signature_fields(input, signature_of(kGet, input, *row.key, row.algorithm)) + "\r\n");
      EXPECT_EQ(step.reason, "") << row.id << ": " << step.detail;
      EXPECT_EQ(step.detail, std::string(row.alg) + " keyid=" + row.id);
      EXPECT_EQ(policy.input->principal, row.id);
      EXPECT_EQ(policy.input->principal_by, "hmac");
      EXPECT_EQ(policy.input->consumer == nullptr ? "" : policy.input->consumer->name, row.consumer);
      EXPECT_EQ(policy.request->fields.find("Signature"), nullptr);
      EXPECT_EQ(policy.request->fields.find("Signature-Input"), nullptr);
    }
  }
}

TEST(Hmac, RefusesEachWrongSignatureForWhatIsWrong) {
  const std::string good = with(kGet, kInput);
  const std::string signature = signature_of(kGet, kInput, *keys().secret, Algorithm::HS256);
  const auto bare = [](const std::string& fields) { return kGet + fields + "\r\n"; };
  const auto listed = [&signature](const std::string& input) { return kGet + signature_fields(input, signature) + "\r\n"; };
  const auto of = [](const std::string& id, const crypto::SigningKeyPtr& key, Algorithm algorithm, const std::string& more = "") {
    const std::string input = "(\"@method\" \"@target-uri\");created=1000;keyid=\"" + id + "\";nonce=\"n\"" + more;
    return kGet + signature_fields(input, signature_of(kGet, input, *key, algorithm)) + "\r\n";
  };
  std::string flipped = signature;
  flipped[5] = static_cast<char>(flipped[5] ^ 1);
  const std::string ec_signature = signature_of(kGet, kInput, *keys().ec, Algorithm::ES256);
  const std::string digest = content_digest("hi"), over_body = "(\"@method\" \"@target-uri\" \"content-digest\")" + kParameters;
  struct Row {
    const char* name;
    std::string more, request;
    const char* reason;
  };
  const std::vector<Row> rows = {
      {"a good one", "", good, ""},
      {"none", "", bare(""), "missing-signature"},
      {"empty fields", "", bare("Signature-Input: \r\nSignature: \r\n"), "missing-signature"},
      {"another label than asked for", ", label: other", good, "missing-signature"},
      {"another tag than asked for", ", tag: app", good, "missing-signature"},
      {"no Signature", "", bare("Signature-Input: sig1=" + kInput + "\r\n"), "malformed-signature"},
      {"no Signature-Input", "", bare("Signature: sig1=:AAAA:\r\n"), "malformed-signature"},
      {"an open list", "", bare("Signature-Input: sig1=(\"@method\"\r\nSignature: sig1=:AAAA:\r\n"), "malformed-signature"},
      {"no strict Base64", "", bare("Signature-Input: sig1=" + kInput + "\r\nSignature: sig1=:AAF=:\r\n"), "malformed-signature"},
      {"no octets", "", bare("Signature-Input: sig1=" + kInput + "\r\nSignature: sig1=\"x\"\r\n"), "malformed-signature"},
      {"labels that differ", "", bare("Signature-Input: sig1=" + kInput + "\r\nSignature: sig2=:AAAA:\r\n"), "malformed-signature"},
      {"a label twice", "", bare("Signature-Input: sig1=" + kInput + ", sig1=()\r\nSignature: sig1=:AAAA:\r\n"), "malformed-signature"},
      {"a label twice on two lines", "", bare("Signature-Input: sig1=" + kInput + "\r\nSignature-Input: sig1=()\r\nSignature: sig1=:AAAA:\r\n"), "malformed-signature"},
      {"no list", "", bare("Signature-Input: sig1=\"@method\"\r\nSignature: sig1=:AAAA:\r\n"), "malformed-signature"},
      {"no keyid", "", listed("(\"@method\" \"@target-uri\");created=1000;nonce=\"n1\""), "malformed-signature"},
      {"an empty keyid", "", listed("(\"@method\" \"@target-uri\");created=1000;nonce=\"n1\";keyid=\"\""), "malformed-signature"},
      {"a keyid that is a token", "", listed("(\"@method\" \"@target-uri\");created=1000;nonce=\"n1\";keyid=shop"), "malformed-signature"},
      {"a created that is a text", "", listed("(\"@method\" \"@target-uri\");created=\"1000\";keyid=\"shop\""), "malformed-signature"},
      {"a negative created", "", listed("(\"@method\" \"@target-uri\");created=-1;keyid=\"shop\""), "malformed-signature"},
      {"a created beyond time", "", listed("(\"@method\" \"@target-uri\");created=999999999999999;keyid=\"shop\""), "malformed-signature"},
      {"an expires with a point", "", listed("(\"@method\" \"@target-uri\");created=1000;expires=2000.5;keyid=\"shop\""), "malformed-signature"},
      {"an empty nonce", "", listed("(\"@method\" \"@target-uri\");created=1000;keyid=\"shop\";nonce=\"\""), "malformed-signature"},
      {"a long nonce", "", listed("(\"@method\" \"@target-uri\");created=1000;keyid=\"shop\";nonce=\"" + std::string(257, 'n') + "\""), "malformed-signature"},
      {"a parameter twice", "", listed(kInput + ";keyid=\"shop\""), "malformed-signature"},
      {"a component twice", "", listed("(\"@method\" \"@method\" \"@target-uri\")" + kParameters), "malformed-signature"},
      {"a component that is a token", "", listed("(\"@method\" \"@target-uri\" host)" + kParameters), "malformed-signature"},
      {"a component in large letters", "", listed("(\"@method\" \"@target-uri\" \"Host\")" + kParameters), "malformed-signature"},
      {"two signatures", "", bare("Signature-Input: a=" + kInput + ", b=" + kInput + "\r\nSignature: a=:AAAA:, b=:AAAA:\r\n"), "several-signatures"},
      {"a component of answers", "", listed("(\"@method\" \"@target-uri\" \"@status\")" + kParameters), "unsupported-component"},
      {"a component of the request to an answer", "", listed("(\"@method\";req \"@target-uri\")" + kParameters), "unsupported-component"},
      {"a field as a structured one", "", listed("(\"@method\" \"@target-uri\" \"x-day\";sf)" + kParameters), "unsupported-component"},
      {"a part of a field", "", listed("(\"@method\" \"@target-uri\" \"x-day\";key=\"a\")" + kParameters), "unsupported-component"},
      {"a field in armour", "", listed("(\"@method\" \"@target-uri\" \"x-day\";bs)" + kParameters), "unsupported-component"},
      {"a trailer", "", listed("(\"@method\" \"@target-uri\" \"x-day\";tr)" + kParameters), "unsupported-component"},
      {"its own parameters", "", listed("(\"@method\" \"@target-uri\" \"@signature-params\")" + kParameters), "unsupported-component"},
      {"a component that nobody knows", "", listed("(\"@method\" \"@target-uri\" \"@body\")" + kParameters), "unsupported-component"},
      {"a field that is not there", "", listed("(\"@method\" \"@target-uri\" \"x-night\")" + kParameters), "absent-component"},
      {"a parameter that is not there", "", listed("(\"@method\" \"@target-uri\" \"@query-param\";name=\"y\")" + kParameters), "absent-component"},
      {"a field that was taken away", "", replaced(with(kGet, "(\"@method\" \"@target-uri\" \"x-day\")" + kParameters), "X-Day: monday\r\n", ""), "absent-component"},
      {"not over the method", "", with(kGet, "(\"@target-uri\")" + kParameters), "uncovered-component"},
      {"not over the target", "", with(kGet, "(\"@method\" \"@path\" \"@authority\")" + kParameters), "uncovered-component"},
      {"over nothing", "", with(kGet, "()" + kParameters), "uncovered-component"},
      {"not over a field that is asked for", ", required: [\"@method\", \"@path\", x-day]", with(kGet, "(\"@method\" \"@path\")" + kParameters), "uncovered-component"},
      {"over a field that is asked for", ", required: [\"@method\", \"@path\", x-day]", with(kGet, "(\"@method\" \"@path\" \"x-day\")" + kParameters), ""},
      {"no created", "", with(kGet, "(\"@method\" \"@target-uri\");keyid=\"shop\";nonce=\"n1\""), "no-created"},
      {"made in the future", "", with(kGet, "(\"@method\" \"@target-uri\");created=1031;keyid=\"shop\";nonce=\"n1\""), "not-yet-valid"},
      {"made within the leeway", "", with(kGet, "(\"@method\" \"@target-uri\");created=1030;keyid=\"shop\";nonce=\"n1\""), ""},
      {"made too long ago", "", with(kGet, "(\"@method\" \"@target-uri\");created=670;keyid=\"shop\";nonce=\"n1\""), "too-old"},
      {"made just in time", "", with(kGet, "(\"@method\" \"@target-uri\");created=671;keyid=\"shop\";nonce=\"n1\""), ""},
      {"expired", "", with(kGet, "(\"@method\" \"@target-uri\");created=900;expires=970;keyid=\"shop\";nonce=\"n1\""), "expired"},
      {"expired within the leeway", "", with(kGet, "(\"@method\" \"@target-uri\");created=900;expires=971;keyid=\"shop\";nonce=\"n1\""), ""},
      {"no nonce", "", with(kGet, "(\"@method\" \"@target-uri\");created=1000;keyid=\"shop\""), "no-nonce"},
      {"no nonce where none is asked for", ", nonce: optional", with(kGet, "(\"@method\" \"@target-uri\");created=1000;keyid=\"shop\""), ""},
      {"a key of nobody", "", of("nobody", keys().secret, Algorithm::HS256), "wrong-signature"},
      {"another one's key", "", of("shop", crypto::SigningKey::from_secret("another secret, which is long enough too"), Algorithm::HS256), "wrong-signature"},
      {"flipped", "", kGet + signature_fields(kInput, flipped) + "\r\n", "wrong-signature"},
      {"cut", "", kGet + signature_fields(kInput, signature.substr(1)) + "\r\n", "wrong-signature"},
      {"empty", "", kGet + signature_fields(kInput, "") + "\r\n", "wrong-signature"},
      {"zeros", "", kGet + signature_fields(kInput, std::string(32, '\0')) + "\r\n", "wrong-signature"},
      {"longer", "", kGet + signature_fields(kInput, signature + "x") + "\r\n", "wrong-signature"},
      {"alg of another kind", "", of("shop", keys().secret, Algorithm::HS256, ";alg=\"ed25519\""), "wrong-signature"},
      {"alg that nobody knows", "", of("shop", keys().secret, Algorithm::HS256, ";alg=\"none\""), "wrong-signature"},
      {"alg of JOSE", "", of("shop", keys().secret, Algorithm::HS256, ";alg=\"HS256\""), "wrong-signature"},
      {"HMAC with a public key", "", of("ed", crypto::SigningKey::from_secret(crypto::public_pem(*keys().ed->verifier())), Algorithm::HS256), "wrong-signature"},
      {"RSA with PKCS 1's padding", "", of("rsa", keys().rsa, Algorithm::RS512), "wrong-signature"},
      {"RSA-PSS with another hash", "", of("rsa", keys().rsa, Algorithm::PS256), "wrong-signature"},
      {"a signature of zeros by ECDSA", "", replaced(kGet + signature_fields(kInput, std::string(64, '\0')) + "\r\n", "keyid=\"shop\"", "keyid=\"ec\""), "wrong-signature"},
      {"ECDSA with an octet too many", "", replaced(kGet + signature_fields(kInput, ec_signature + std::string(1, '\0')) + "\r\n", "keyid=\"shop\"", "keyid=\"ec\""), "wrong-signature"},
      {"another method", "", replaced(good, "GET ", "PUT "), "wrong-signature"},
      {"another path", "", replaced(good, "/orders", "/admin"), "wrong-signature"},
      {"a path that is the same to a server", "", replaced(good, "/orders", "/%6frders"), "wrong-signature"},
      {"another query", "", replaced(good, "x=1", "x=2"), "wrong-signature"},
      {"no query", "", replaced(good, "?x=1", ""), "wrong-signature"},
      {"another host", "", replaced(good, "Host: a", "Host: b"), "wrong-signature"},
      {"another nonce", "", replaced(good, "nonce=\"n1\"", "nonce=\"n2\""), "wrong-signature"},
      {"another created", "", replaced(good, "created=1000", "created=1001"), "wrong-signature"},
      {"a parameter more", "", replaced(good, kParameters, kParameters + ";tag=\"x\""), "wrong-signature"},
      {"a component less", "", replaced(with(kGet, "(\"@method\" \"@target-uri\" \"x-day\")" + kParameters), " \"x-day\"", ""), "wrong-signature"},
      {"components in another order", "", replaced(good, "\"@method\" \"@target-uri\"", "\"@target-uri\" \"@method\""), "wrong-signature"},
      {"another value of a field", "", replaced(with(kGet, "(\"@method\" \"@target-uri\" \"x-day\")" + kParameters), "monday", "sunday"), "wrong-signature"},
      {"a line more of a field", "", replaced(with(kGet, "(\"@method\" \"@target-uri\" \"x-day\")" + kParameters), "X-Day: monday\r\n", "X-Day: monday\r\nX-Day: sunday\r\n"), "wrong-signature"},
      {"a body without a digest", "", with(kPost, kInput), "no-digest"},
      {"a chunked body without a digest", "", with("POST /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n", kInput), "no-digest"},
      {"a digest that is not signed", "", with(kPost + digest, kInput), "uncovered-component"},
      {"a digest that is no dictionary", "", with(kPost + "Content-Digest: sha-256=\r\n", over_body), "malformed-digest"},
      {"a digest that is a text", "", with(kPost + "Content-Digest: sha-256=\"x\"\r\n", over_body), "malformed-digest"},
      {"a digest of another length", "", with(kPost + "Content-Digest: sha-256=:AAAA:\r\n", over_body), "malformed-digest"},
      {"only a digest that protects nothing", "", with(kPost + "Content-Digest: md5=:AAAA:\r\n", over_body), "unsupported-digest"},
      {"a digest of something where there is nothing", "", with(kGet + digest, over_body), "digest-mismatch"},
      {"a digest of something where the length is nothing", "", with(replaced(kPost, "Length: 2", "Length: 0") + digest, over_body), "digest-mismatch"},
      {"a digest of nothing where there is nothing", "", with(kGet + content_digest(""), over_body), ""},
      {"a body with a digest", "", with(kPost + digest, over_body), ""},
      {"a body with two", "", with(kPost + replaced(digest, "\r\n", ", sha-512=:" + base64_encode(std::string(64, 'x')) + ":\r\n"), over_body), ""},
      {"a body without a digest where none is asked for", ", content_digest: when-present", with(kPost, kInput), ""},
      {"a wrong digest that nobody looks at", ", content_digest: ignore", with(kGet + digest, over_body), ""},
      {"a consumer in the group", ", groups: [gold]", good, ""},
      {"a key of no consumer, and a group", ", groups: [gold]", of("ed", keys().ed, Algorithm::EdDSA), "not-in-group"},
      {"the label that is asked for, among others", ", label: sig1", replaced(good, "Signature-Input: ", "Signature-Input: x=();keyid=\"y\", "), ""},
      {"the tag that is asked for, among others", ", tag: app", replaced(with(kGet, kInput + ";tag=\"app\""), "Signature-Input: ", "Signature-Input: x=();tag=\"other\", "), ""},
      {"two with the tag that is asked for", ", tag: app", replaced(with(kGet, kInput + ";tag=\"app\""), "Signature-Input: ", "Signature-Input: x=();tag=\"app\", "), "several-signatures"},
  };
  EXPECT_GE(std::count_if(rows.begin(), rows.end(), [](const Row& row) { return *row.reason != '\0'; }), 25);
  for (const Row& row : rows) {
    Stepped policy = make(row.more);
    ASSERT_EQ(policy.errors, "") << row.name;
    const policy::Step step = policy.step(row.request);
    EXPECT_EQ(step.reason, row.reason) << row.name << ": " << step.detail;
    if (step.verdict == policy::Verdict::Continue) continue;
    EXPECT_EQ(policy.input->consumer, nullptr) << row.name;
    EXPECT_EQ(policy.input->body_digests, nullptr) << row.name;
    ASSERT_NE(step.answer, nullptr) << row.name;
    EXPECT_EQ(step.answer->detail, "") << "the client is told no more";
    if (step.answer->status != 401) continue;
    EXPECT_EQ(policy.answer_field(step, "WWW-Authenticate"), "Signature realm=\"gatelab\"");
    EXPECT_NE(policy.answer_field(step, "Accept-Signature"), "");
  }
}

TEST(Hmac, SaysWhatItWants) {
  Stepped policy = make(", label: app, tag: 'a\"b', required: [\"@method\", \"@path\"]");
  EXPECT_EQ(policy.answer_field(policy.step(get("/")), "Accept-Signature"), R"(app=("@method" "@path");created;keyid;nonce;tag="a\"b")");
  EXPECT_EQ(policy.answer_field(policy.step(kPost + "\r\n"), "Accept-Signature"), R"(app=("@method" "@path" "content-digest");created;keyid;nonce;tag="a\"b")");
  Stepped other = make(", nonce: optional, content_digest: ignore");
  EXPECT_EQ(other.answer_field(other.step(kPost + "\r\n"), "Accept-Signature"), R"(sig=("@method" "@target-uri");created;keyid)");
}

TEST(Hmac, LetsANonceInOncePerKeyUntilTheSignatureIsTooOld) {
  Stepped policy = make();
  const auto at = [&policy](std::int64_t now, const std::string& request) { return policy.step(request, Instant::from_seconds(now)).reason; };
  EXPECT_EQ(at(1000, with(kGet, kInput)), "");
  EXPECT_EQ(at(1000, with(kGet, kInput)), "replayed");
  EXPECT_EQ(at(1329, with(kGet, kInput)), "replayed");
  EXPECT_EQ(at(1330, with(kGet, kInput)), "too-old");
  EXPECT_EQ(at(1330, with(kGet, replaced(kInput, "1000", "1001"))), "") << "the nonce is free again, for a signature that was never let in";
  EXPECT_EQ(at(1001, with(kGet, replaced(kInput, "n1", "n2"))), "too-old") << "a clock that went back brings nothing back";
  const std::string input = replaced(replaced(kInput, "shop", "ed"), "1000", "1330");
  EXPECT_EQ(at(1330, kGet + signature_fields(input, signature_of(kGet, input, *keys().ed, Algorithm::EdDSA)) + "\r\n"), "") << "another key's nonces are others";
}

TEST(Hmac, UsesUpNothingForARequestThatIsRefused) {
  Stepped policy = make();
  EXPECT_EQ(policy.step(replaced(with(kGet, kInput), "/orders", "/admin")).reason, "wrong-signature");
  EXPECT_EQ(policy.step(with(kPost, kInput)).reason, "no-digest");
  EXPECT_EQ(policy.step(with(kGet, kInput)).reason, "");
}

TEST(Hmac, LetsNobodyInWhomItCouldNotRemember) {
  Stepped policy = make(", nonces: 2");
  for (const char* nonce : {"a", "b"}) EXPECT_EQ(policy.step(with(kGet, replaced(kInput, "n1", nonce))).reason, "");
  const policy::Step full = policy.step(with(kGet, replaced(kInput, "n1", "c")));
  EXPECT_EQ(full.reason, "replay-memory-full");
  EXPECT_EQ(full.answer->status, 503);
  EXPECT_EQ(full.outcome, policy::Outcome::Error);
  EXPECT_NE(policy.answer_field(full, "Retry-After"), "");
  EXPECT_EQ(policy.step(with(kGet, replaced(kInput, "n1", "a"))).reason, "replayed");
  EXPECT_EQ(policy.step(with(kGet, replaced(replaced(kInput, "n1", "c"), "1000", "1331")), Instant::from_seconds(1331)).reason, "") << "those before have left";
}

TEST(Hmac, MaySendTheSignatureOn) {
  Stepped policy = make(", forward_signature: true");
  EXPECT_EQ(policy.step(with(kGet, kInput)).reason, "");
  EXPECT_NE(policy.request->fields.find("Signature"), nullptr);
  EXPECT_NE(policy.request->fields.find("Signature-Input"), nullptr);
}

TEST(Hmac, CoversWhatTheClientSentAndNotWhatPoliciesMadeOfIt) {
  Stepped policy = make();
  policy.step(get("/"));  // makes arena and input
  std::construct_at(policy.request.get(), *policy.arena);
  http::RequestParser parser(*policy.request, {});
  ASSERT_EQ(parser.parse(policy.arena->copy(with(kGet, kInput))), http::ParseState::Done);
  policy.request->query = {};
  policy.request->has_query = false;
  EXPECT_EQ(policy.list.at(0)->step(*policy.input).reason, "") << "a key in the query was taken out of it";
}

TEST(Nonces, AreRememberedExactlyByManyThreads) {
  constexpr std::size_t kThreads = 8, kEach = 5000;
  policy::NonceStore store;
  std::atomic<std::size_t> fresh{0}, replayed{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < kEach; ++i) {
        const auto admission = store.admit({}, std::to_string(i), Instant::from_seconds(10), Instant::from_seconds(20), Instant::from_seconds(10), kEach);
        (admission == policy::NonceStore::Admission::Fresh ? fresh : replayed).fetch_add(1);
        EXPECT_TRUE(admission == policy::NonceStore::Admission::Fresh || admission == policy::NonceStore::Admission::Replayed);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(fresh.load(), kEach);
  EXPECT_EQ(replayed.load(), (kThreads - 1) * kEach);
  EXPECT_EQ(store.size(), kEach);
}

TEST(Nonces, ThatWereForgottenComeBackUnderNoLongerAge) {
  using Admission = policy::NonceStore::Admission;
  const auto s = [](std::int64_t seconds) { return Instant::from_seconds(seconds); };
  policy::NonceStore store;
  EXPECT_EQ(store.admit({}, "a", s(100), s(160), s(100), 10), Admission::Fresh);
  EXPECT_EQ(store.admit({}, "b", s(150), s(210), s(170), 10), Admission::Fresh) << "and a is forgotten";
  EXPECT_EQ(store.size(), 1U);
  // max_age is longer from now on: what was made at 100 is young again.
  EXPECT_EQ(store.admit({}, "a", s(100), s(700), s(171), 10), Admission::Forgotten);
  EXPECT_EQ(store.admit({}, "c", s(101), s(701), s(171), 10), Admission::Fresh);
}

}  // namespace
}  // namespace gatelab::test
