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
  for (std::uint64_t left : {2U, 1U, 0U}) EXPECT_EQ(policy::charge(rule, cell, 1, at(10s)).remaining, left);
  const auto refused = policy::charge(rule, cell, 1, at(10s));
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.wait, 50s);
  EXPECT_FALSE(policy::charge(rule, cell, 1, at(60s - 1ns)).allowed);
  EXPECT_TRUE(policy::charge(rule, cell, 1, at(60s)).allowed);
}

TEST(Limits, SayExactlyWhenTheNextOnePasses) {
  for (const Algorithm algorithm : {Algorithm::FixedWindow, Algorithm::SlidingWindow, Algorithm::Gcra}) {
    for (const std::uint64_t count : {1U, 2U, 7U}) {
      policy::LimitCell cell;
      const LimitRule rule{algorithm, {count, 60s}, 0};
      Instant now = at(13s);
      for (int i = 0; i < 50; ++i) {
        policy::LimitCell before = cell;
        const auto answer = policy::charge(rule, cell, 1, now);
        if (answer.allowed) {
          now = now + 1s;
          continue;
        }
        ASSERT_GT(answer.wait, 0ns);
        policy::LimitCell early = before;
        EXPECT_FALSE(policy::charge(rule, early, 1, now + (answer.wait - 2ns)).allowed) << static_cast<int>(algorithm) << " " << count;
        now = now + answer.wait;
        policy::LimitCell then = before;
        EXPECT_TRUE(policy::charge(rule, then, 1, now).allowed) << static_cast<int>(algorithm) << " " << count;
      }
    }
  }
}

TEST(Gcra, LetsABurstThroughAndThenOneAtATime) {
  policy::LimitCell cell;
  const LimitRule rule{Algorithm::Gcra, {60, 60s}, 3};
  int passed = 0;
  for (int i = 0; i < 10; ++i) passed += policy::charge(rule, cell, 1, at(0s)).allowed ? 1 : 0;
  EXPECT_EQ(passed, 3);
  EXPECT_TRUE(policy::charge(rule, cell, 1, at(1s)).allowed);
  EXPECT_FALSE(policy::charge(rule, cell, 1, at(1s)).allowed);
}

TEST(LimiterTable, AdmitsExactlyTheRateFromManyThreads) {
  LimiterTable table(1000, 1);
  const LimitRule rules[] = {{Algorithm::FixedWindow, {1000, 60s}, 0}, {Algorithm::Gcra, {5000, 60s}, 5000}};
  std::atomic<int> admitted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) admitted += table.charge("key", rules, 1, at(1s)).allowed ? 1 : 0;
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(admitted, 1000);
}

TEST(LimiterTable, ChargesAllRatesOrNone) {
  LimiterTable table(1000, 1);
  const LimitRule rules[] = {{Algorithm::FixedWindow, {5, 60s}, 0}, {Algorithm::FixedWindow, {1, 1s}, 0}};
  EXPECT_TRUE(table.charge("k", rules, 1, at(0s)).allowed);
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(table.charge("k", rules, 1, at(0s)).allowed);
  for (int i = 1; i < 5; ++i) EXPECT_TRUE(table.charge("k", rules, 1, at(i * 1s)).allowed);
  EXPECT_FALSE(table.charge("k", rules, 1, at(5s)).allowed);
}

TEST(LimiterTable, ForgetsOnlyWhatIsBackToNothingAndStaysBounded) {
  LimiterTable table(64, 1);
  const LimitRule rules[] = {{Algorithm::FixedWindow, {5, 60s}, 0}};
  int full = 0;
  for (int i = 0; i < 1000; ++i) full += table.charge("key " + std::to_string(i), rules, 1, at(0s)).full ? 1 : 0;
  EXPECT_LE(table.size(), 64U);
  EXPECT_EQ(full, 1000 - static_cast<int>(table.size()));
  EXPECT_FALSE(table.charge("another", rules, 1, at(60s)).full) << "the minute is over: there is room";
}

