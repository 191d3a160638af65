// SPDX-License-Identifier: Apache-2.0
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

const policy::Call& call_of(const policy::Step& step) { return std::get<policy::Call>(*step.effect); }

TEST(ForwardAuth, SendsWhatItIsToldTo) {
  Stepped policy("[ { forward-auth: { upstream: auth, path: \"/check?a=1\", send: [ Authorization, X-Tenant ] } } ]");
  const policy::Step step = policy.step(get("/orders?x=1", "Authorization: Bearer t\r\nX-Tenant: acme\r\nCookie: a=b\r\n"));
  ASSERT_EQ(step.verdict, policy::Verdict::Need);
  const policy::Call& call = call_of(step);
  EXPECT_EQ(call.path, "/check");
  EXPECT_EQ(call.query, "a=1");
  EXPECT_EQ(call.fields->find("Authorization")->value, "Bearer t");
  EXPECT_EQ(call.fields->find("X-Tenant")->value, "acme");
  EXPECT_EQ(call.fields->find("Cookie"), nullptr);
  EXPECT_EQ(call.asked_method, "GET");
  EXPECT_EQ(call.asked_uri, "/orders?x=1");
}

TEST(ForwardAuth, DoesAsTheServiceSays) {
  struct Case {
    const char* policy;
    int status;          // 0: it failed
    const char* reason;
    int answer;          // 0: the request passes
  };
  const Case cases[] = {
      {"", 200, "", 0}, {"", 204, "", 0}, {"", 401, "refused-by-service", 401}, {"", 403, "refused-by-service", 403},
      {"", 302, "refused-by-service", 302}, {"", 429, "refused-by-service", 429}, {"", 404, "service-unavailable", 503},
      {"", 500, "service-unavailable", 503}, {"", 0, "service-unavailable", 503}, {", on_failure: allow", 500, "", 0},
      {", on_failure: allow", 0, "", 0}, {", on_failure: allow", 401, "refused-by-service", 401},
  };
  for (const Case& c : cases) {
    Stepped policy("[ { forward-auth: { upstream: auth, forward: [ X-User ], consumer: X-User" + std::string(c.policy) + " } } ]", "[ { name: alice } ]");
    ASSERT_EQ(policy.errors, "");
    policy::Step step = policy.step(get("/", "X-User: root\r\n"));
    ASSERT_EQ(step.verdict, policy::Verdict::Need);
    policy::CallAnswer& answer = *call_of(step).answer;
    answer.status = static_cast<std::uint16_t>(c.status);
    if (c.status == 0) answer.failure = "connect-failure";
    if (c.status == 200) answer.fields.add("X-User", "alice");
    if (c.status == 401) answer.fields.add(http::FieldId::WwwAuthenticate, "WWW-Authenticate", "Bearer");
    policy.input->effect_done = c.status != 0;
    step = policy.list.at(0)->step(*policy.input);
    EXPECT_EQ(step.reason, c.reason) << c.status << c.policy;
    EXPECT_EQ(step.answer == nullptr ? 0 : step.answer->status, c.answer) << c.status << c.policy;
    const http::Field* user = policy.request->fields.find("X-User");
    EXPECT_EQ(user == nullptr ? "" : user->value, c.status == 200 ? "alice" : "") << "a client tells nothing in the service's name";
    if (c.status == 200) {
      EXPECT_EQ(policy.input->consumer->name, "alice");
    }
    EXPECT_EQ(policy.answer_field(step, "WWW-Authenticate"), c.status == 401 ? "Bearer" : "");
  }
}

}  // namespace
}  // namespace gatelab::test
