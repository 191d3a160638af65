// SPDX-License-Identifier: Apache-2.0
#include "crypto/jws_sign.h"
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

constexpr std::string_view kSecret = "a secret of at least 32 octets, for tests";
constexpr const char* kConsumers = "[ { name: one, groups: [gold], keys: [ { value: secret-1 } ] }, { name: guest } ]";
const std::string kIssuers = "{ main: { issuer: \"https://idp\", audiences: [a], keys: { secret: \"" + std::string(kSecret) + "\" } } }";

std::string token(const char* claims = R"({"iss":"https://idp","aud":"a","exp":2000,"sub":"alice"})") {
  return *crypto::sign_compact(R"({"alg":"HS256"})", claims, *crypto::SigningKey::from_secret(kSecret), crypto::Algorithm::HS256);
}

TEST(AnyOf, LetsPassWhomOneKnowsAndTellsTheBestReasonElse) {
  const std::string both = "[ { any-of: [ { jwt: { issuer: main, scopes: [a], forward: { sub: X-User } } }, { api-key: { groups: [gold] } } ] } ]";
  const std::string open = "[ { any-of: [ { api-key: {} }, { anonymous: { consumer: guest } } ] } ]";
  const std::string scoped = R"({"iss":"https://idp","aud":"a","exp":2000,"sub":"alice","scope":"a"})";
  struct Case {
    const std::string& policy;
    std::string fields;
    const char* reason;
    int status;
    const char* by;
  };
  const Case cases[] = {
      {both, "Authorization: Bearer " + token(scoped.c_str()) + "\r\n", "", 0, "jwt"},
      {both, "X-Api-Key: secret-1\r\n", "", 0, "api-key"},
      {both, "X-Api-Key: secret-1\r\nAuthorization: Bearer x.y.z\r\n", "", 0, "api-key"},
      {both, "", "missing-token", 401, ""},
      {both, "X-Api-Key: wrong\r\n", "unknown-key", 401, ""},
      {both, "Authorization: Bearer x.y.z\r\n", "malformed-token", 401, ""},
      {both, "X-Api-Key: wrong\r\nAuthorization: Bearer " + token() + "\r\n", "insufficient-scope", 403, ""},
      {open, "", "", 0, "anonymous"},
      {open, "X-Api-Key: secret-1\r\n", "", 0, "api-key"},
      {open, "X-Api-Key: wrong\r\n", "unknown-key", 401, ""},
  };
  for (const Case& c : cases) {
    Stepped policy(c.policy, kConsumers, kIssuers);
    ASSERT_EQ(policy.errors, "");
    const policy::Step step = policy.step(get("/", c.fields));
    EXPECT_EQ(step.reason, c.reason) << c.fields;
    EXPECT_EQ(policy.input->principal_by, c.by) << c.fields;
    if (c.status != 0) {
      ASSERT_NE(step.answer, nullptr);
      EXPECT_EQ(step.answer->status, c.status) << c.fields;
      EXPECT_EQ(policy.input->consumer, nullptr) << "who was refused is nobody";
    }
    policy.end();
  }
}

TEST(AnyOf, ChallengesForEveryWayIn) {
  Stepped policy("[ { any-of: [ { jwt: { issuer: main } }, { api-key: {} } ] } ]", kConsumers, kIssuers);
  const policy::Step step = policy.step(get("/"));
  EXPECT_EQ(step.answer->fields.count(http::FieldId::WwwAuthenticate), 2U);
  policy.end();
}

// What one member would have told, or has not looked at, goes no further when another lets the request pass.
TEST(AnyOf, LetsNothingThroughThatNobodyHasLookedAt) {
  Stepped policy("[ { any-of: [ { jwt: { issuer: main, forward: { sub: X-User } } }, { api-key: {} } ] } ]", kConsumers, kIssuers);
  const policy::Step step = policy.step(get("/", "X-Api-Key: secret-1\r\nX-User: root\r\nAuthorization: Bearer x\r\n"));
  EXPECT_EQ(step.verdict, policy::Verdict::Continue);
  for (const char* name : {"X-User", "Authorization", "X-Api-Key"}) EXPECT_EQ(policy.request->fields.find(name), nullptr) << name;
  policy.end();
}

TEST(AnyOf, SaysWhatIsWrongWithItsMembers) {
  struct Case {
    const char* policy;
    const char* error;
  };
  const Case cases[] = {
      {"[]", "wrong-type"},
      {"[ { api-key: {} } ]", "wrong-type"},
      {"[ { api-key: {} }, { headers: { request: { set: { A: b } } } } ]", "no-authenticator-here"},
      {"[ { anonymous: {} }, { api-key: {} } ]", "unreachable-member"},
      {"[ { api-key: {} }, { api-key: { query: k } } ]", "duplicate-id"},
      {"[ { api-key: {} }, { anonymous: { consumer: ghost } } ]", "unknown-consumer"},
      {"[ { api-key: {} }, { anonymous: {}, mode: observe } ]", "no-effect"},
      {"[ { api-kye: {} }, { anonymous: {} } ]", "unknown-policy"},
  };
  for (const Case& c : cases) {
    Stepped policy("[ { any-of: " + std::string(c.policy) + " } ]", kConsumers);
    EXPECT_NE(policy.errors.find("error[" + std::string(c.error) + "]"), std::string::npos) << c.policy << "\n" << policy.errors;
  }
}

}  // namespace
}  // namespace gatelab::test