TEST(LimiterTable, DoesNotForgetWhatOneIsChargedByAsAnotherIsChargedByLess) {
  LimiterTable table(64, 1);
  const LimitRule daily[] = {{Algorithm::FixedWindow, {1, 24h}, 0}}, each_minute[] = {{Algorithm::FixedWindow, {1, 60s}, 0}};
  EXPECT_TRUE(table.charge("gold", daily, 1, at(0s)).allowed);
  for (int i = 0; i < 1000; ++i) table.charge("free " + std::to_string(i), each_minute, 1, at(5min));
  EXPECT_FALSE(table.charge("gold", daily, 1, at(5min)).allowed);
}

TEST(Limits, ChargeACostWholeOrNotAtAllAndTellWhenThereIsEnough) {
  for (const Algorithm algorithm : {Algorithm::FixedWindow, Algorithm::SlidingWindow, Algorithm::Gcra}) {
    policy::LimitCell cell;
    const LimitRule rule{algorithm, {10, 60s}, 0};
    EXPECT_EQ(policy::charge(rule, cell, 7, at(0s)).remaining, 3U);
    const auto refused = policy::charge(rule, cell, 4, at(0s));
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.remaining, 3U) << "nothing of it was charged";
    policy::LimitCell early = cell;
    EXPECT_FALSE(policy::charge(rule, early, 4, at(refused.wait - 2ns)).allowed) << static_cast<int>(algorithm);
    EXPECT_TRUE(policy::charge(rule, cell, 4, at(refused.wait)).allowed) << static_cast<int>(algorithm);
  }
}

TEST(Limits, OweWhatIsChargedAfterwards) {
  struct Case {
    Algorithm algorithm;
    Duration until;  // 1 passes again
  };
  // A window's debt ends with it, a sliding one fades, gcra's is paid off to the last.
  for (const Case& c : {Case{Algorithm::FixedWindow, 60s}, Case{Algorithm::SlidingWindow, 102s}, Case{Algorithm::Gcra, 126s}}) {
    policy::LimitCell cell;
    const LimitRule rule{c.algorithm, {10, 60s}, 0};
    EXPECT_EQ(policy::charge_anyway(rule, cell, 30, at(0s)).remaining, 0U);
    EXPECT_FALSE(policy::charge(rule, cell, 1, at(c.until - 1s)).allowed) << static_cast<int>(c.algorithm);
    EXPECT_TRUE(policy::charge(rule, cell, 1, at(c.until)).allowed) << static_cast<int>(c.algorithm);
  }
}

TEST(Limits, DoNotGoBackToAWindowThatAnotherWorkersClockHasLeft) {
  for (const Algorithm algorithm : {Algorithm::FixedWindow, Algorithm::SlidingWindow}) {
    policy::LimitCell cell;
    const LimitRule rule{algorithm, {2, 60s}, 0};
    EXPECT_TRUE(policy::charge(rule, cell, 2, at(60s)).allowed);
    EXPECT_FALSE(policy::charge(rule, cell, 1, at(60s - 1ms)).allowed) << static_cast<int>(algorithm);
    policy::charge_anyway(rule, cell, 1, at(59s));
    EXPECT_FALSE(policy::charge(rule, cell, 1, at(61s)).allowed) << static_cast<int>(algorithm);
  }
}

TEST(Limits, GiveBackToTheWindowThatWasCharged) {
  policy::LimitCell cell;
  const LimitRule rule{Algorithm::FixedWindow, {2, 60s}, 0};
  EXPECT_TRUE(policy::charge(rule, cell, 2, at(59s)).allowed);
  EXPECT_TRUE(policy::charge(rule, cell, 2, at(61s)).allowed);
  policy::give_back(rule, cell, 2, at(59s));
  EXPECT_FALSE(policy::charge(rule, cell, 1, at(62s)).allowed) << "what was charged before is over";
  policy::LimitCell fading;
  const LimitRule sliding{Algorithm::SlidingWindow, {10, 60s}, 0};
  EXPECT_TRUE(policy::charge(sliding, fading, 10, at(59s)).allowed);
  EXPECT_FALSE(policy::charge(sliding, fading, 10, at(61s)).allowed);
  policy::give_back(sliding, fading, 10, at(59s));
  EXPECT_TRUE(policy::charge(sliding, fading, 10, at(62s)).allowed);
}

