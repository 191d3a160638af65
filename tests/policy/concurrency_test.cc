// SPDX-License-Identifier: Apache-2.0
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

using namespace std::chrono_literals;

TEST(Concurrency, SaysWhoseFaultItIsThatThereIsNoPlace) {
  struct Case {
    const char *key, *reason;
    int status;
  };
  for (const Case& c : {Case{"ip", "concurrency-limited", 429}, Case{"consumer", "concurrency-limited", 429}, Case{"{ header: X-A }", "concurrency-limited", 429}, Case{"route", "overloaded", 503},
                        Case{"constant", "overloaded", 503}}) {
    Stepped policy("[ { concurrency: { max: 1, key: " + std::string(c.key) + " } } ]");
    ASSERT_EQ(policy.errors, "") << c.key;
    ASSERT_EQ(policy.step(get("/")).verdict, policy::Verdict::Continue);
    const auto arena = std::move(policy.arena);  // the first is still under way
    const auto input = std::move(policy.input);
    const auto request = std::move(policy.request);
    const policy::Step refused = policy.step(get("/"));
    EXPECT_EQ(refused.reason, c.reason) << c.key;
    EXPECT_EQ(refused.answer->status, c.status) << c.key;
    EXPECT_EQ(policy.answer_field(refused, "Retry-After"), "1") << c.key;
  }
}

TEST(Concurrency, AsksToWaitOnlyWhereThereIsAQueueAndForNoLongerThanItSays) {
  Stepped policy("[ { concurrency: { max: 1, key: ip, queue: 1, max_wait: 3s } } ]");
  ASSERT_EQ(policy.errors, "");
  ASSERT_EQ(policy.step(get("/")).verdict, policy::Verdict::Continue);
  const auto arena = std::move(policy.arena);
  const auto input = std::move(policy.input);
  const auto request = std::move(policy.request);
  policy::Step wait = policy.step(get("/"));
  ASSERT_EQ(wait.verdict, policy::Verdict::Need);
  EXPECT_EQ(std::get<policy::Acquire>(*wait.effect).at_most, 3s);
  const policy::Step over = policy.go_on(wait, false);
  EXPECT_EQ(over.reason, "concurrency-limited");
  EXPECT_EQ(over.detail, "key 192.0.2.1, 1 of 1 under way, 0 waiting: no place in time");
}

TEST(Concurrency, LetsGoOfItsPlaceWhenTheExchangeEndsOrAnotherLimitRefuses) {
  for (const bool undone : {false, true}) {
    Stepped policy("[ { concurrency: { max: 1, key: ip } } ]");
    ASSERT_EQ(policy.step(get("/")).verdict, policy::Verdict::Continue);
    if (undone) policy.list[0]->undo(*policy.input);
    policy.end();
    EXPECT_EQ(policy.step(get("/")).verdict, policy::Verdict::Continue) << undone;
    policy.end();
  }
}

TEST(Concurrency, RefusesConfigurationsThatMeanNothing) {
  for (const char* value : {"{ key: ip }", "{ max: 1 }", "{ max: 0, key: ip }", "{ max: 1, key: user }", "{ max: 1, key: ip, max_wait: 1s }", "{ max: 1, key: ip, queue: -1 }", "{ max: 5, key: route, adaptive: { min: 6 } }",
                            "{ max: 5, key: ip, adaptive: { min: 2 } }", "{ max: 5, key: route, adaptive: { min: 2, initial: 1 } }", "{ max: 5, key: route, adaptive: { tolerance: 0.5 } }", "{ max: 5, key: route, pool: '' }",
                            "{ limit: 5, key: route }"})
    EXPECT_NE(Stepped("[ { concurrency: " + std::string(value) + " } ]").errors, "") << value;
}

TEST(Concurrency, PoliciesOfOnePoolMustSayTheSame) {
  EXPECT_EQ(Stepped("[ { concurrency: { max: 2, key: ip, pool: a } }, { concurrency: { max: 2, key: ip, pool: a }, id: other } ]").errors, "");
  EXPECT_NE(Stepped("[ { concurrency: { max: 2, key: ip, pool: a } }, { concurrency: { max: 3, key: ip, pool: a }, id: other } ]").errors.find("shared-differs"), std::string::npos);
}

}  // namespace
}  // namespace gatelab::test
