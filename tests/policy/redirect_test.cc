// SPDX-License-Identifier: Apache-2.0
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

TEST(Redirect, SaysWhereTo) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"[ { redirect: { to: /b } } ]", "/a?x=1", "/b?x=1"},
      {"[ { redirect: { to: /b, keep_query: false } } ]", "/a?x=1", "/b"},
      {"[ { redirect: { to: \"https://h\", keep_path: true } } ]", "/a", "https://h/a"},
      {"[ { redirect: { to: \"/b?y=2\" } } ]", "/a?x=1", "/b?y=2&x=1"},
  };
  for (const auto& [yaml, target, to] : cases) {
    Stepped policy(yaml);
    ASSERT_EQ(policy.errors, "") << yaml;
    EXPECT_EQ(policy.answer_field(policy.step(get(target)), "Location"), to) << yaml;
  }
}

TEST(Redirect, RefusesTargetsThatLeadAstray) {
  for (const char* yaml : {"[ { redirect: {} } ]", "[ { redirect: { to: //evil } } ]", "[ { redirect: { to: \"javascript:x\" } } ]", "[ { redirect: { to: /a, status: 304 } } ]", "[ { redirect: { to: \"https://h/\", keep_path: true } } ]"})
    EXPECT_NE(Stepped(yaml).errors, "") << yaml;
}

}  // namespace
}  // namespace gatelab::test
