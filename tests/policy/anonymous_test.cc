// SPDX-License-Identifier: Apache-2.0
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

TEST(Anonymous, LetsEveryonePassUnderAName) {
  Stepped named("[ { anonymous: { consumer: guest } } ]", "[ { name: guest } ]");
  EXPECT_EQ(named.step(get("/")).verdict, policy::Verdict::Continue);
  ASSERT_NE(named.input->consumer, nullptr);
  EXPECT_EQ(named.input->consumer->name, "guest");
  Stepped bare("[ { anonymous: {} } ]");
  EXPECT_EQ(bare.step(get("/")).verdict, policy::Verdict::Continue);
  EXPECT_EQ(bare.input->consumer, nullptr);
  Stepped wrong("[ { anonymous: { consumer: gust } } ]", "[ { name: guest } ]");
  EXPECT_NE(wrong.errors.find("did you mean `guest`"), std::string::npos) << wrong.errors;
}

}  // namespace
}  // namespace gatelab::test
