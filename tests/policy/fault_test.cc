// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "policy/stepped.h"

namespace gatelab::test {
namespace {

using namespace std::chrono_literals;

Stepped make(const std::string& value, const std::string& more = "") { return Stepped("[ { fault: " + value + more + " } ]"); }

// As the walk does it: the dice are the request's own.
policy::Step roll(Stepped& policy, std::uint64_t request, const std::string& head = get("/")) {
  policy.step(head);  // whatever it says, it is stepped anew
  policy.end();
  policy.scratch = {};
  policy.input->dice = mix64(request);
  return policy.list.at(0)->step(*policy.input);
}

TEST(Fault, DelaysThenBreaksOff) {
  Stepped policy = make("{ delay: 2s, abort: 504 }");
  ASSERT_EQ(policy.errors, "");
  const policy::Step wait = policy.step(get("/"), Instant::from_seconds(1000));
  ASSERT_EQ(wait.verdict, policy::Verdict::Need);
  EXPECT_EQ(std::get<policy::Until>(*wait.effect).when, Instant::from_seconds(1002));
  const policy::Step broken = policy.go_on(wait);
  EXPECT_EQ(broken.verdict, policy::Verdict::Respond);
  EXPECT_EQ(broken.outcome, policy::Outcome::Error);
  EXPECT_EQ(broken.reason, "injected-abort");
  EXPECT_EQ(broken.answer->status, 504);
  EXPECT_EQ(policy.input->injected, "delay 2s, abort 504");
  policy.end();
}

TEST(Fault, MeetsItsShareAndSparesTheSameRequestsEachTime) {
  Stepped policy = make("{ delay: { fixed: 1s, share: 30% }, abort: { reset: true, share: 10% } }");
  ASSERT_EQ(policy.errors, "");
  std::map<policy::Verdict, int> first, second;
  for (auto* seen : {&first, &second})
    for (std::uint64_t i = 0; i < 10'000; ++i) {
      ++(*seen)[roll(policy, i).verdict];
      policy.end();
    }
  EXPECT_EQ(first, second);
  EXPECT_NEAR(first[policy::Verdict::Need], 3000, 150);
  EXPECT_NEAR(first[policy::Verdict::Abort], 700, 90);  // those of the tenth that are not delayed before
}

TEST(Fault, ASpreadHasItsMedianAndItsLastHundredth) {
  Stepped policy = make("{ delay: { p50: 20ms, p99: 400ms } }");
  int above_median = 0, above_last = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const policy::Step wait = roll(policy, i);
    const Duration length = std::get<policy::Until>(*wait.effect).when - policy.input->now;
    above_median += length > 20ms ? 1 : 0;
    above_last += length > 400ms ? 1 : 0;
    policy.end();
  }
  EXPECT_NEAR(above_median, 5000, 200);
  EXPECT_NEAR(above_last, 100, 40);
}

TEST(Fault, LetsGoOfItsPlaceWhenTheDelayIsOverOrTheClientGoes) {
  for (const bool gone : {false, true}) {
    Stepped policy = make("{ delay: 1s, max_active: 1 }");
    const policy::Step wait = policy.step(get("/"));
    ASSERT_EQ(wait.verdict, policy::Verdict::Need);
    const auto arena = std::move(policy.arena);
    const auto input = std::move(policy.input);
    const auto request = std::move(policy.request);
    const policy::Scratch held = policy.scratch;
    const policy::Step second = policy.step(get("/"));
    EXPECT_EQ(second.verdict, policy::Verdict::Continue);
    EXPECT_EQ(second.detail, "as many suffer as may");
    policy.scratch = held;
    if (gone) policy.end();
    else EXPECT_EQ(policy.go_on(wait).reason, "injected-delay");
    EXPECT_EQ(policy.step(get("/")).verdict, policy::Verdict::Need) << gone;
    policy.end();
  }
}

TEST(Fault, SpeaksOfWhatWhenSays) {
  struct Case {
    const char* when;
    std::string request;
    bool suffers;
  };
  const std::string post = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
  const Case cases[] = {
      {"GET /a", get("/a"), true},          {"GET /a", get("/b"), false},       {"GET /a", post, false},       {"/a/*", get("/a/b"), true},
      {"/a/*", get("/ab"), false},          {"POST", post, true},               {"POST", get("/a"), false},    {"{ headers: { X-A: b } }", get("/", "X-A: b\r\n"), true},
      {"{ headers: { X-A: b } }", get("/", "X-A: c\r\n"), false},
      {"{ path: /a, methods: [POST] }", post, true},
  };
  for (const Case& c : cases) {
    Stepped policy = make("{ when: " + std::string(c.when) + ", abort: 500 }");
    ASSERT_EQ(policy.errors, "") << c.when;
    EXPECT_EQ(policy.step(c.request).verdict == policy::Verdict::Respond, c.suffers) << c.when << "\n" << c.request;
    policy.end();
  }
}

TEST(Fault, IsNotRolledForWhoOnlyAsks) {
  for (const auto& [value, detail] : {std::pair{"{ delay: { fixed: 1s, share: 10% }, abort: { status: 500, share: 5% } }", "10% are delayed by 1s; 5% are answered 500"}, std::pair{"{ delay: { p50: 1s, p99: 2s } }", "delayed by p50 1s, p99 2s"}}) {
    Stepped policy = make(value);
    policy.step(get("/"));
    policy.end();
    policy.scratch = {};
    policy.input->is_explained = true;
    const policy::Step step = policy.list[0]->step(*policy.input);
    EXPECT_EQ(step.verdict, policy::Verdict::Continue);
    EXPECT_EQ(step.detail, detail);
  }
}

TEST(Fault, OnlyLooksOn) {
  Stepped policy = make("{ delay: 1s }", ", mode: observe");
  const policy::Step step = policy.step(get("/"));
  EXPECT_EQ(step.verdict, policy::Verdict::Continue);
  EXPECT_EQ(step.outcome, policy::Outcome::Observe);
  EXPECT_EQ(step.detail, "would be delayed by 1s");
  EXPECT_EQ(policy.input->injected, "");
  policy.end();
}

TEST(Fault, RefusesConfigurationsThatMeanNothing) {
  for (const char* value : {"{}", "{ delay: 5 }", "{ abort: 99 }", "{ abort: { share: 10% } }", "{ abort: { reset: false } }", "{ abort: { reset: true, status: 500 } }", "{ delay: { fixed: 1s, p50: 1s, p99: 2s } }", "{ delay: { p50: 1s } }", "{ delay: { p50: 2s, p99: 1s } }",
                            "{ delay: { fixed: 1s, share: 10 } }", "{ abort: 500, share: 10% }", "{ abort: 500, max_active: 0 }", "{ abort: 500, abort_on_half_close: true }", "{ abort: 500, when: { method: GET } }", "{ abort: 500, when: GET a }"})
    EXPECT_NE(make(value).errors, "") << value;
}

}  // namespace
}  // namespace gatelab::test
