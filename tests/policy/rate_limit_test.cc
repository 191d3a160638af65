// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <thread>

#include "policy/rate_limit/limiter_table.h"
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

using namespace std::chrono_literals;
using policy::Algorithm;
using policy::LimiterTable;
using policy::LimitRule;

Instant at(Duration d) { return Instant::from_seconds(60 * 1000) + d; }

TEST(FixedWindow, RefusesTheNextUntilTheWindowEnds) {
  policy::LimitCell cell;
  const LimitRule rule{Algorithm::FixedWindow, {3, 60s}, 0};
  for (std::uint64_t left : {2U, 1U, 0U}) EXPECT_EQ(policy::charge(rule, cell, at(10s)).remaining, left);
  const auto refused = policy::charge(rule, cell, at(10s));
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.wait, 50s);
  EXPECT_FALSE(policy::charge(rule, cell, at(60s - 1ns)).allowed);
  EXPECT_TRUE(policy::charge(rule, cell, at(60s)).allowed);
}

TEST(Limits, SayExactlyWhenTheNextOnePasses) {
  for (const Algorithm algorithm : {Algorithm::FixedWindow, Algorithm::SlidingWindow, Algorithm::Gcra}) {
    for (const std::uint64_t count : {1U, 2U, 7U}) {
      policy::LimitCell cell;
      const LimitRule rule{algorithm, {count, 60s}, 0};
      Instant now = at(13s);
      for (int i = 0; i < 50; ++i) {
        policy::LimitCell before = cell;
        const auto answer = policy::charge(rule, cell, now);
        if (answer.allowed) {
          now = now + 1s;
          continue;
        }
        ASSERT_GT(answer.wait, 0ns);
        policy::LimitCell early = before;
        EXPECT_FALSE(policy::charge(rule, early, now + (answer.wait - 2ns)).allowed) << static_cast<int>(algorithm) << " " << count;
        now = now + answer.wait;
        policy::LimitCell then = before;
        EXPECT_TRUE(policy::charge(rule, then, now).allowed) << static_cast<int>(algorithm) << " " << count;
      }
    }
  }
}

TEST(Gcra, LetsABurstThroughAndThenOneAtATime) {
  policy::LimitCell cell;
  const LimitRule rule{Algorithm::Gcra, {60, 60s}, 3};
  int passed = 0;
  for (int i = 0; i < 10; ++i) passed += policy::charge(rule, cell, at(0s)).allowed ? 1 : 0;
  EXPECT_EQ(passed, 3);
  EXPECT_TRUE(policy::charge(rule, cell, at(1s)).allowed);
  EXPECT_FALSE(policy::charge(rule, cell, at(1s)).allowed);
}

TEST(LimiterTable, AdmitsExactlyTheRateFromManyThreads) {
  LimiterTable table(1000, 1);
  const LimitRule rules[] = {{Algorithm::FixedWindow, {1000, 60s}, 0}, {Algorithm::Gcra, {5000, 60s}, 5000}};
  std::atomic<int> admitted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) admitted += table.charge("key", rules, at(1s)).allowed ? 1 : 0;
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(admitted, 1000);
}

TEST(LimiterTable, ChargesAllRatesOrNone) {
  LimiterTable table(1000, 1);
  const LimitRule rules[] = {{Algorithm::FixedWindow, {5, 60s}, 0}, {Algorithm::FixedWindow, {1, 1s}, 0}};
  EXPECT_TRUE(table.charge("k", rules, at(0s)).allowed);
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(table.charge("k", rules, at(0s)).allowed);
  for (int i = 1; i < 5; ++i) EXPECT_TRUE(table.charge("k", rules, at(i * 1s)).allowed);
  EXPECT_FALSE(table.charge("k", rules, at(5s)).allowed);
}

TEST(LimiterTable, ForgetsOnlyWhatIsBackToNothingAndStaysBounded) {
  LimiterTable table(64, 1);
  const LimitRule rules[] = {{Algorithm::FixedWindow, {5, 60s}, 0}};
  int full = 0;
  for (int i = 0; i < 1000; ++i) full += table.charge("key " + std::to_string(i), rules, at(0s)).full ? 1 : 0;
  EXPECT_LE(table.size(), 64U);
  EXPECT_EQ(full, 1000 - static_cast<int>(table.size()));
  EXPECT_FALSE(table.charge("another", rules, at(60s)).full) << "the minute is over: there is room";
}

TEST(RateLimit, GivesItsChargeBackWhenALaterLimitRefuses) {
  Stepped policy("[ { rate-limit: { rate: 1/m, key: ip } } ]");
  ASSERT_EQ(policy.errors, "");
  EXPECT_EQ(policy.step(get("/")).verdict, policy::Verdict::Continue);
  policy.list[0]->undo(*policy.input);
  EXPECT_EQ(policy.step(get("/")).verdict, policy::Verdict::Continue);
  const policy::Step refused = policy.step(get("/"));
  EXPECT_EQ(refused.reason, "rate-limited");
  EXPECT_EQ(policy.answer_field(refused, "Retry-After"), "20");
}

TEST(RateLimit, RefusesConfigurationsThatMeanNothing) {
  for (const char* yaml : {"[ { rate-limit: { rate: 0/m, key: ip } } ]", "[ { rate-limit: { rate: -1/m, key: ip } } ]", "[ { rate-limit: { rate: 1/0s, key: ip } } ]",
                           "[ { rate-limit: { rate: 5/m } } ]", "[ { rate-limit: { rate: 5/m, key: user } } ]", "[ { rate-limit: { rate: 5/m, key: ip, burst: 3 } } ]",
                           "[ { rate-limit: { rate: [], key: ip } } ]", "[ { rate-limit: { rate: 5/m, key: consumer, count: failures } } ]",
                           "[ { rate-limit: { rate: 5/m, key: ip, groups: { gold: 1/s } } } ]", "[ { rate-limit: { rate: 5/m, key: consumer, groups: [gold] } } ]"})
    EXPECT_NE(Stepped(yaml).errors, "") << yaml;
}

}  // namespace
}  // namespace gatelab::test
