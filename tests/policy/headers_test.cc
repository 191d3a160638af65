// SPDX-License-Identifier: Apache-2.0
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

TEST(Headers, RemovesThenSetsThenAdds) {
  Stepped policy("[ { headers: { request: { remove: [X-Old], set: { X-Env: new }, add: { X-Tag: b } } } } ]");
  ASSERT_EQ(policy.errors, "");
  policy.step(get("/", "X-Old: 1\r\nx-env: 1\r\nX-Env: 2\r\nX-Tag: a\r\n"));
  EXPECT_EQ(policy.request->fields.find("X-Old"), nullptr);
  EXPECT_EQ(policy.request->fields.find("X-Env")->value, "new");
  std::string tags;
  for (const http::Field& f : policy.request->fields)
    if (f.name == "X-Tag") tags += f.value;
  EXPECT_EQ(tags, "ab");
  EXPECT_FALSE(policy.list[0]->has_on_response());
}

TEST(Headers, RefusesWhatWouldBreakTheMessage) {
  for (const char* yaml : {"[ { headers: { request: { set: { Host: a } } } } ]", "[ { headers: { response: { remove: [Content-Length] } } } ]", "[ { headers: { request: { set: { \"X Y\": a } } } } ]",
                           "[ { headers: { request: { set: { X: \"a\\r\\nb\" } } } } ]", "[ { headers: { set: { X: a } } } ]"})
    EXPECT_NE(Stepped(yaml).errors, "") << yaml;
}

}  // namespace
}  // namespace gatelab::test
