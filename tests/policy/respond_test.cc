// SPDX-License-Identifier: Apache-2.0
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

TEST(Respond, AnswersWithItsBodyAndType) {
  Stepped text("[ { respond: { status: 201, text: ok } } ]");
  const policy::Step step = text.step(get("/"));
  EXPECT_EQ(step.verdict, policy::Verdict::Respond);
  EXPECT_EQ(step.outcome, policy::Outcome::Respond);
  EXPECT_EQ(step.answer->status, 201);
  EXPECT_EQ(step.answer->body, "ok");
  Stepped json("[ { respond: { json: { a: [1, 2.50, \"3\", null, true, 0x10] } } } ]");
  EXPECT_EQ(json.step(get("/")).answer->body, "{\"a\":[1,2.50,\"3\",null,true,16]}");
}

TEST(Respond, RefusesWhatCanNotBeSent) {
  for (const char* yaml : {"[ { respond: { status: 99 } } ]", "[ { respond: { status: 204, text: x } } ]", "[ { respond: { text: a, json: 1 } } ]", "[ { respond: { headers: { Content-Length: 1 } } } ]"})
    EXPECT_NE(Stepped(yaml).errors, "") << yaml;
}

}  // namespace
}  // namespace gatelab::test
