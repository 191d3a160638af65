// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"
#include "policy/basic/htpasswd.h"
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

// "secret", by bcrypt, SHA-256 crypt and SHA-512 crypt.
const std::string kBcrypt = R"($2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW)";
const std::string kSha256 = R"($5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA)";
const std::string kSha512 = R"($6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1)";
const std::string kFile = "# who may\n\nalice:" + kBcrypt + "\nbob:" + kSha256 + "\r\ncarol:" + kSha512;

std::string with(const std::string& pair) { return get("/", "Authorization: Basic " + base64_encode(pair) + "\r\n"); }

Stepped make(const std::string& more = "") { return Stepped("[ { basic: { htpasswd: users" + more + " } } ]", "[ { name: alice, groups: [gold] } ]", "", {{"users", kFile}}); }

TEST(Basic, KnowsUsersByTheirPasswords) {
  struct Case {
    const char* more;
    std::string request;
    const char* reason;
  };
  const Case cases[] = {
      {"", with("alice:secret"), ""},
      {"", with("bob:secret"), ""},
      {"", with("carol:secret"), ""},
      {"", with("alice:Secret"), "wrong-credentials"},
      {"", with("alice:"), "wrong-credentials"},
      {"", with("nobody:secret"), "wrong-credentials"},
      {"", with(std::string("alice:secret\0x", 14)), "wrong-credentials"},
      {"", with("alice"), "malformed-credentials"},
      {"", get("/", "Authorization: Basic %%%\r\n"), "malformed-credentials"},
      {"", with("alice:" + std::string(2000, 'x')), "malformed-credentials"},
      {"", get("/"), "missing-credentials"},
      {"", get("/", "Authorization: Bearer x\r\n"), "missing-credentials"},
      {"", get("/", "Authorization: Basic YTpi\r\nAuthorization: Basic YTpi\r\n"), "malformed-credentials"},
      {", groups: [gold]", with("alice:secret"), ""},
      {", groups: [gold]", with("bob:secret"), "not-in-group"},
      {", consumer_required: true", with("bob:secret"), "unknown-consumer"},
  };
  for (const Case& c : cases) {
    Stepped policy = make(c.more);
    ASSERT_EQ(policy.errors, "");
    const policy::Step step = policy.go_on(policy.step(c.request));
    EXPECT_EQ(step.reason, c.reason) << c.request;
    if (step.verdict == policy::Verdict::Continue) {
      EXPECT_EQ(policy.request->fields.find("Authorization"), nullptr);
    }
    policy.end();
  }
}

TEST(Basic, ChecksAPasswordOnceAndAnUnknownUserLikeAKnownOne) {
  Stepped policy = make();
  EXPECT_EQ(policy.step(with("alice:secret")).verdict, policy::Verdict::Need);
  policy.end();
  EXPECT_EQ(policy.step(with("nobody:secret")).verdict, policy::Verdict::Need);
  policy.end();
  policy.go_on(policy.step(with("alice:secret")));
  policy.end();
  EXPECT_EQ(policy.step(with("alice:secret")).verdict, policy::Verdict::Continue) << "it was right before";
  policy.end();
  EXPECT_EQ(policy.step(with("alice:wrong")).verdict, policy::Verdict::Need);
  policy.end();
}

TEST(Basic, SaysThatItIsBusyWhenNoPasswordCanBeChecked) {
  Stepped policy = make();
  const policy::Step step = policy.go_on(policy.step(with("alice:secret")), false);
  EXPECT_EQ(step.reason, "busy");
  EXPECT_EQ(step.answer->status, 503);
  policy.end();
}

TEST(Htpasswd, NamesTheLineThatIsWrong) {
  struct Case {
    std::string text;
    const char* error;
  };
  const Case cases[] = {
      {"alice", "line 1: not user:hash"},
      {":" + kBcrypt, "line 1: not user:hash"},
      {"\n\nalice:secret", "line 3: the hash of `alice`"},
      {"alice:$apr1$x$y", "line 1: the hash of `alice`"},
      {"alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "line 1: the hash of `alice`"},
      {"alice:$2y$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuuabcdefghijk", "line 1: the hash of `alice`"},
      {"alice:$6$rounds=999999999$salt$" + std::string(86, 'a'), "line 1: the hash of `alice`"},
      {"alice:" + kBcrypt + "\nalice:" + kSha256, "line 2: `alice` stands there twice"},
  };
  for (const Case& c : cases) {
    diag::Sink sink;
    policy::parse_htpasswd(c.text, "users", {}, sink);
    EXPECT_NE(diag::render_all(sink, diag::Colour::Off).find(c.error), std::string::npos) << c.text << "\n" << diag::render_all(sink, diag::Colour::Off);
  }
}

TEST(Htpasswd, FindsAHashThatAnUnknownUserCostsWhateverSaltsSay) {
  diag::Sink sink;
  const policy::Users users = policy::parse_htpasswd("alice:$5$rounds$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA\nbob:$5$arounds=b$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA", "users", {}, sink);
  EXPECT_EQ(users.hashes.size(), 2U) << diag::render_all(sink, diag::Colour::Off);
  EXPECT_NE(users.slowest, "");
  const policy::Users one = policy::parse_htpasswd("bob:$5$arounds=b$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA", "users", {}, sink);
  EXPECT_NE(one.slowest, "");
}

}  // namespace
}  // namespace gatelab::test
