// SPDX-License-Identifier: Apache-2.0
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

constexpr const char* kConsumers = "[ { name: one, keys: [ { value: secret-1 } ] }, { name: two, keys: [ { value: secret-2 } ] } ]";

TEST(AllOf, LetsPassWhomEverybodyKnowsAndTheLastSaysWho) {
  struct Case {
    const char* fields;
    const char* reason;
    const char* consumer;
  };
  const Case cases[] = {
      {"X-A: secret-1\r\nX-B: secret-2\r\n", "", "two"},
      {"X-A: secret-1\r\n", "missing-key", ""},
      {"X-B: secret-2\r\n", "missing-key", ""},
      {"X-A: secret-1\r\nX-B: wrong\r\n", "unknown-key", ""},
      {"", "missing-key", ""},
  };
  for (const Case& c : cases) {
    Stepped policy("[ { all-of: [ { api-key: { header: X-A }, id: a }, { api-key: { header: X-B }, id: b } ] } ]", kConsumers);
    ASSERT_EQ(policy.errors, "");
    const policy::Step step = policy.step(get("/", c.fields));
    EXPECT_EQ(step.reason, c.reason) << c.fields;
    if (*c.consumer != '\0') {
      EXPECT_EQ(policy.input->consumer->name, c.consumer);
    }
    policy.end();
  }
}

TEST(AllOf, HasNoPlaceForAnonymous) {
  Stepped policy("[ { all-of: [ { api-key: {} }, { anonymous: {} } ] } ]", kConsumers);
  EXPECT_NE(policy.errors.find("error[no-effect]"), std::string::npos) << policy.errors;
}

}  // namespace
}  // namespace gatelab::test
