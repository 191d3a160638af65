// SPDX-License-Identifier: Apache-2.0
#include "crypto/jws_sign.h"
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

constexpr std::string_view kSecret = "a secret of at least 32 octets, for tests";
constexpr std::string_view kClaims = R"("iss":"https://idp","aud":"orders","exp":2000)";

std::string issuers(const std::string& more = "") {
  return "{ main: { issuer: \"https://idp\", audiences: [orders], keys: { secret: \"" + std::string(kSecret) + "\" }" + more + " } }";
}

std::string token(const std::string& claims, const std::string& header = R"({"alg":"HS256","typ":"JWT"})") {
  auto made = crypto::sign_compact(header, "{" + claims + "}", *crypto::SigningKey::from_secret(kSecret), crypto::Algorithm::HS256);
  EXPECT_TRUE(made);
  return made ? *made : "";
}

std::string bearer(const std::string& token) { return get("/", "Authorization: Bearer " + token + "\r\n"); }

TEST(Jwt, JudgesWhatATokenSays) {
  struct Case {
    std::string policy, issuer, claims;
    std::int64_t at;
    const char* reason;
  };
  const std::string base(kClaims);
  const Case cases[] = {
      {"", "", base, 1000, ""},
      {"", "", base, 1999, ""},
      {"", "", base, 2000, "expired"},
      {"", ", leeway: 30s", base, 2029, ""},
      {"", ", leeway: 30s", base, 2030, "expired"},
      {"", "", base + R"(,"nbf":1001)", 1000, "not-yet-valid"},
      {"", "", base + R"(,"nbf":1001)", 1001, ""},
      {"", ", leeway: 10s", base + R"(,"nbf":1010)", 1000, ""},
      {"", "", base + R"(,"iat":1001)", 1000, "not-yet-valid"},
      {"", ", max_age: 60s", base + R"(,"iat":1000)", 1059, ""},
      {"", ", max_age: 60s", base + R"(,"iat":1000)", 1060, "too-old"},
      {"", ", max_age: 60s", base, 1000, "too-old"},
      {"", "", R"("iss":"https://idp","aud":"orders")", 1000, "no-expiry"},
      {"", ", exp: optional", R"("iss":"https://idp","aud":"orders")", 1000, ""},
      {"", "", R"("iss":"https://idp/","aud":"orders","exp":2000)", 1000, "issuer"},
      {"", "", R"("aud":"orders","exp":2000)", 1000, "issuer"},
      {"", "", R"("iss":"https://idp","aud":"Orders","exp":2000)", 1000, "audience"},
      {"", "", R"("iss":"https://idp","exp":2000)", 1000, "audience"},
      {"", "", R"("iss":"https://idp","aud":["x","orders"],"exp":2000)", 1000, ""},
      {"", ", types: [at+jwt]", base, 1000, "type"},
      {", scopes: [a, b]", "", base + R"(,"scope":"b a c")", 1000, ""},
      {", scopes: [a, b]", "", base + R"(,"scp":["a","b"])", 1000, ""},
      {", scopes: [a, b]", "", base + R"(,"scope":"ab")", 1000, "insufficient-scope"},
      {", scopes: [a]", "", base, 1000, "insufficient-scope"},
      {", any_scope: [a, b]", "", base + R"(,"scope":"b")", 1000, ""},
      {", any_scope: [a, b]", "", base + R"(,"scope":"c")", 1000, "insufficient-scope"},
      {", claims: { n: 7 }", "", base + R"(,"n":7)", 1000, ""},
      {", claims: { n: 7 }", "", base + R"(,"n":"7")", 1000, "claim"},
      {", claims: { n: 7 }", "", base, 1000, "claim"},
      {", claims: { t: { one_of: [a, b] } }", "", base + R"(,"t":"b")", 1000, ""},
      {", claims: { o.p: x }", "", base + R"(,"o":{"p":"x"})", 1000, ""},
      {", claims: { l: { includes: [a, b] } }", "", base + R"(,"l":["b","c","a"])", 1000, ""},
      {", claims: { l: { includes: [a, b] } }", "", base + R"(,"l":["b"])", 1000, "claim"},
      {", claims: { l: { includes: a } }", "", base + R"(,"l":"a")", 1000, "claim"},
      {", claims: { n: { ge: 2, le: 3 } }", "", base + R"(,"n":3)", 1000, ""},
      {", claims: { n: { ge: 2, le: 3 } }", "", base + R"(,"n":3.5)", 1000, "claim"},
      {", claims: { s: { matches: \"a+\" } }", "", base + R"(,"s":"aab")", 1000, "claim"},
      {", claims: { s: { present: false } }", "", base + R"(,"s":null)", 1000, "claim"},
      {", consumer: sub, consumer_required: true", "", base + R"(,"sub":"nobody")", 1000, "unknown-consumer"},
      {", consumer: sub", "", base + R"(,"sub":"nobody")", 1000, ""},
  };
  for (const Case& c : cases) {
    Stepped policy("[ { jwt: { issuer: main" + c.policy + " } } ]", "", issuers(c.issuer));
    ASSERT_EQ(policy.errors, "");
    const policy::Step step = policy.step(bearer(token(c.claims)), Instant::from_seconds(c.at));
    EXPECT_EQ(step.reason, c.reason) << c.policy << c.issuer << c.claims << " at " << c.at;
    EXPECT_EQ(step.verdict == policy::Verdict::Continue, std::string_view(c.reason).empty());
    EXPECT_EQ(policy.answer_field(step, "WWW-Authenticate").empty(), std::string_view(c.reason).empty());
    policy.end();
  }
}

TEST(Jwt, FindsOneTokenAndNoMore) {
  const std::string good = token(std::string(kClaims));
  struct Case {
    const char* policy;
    std::string request;
    const char* reason;
  };
  const Case cases[] = {
      {"", get("/"), "missing-token"},
      {"", get("/", "Authorization: Basic YTpi\r\n"), "missing-token"},
      {"", get("/", "Authorization: Bearer\r\n"), "missing-token"},
      {"", get("/", "authorization: bearer " + good + "\r\n"), ""},
      {"", get("/", "Authorization: Bearer " + good + "\r\nAuthorization: Bearer " + good + "\r\n"), "duplicate-token"},
      {"", get("/", "Authorization: Bearer " + good + "\r\nAuthorization: Basic YTpi\r\n"), "duplicate-token"},
      {"", get("/", "Authorization: Bearer " + good + " \r\n"), ""},
      {"", get("/", "Authorization: Bearer " + good + ",x\r\n"), "malformed-token"},
      {"", get("/", "Authorization: Bearer x\r\n"), "malformed-token"},
      {", query: t", get("/?t=" + good), ""},
      {", query: t", get("/?t=" + good + "&t=x"), "duplicate-token"},
      {", cookie: t", get("/", "Cookie: a=b; t=" + good + "\r\n"), ""},
      {", header: X-Token", get("/", "X-Token: " + good + "\r\n"), ""},
  };
  for (const Case& c : cases) {
    Stepped policy("[ { jwt: { issuer: main" + std::string(c.policy) + " } } ]", "", issuers());
    ASSERT_EQ(policy.errors, "");
    EXPECT_EQ(policy.step(c.request).reason, c.reason) << c.policy << c.request;
    policy.end();
  }
}

TEST(Jwt, TellsClaimsAndRemovesWhatTheClientSaysInstead) {
  Stepped policy("[ { jwt: { issuer: main, forward: { sub: X-User, groups: X-Groups, evil: X-Evil } } } ]", "", issuers());
  const std::string claims = std::string(kClaims) + R"(,"sub":"alice","groups":["a",1,true],"evil":"a\r\nX-Admin: 1")";
  const policy::Step step = policy.step(get("/", "X-User: root\r\nx-groups: all\r\nX-Evil: 1\r\nAuthorization: Bearer " + token(claims) + "\r\n"));
  EXPECT_EQ(step.reason, "");
  const auto field = [&policy](std::string_view name) {
    const http::Field* f = policy.request->fields.find(name);
    return f == nullptr ? "(none)" : std::string(f->value);
  };
  EXPECT_EQ(field("X-User"), "alice");
  EXPECT_EQ(field("X-Groups"), "a,1,true");
  EXPECT_EQ(field("X-Evil"), "(none)");
  EXPECT_EQ(field("Authorization"), "(none)");
  EXPECT_EQ(policy.input->principal, "main/alice");
  policy.end();
}

// A token that was remembered is judged like a new one.
TEST(Jwt, RemembersSignaturesAndNotVerdicts) {
  Stepped policy("[ { jwt: { issuer: main, scopes: [a] } } ]", "", issuers());
  const std::string good = token(std::string(kClaims) + R"(,"scope":"a")");
  for (const auto& [at, reason] : {std::pair{1000, ""}, {1999, ""}, {2000, "expired"}, {1000, ""}}) {
    EXPECT_EQ(policy.step(bearer(good), Instant::from_seconds(at)).reason, reason) << at;
    policy.end();
  }
  EXPECT_EQ(policy.signers.all.front()->verified->size(), 1U);
  const std::string late = token(std::string(R"("iss":"https://idp","aud":"orders","exp":999)"));
  EXPECT_EQ(policy.step(bearer(late)).reason, "expired");
  policy.end();
  EXPECT_EQ(policy.signers.all.front()->verified->size(), 1U) << "what has expired is not worth remembering";
}

TEST(Jwt, SaysWhatIsWrongWithItsConfiguration) {
  struct Case {
    const char* policy;
    const char* error;
  };
  const Case cases[] = {
      {"{}", "missing-key"},
      {"{ issuer: mian }", "unknown-issuer"},
      {"{ issuer: main, issuers: [main] }", "two-places"},
      {"{ issuers: [main, main] }", "duplicate-name"},
      {"{ issuer: main, scopes: [\"a b\"] }", "bad-scope"},
      {"{ issuer: main, forward: { sub: Host } }", "bad-header"},
      {"{ issuer: main, forward: { sub: \"X User\" } }", "bad-header"},
      {"{ issuer: main, claims: { a: { matches: \"(\" } } }", "bad-regex"},
      {"{ issuer: main, claims: { a: {} } }", "bad-claim"},
      {"{ issuer: main, header: A, query: b }", "two-places"},
      {"{ issuer: main, consumer_required: true }", "no-effect"},
      {"{ issuer: main, audiences: [a] }", "unknown-key"},
  };
  for (const Case& c : cases) {
    Stepped policy("[ { jwt: " + std::string(c.policy) + " } ]", "", issuers());
    EXPECT_NE(policy.errors.find("error[" + std::string(c.error) + "]"), std::string::npos) << c.policy << "\n" << policy.errors;
  }
}

}  // namespace
}  // namespace gatelab::test
