// SPDX-License-Identifier: Apache-2.0
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

constexpr const char* kConsumers = "[ { name: one, groups: [gold], keys: [ { value: secret-1 } ] }, { name: two, keys: [ { sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 } ] } ]";

TEST(ApiKey, TellsConsumersApartOrSaysWhyNot) {
  struct Case {
    const char* policy;
    std::string request;
    const char* consumer;  // or
    const char* reason;
  };
  const Case cases[] = {
      {"[ { api-key: {} } ]", get("/", "X-Api-Key: secret-1\r\n"), "one", ""},
      {"[ { api-key: {} } ]", get("/", "x-api-key: test\r\n"), "two", ""},
      {"[ { api-key: {} } ]", get("/"), nullptr, "missing-key"},
      {"[ { api-key: {} } ]", get("/", "X-Api-Key:\r\n"), nullptr, "missing-key"},
      {"[ { api-key: {} } ]", get("/", "X-Api-Key: secret-2\r\n"), nullptr, "unknown-key"},
      {"[ { api-key: {} } ]", get("/", "X-Api-Key: test\r\nX-Api-Key: test\r\n"), nullptr, "duplicate-key"},
      {"[ { api-key: {} } ]", get("/", "X-Api-Key: " + std::string(5000, 'x') + "\r\n"), nullptr, "unknown-key"},
      {"[ { api-key: { query: k } } ]", get("/?a=b&k=secret%2d1"), "one", ""},
      {"[ { api-key: { query: k } } ]", get("/?k=test&k=test"), nullptr, "duplicate-key"},
      {"[ { api-key: { cookie: k } } ]", get("/", "Cookie: a=b; k=test\r\n"), "two", ""},
      {"[ { api-key: { groups: [gold] } } ]", get("/", "X-Api-Key: test\r\n"), nullptr, "not-in-group"},
  };
  for (const Case& c : cases) {
    Stepped policy(c.policy, kConsumers);
    ASSERT_EQ(policy.errors, "");
    const policy::Step step = policy.step(c.request);
    EXPECT_EQ(step.reason, c.reason) << c.policy << c.request;
    if (c.consumer != nullptr) {
      ASSERT_NE(policy.input->consumer, nullptr) << c.request;
      EXPECT_EQ(policy.input->consumer->name, c.consumer);
      EXPECT_EQ(step.verdict, policy::Verdict::Continue);
    } else {
      EXPECT_EQ(step.verdict, policy::Verdict::Respond);
      EXPECT_EQ(policy.answer_field(step, "WWW-Authenticate").empty(), std::string_view(c.reason) == "not-in-group");
    }
  }
}

TEST(ApiKey, KeepsTheKeyFromTheUpstreamUnlessToldOtherwise) {
  Stepped header("[ { api-key: {} } ]", kConsumers);
  header.step(get("/", "X-Api-Key: test\r\n"));
  EXPECT_EQ(header.request->fields.find("X-Api-Key"), nullptr);
  Stepped query("[ { api-key: { query: k } } ]", kConsumers);
  query.step(get("/?a=&k=test&b=2"));
  EXPECT_EQ(query.request->query, "a=&b=2");
  Stepped cookie("[ { api-key: { cookie: k } } ]", kConsumers);
  cookie.step(get("/", "Cookie: k=test\r\n"));
  EXPECT_EQ(cookie.request->fields.find("Cookie"), nullptr);
  Stepped forwarded("[ { api-key: { forward_key: true } } ]", kConsumers);
  forwarded.step(get("/", "X-Api-Key: test\r\n"));
  EXPECT_NE(forwarded.request->fields.find("X-Api-Key"), nullptr);
}

TEST(ApiKey, NeverQuotesAKeyInADiagnostic) {
  Stepped policy("[ { api-key: {} } ]", "[ { name: one, keys: [ { value: top-secret } ] }, { name: two, keys: [ { value: top-secret } ] } ]");
  EXPECT_NE(policy.sink.errors(), 0U);
  for (const diag::Diagnostic& d : policy.sink.all()) EXPECT_EQ((d.message + d.note + d.hint).find("top-secret"), std::string::npos);
}

}  // namespace
}  // namespace gatelab::test