TEST(Limits, KeepTheirCountWhenAReloadMakesTheWindowLonger) {
  policy::LimitCell cell;
  EXPECT_TRUE(policy::charge({Algorithm::FixedWindow, {10, 60s}, 0}, cell, 3, at(61s)).allowed);
  const auto next = policy::charge({Algorithm::FixedWindow, {10, 1h}, 0}, cell, 1, at(62s));
  EXPECT_EQ(next.remaining, 6U);
  EXPECT_EQ(next.reset, 1h - 62s - 40min);
}

TEST(Limits, StayInBoundsWhateverIsOwed) {
  for (const Algorithm algorithm : {Algorithm::FixedWindow, Algorithm::SlidingWindow, Algorithm::Gcra}) {
    policy::LimitCell cell;
    const LimitRule rule{algorithm, {1, 24h * 365}, 0};
    for (int i = 0; i < 5; ++i) EXPECT_EQ(policy::charge_anyway(rule, cell, ~std::uint64_t{0}, at(0s)).remaining, 0U);
    const auto refused = policy::charge(rule, cell, 1, at(1s));
    EXPECT_FALSE(refused.allowed);
    EXPECT_GT(refused.wait, 0ns);
    policy::give_back(rule, cell, ~std::uint64_t{0}, at(1s));
    EXPECT_GE(cell.instant, 0);
  }
}

TEST(RateLimit, CostsWhatTheRequestSaysAndNeverLessForNonsense) {
  struct Case {
    const char* fields;
    std::uint64_t left;
  };
  for (const Case& c : {Case{"", 98}, Case{"X-Batch: 7\r\n", 93}, Case{"x-batch: 0\r\n", 99}, Case{"X-Batch: 51\r\n", 50}, Case{"X-Batch: -1\r\n", 50}, Case{"X-Batch: 1e9\r\n", 50},
                        Case{"X-Batch: \r\n", 50}, Case{"X-Batch: 1\r\nX-Batch: 1\r\n", 50}, Case{"X-Batch: 99999999999999999999999\r\n", 50}}) {
    Stepped policy("[ { rate-limit: { rate: 100/m, key: ip, cost: { header: X-Batch, default: 2, max: 50 } } } ]");
    ASSERT_EQ(policy.errors, "");
    EXPECT_EQ(policy.step(get("/", c.fields)).detail, "key 192.0.2.1, " + std::to_string(c.left) + " left") << c.fields;
  }
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
                           "[ { rate-limit: { rate: 5/m, key: ip, groups: { gold: 1/s } } } ]", "[ { rate-limit: { rate: 5/m, key: consumer, groups: [gold] } } ]",
                           "[ { rate-limit: { rate: 5/m, key: ip, cost: 6 } } ]", "[ { rate-limit: { rate: 5/m, key: ip, cost: 0 } } ]", "[ { rate-limit: { rate: 5/m, key: ip, cost: {} } } ]",
                           "[ { rate-limit: { rate: 5/m, key: ip, cost: { header: X-A } } } ]", "[ { rate-limit: { rate: 5/m, key: ip, cost: { header: X-A, response_header: X-B, max: 2 } } } ]",
                           "[ { rate-limit: { rate: 5/m, key: ip, cost: { header: 'X A', max: 2 } } } ]", "[ { rate-limit: { rate: [5/m, 1/s], key: ip, cost: 2 } } ]",
                           "[ { rate-limit: { rate: 5/m, key: ip, bucket: b } }, { rate-limit: { rate: 6/m, key: ip, bucket: b }, id: other } ]"})
    EXPECT_NE(Stepped(yaml).errors, "") << yaml;
}

}  // namespace
}  // namespace gatelab::test
