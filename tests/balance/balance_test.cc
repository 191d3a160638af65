// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <thread>
#include <vector>

#include "balance/balancer.h"
#include "balance/breaker.h"
#include "balance/ejection.h"
#include "balance/health.h"
#include "balance/hedge.h"
#include "balance/retry.h"

namespace gatelab::balance {
namespace {

using namespace std::chrono_literals;
using State = Breaker::State;
using Verdict = Breaker::Verdict;

Instant at(Duration d) { return Instant{} + d; }

BreakerRules rules_of(std::uint32_t failures, std::uint32_t probes) {
  BreakerRules rules;
  rules.failures = failures;
  rules.probes = probes;
  return rules;
}

TEST(Breaker, OpensAfterFailuresInARowAndEachTimeForLonger) {
  const BreakerRules rules = rules_of(3, 1);
  Breaker breaker;
  const auto one = [&](Verdict verdict, Duration when) { return breaker.leave(rules, breaker.enter(at(when)), verdict, at(when)); };
  EXPECT_FALSE(one(Verdict::Bad, 0s));
  EXPECT_FALSE(one(Verdict::Bad, 0s));
  EXPECT_FALSE(one(Verdict::Good, 0s)) << "not in a row";
  EXPECT_FALSE(one(Verdict::Bad, 1s));
  EXPECT_FALSE(one(Verdict::Bad, 1s));
  EXPECT_TRUE(one(Verdict::Bad, 1s));
  EXPECT_FALSE(breaker.admits(rules, at(30s)));
  EXPECT_EQ(breaker.state(at(31s)), State::HalfOpen);
  EXPECT_TRUE(one(Verdict::Bad, 31s));
  EXPECT_EQ(breaker.until(), at(91s));
  EXPECT_TRUE(one(Verdict::Bad, 91s));
  EXPECT_EQ(breaker.until(), at(91s + 120s));
  for (Duration now = 211s; now < 5000s; now = breaker.until() - Instant{}) one(Verdict::Bad, now);
  EXPECT_LE(breaker.until() - at(5000s), rules.max_open);
}

TEST(Breaker, LetsProbesThroughAndForgetsWhatBeganBefore) {
  const BreakerRules rules = rules_of(1, 2);
  Breaker breaker;
  const Breaker::Permit early = breaker.enter(at(0s)), late = breaker.enter(at(0s));
  EXPECT_TRUE(breaker.leave(rules, early, Verdict::Bad, at(0s)));
  EXPECT_FALSE(breaker.leave(rules, late, Verdict::Good, at(1s))) << "it began before";
  EXPECT_EQ(breaker.state(at(1s)), State::Open);
  const Breaker::Permit first = breaker.enter(at(30s));
  EXPECT_TRUE(first.probe);
  EXPECT_TRUE(breaker.admits(rules, at(30s)));
  const Breaker::Permit second = breaker.enter(at(30s));
  EXPECT_FALSE(breaker.admits(rules, at(30s)));
  EXPECT_FALSE(breaker.leave(rules, first, Verdict::None, at(30s)));
  EXPECT_TRUE(breaker.admits(rules, at(30s))) << "a probe that was given up leaves its place to another";
  EXPECT_FALSE(breaker.leave(rules, second, Verdict::Good, at(31s)));
  EXPECT_TRUE(breaker.leave(rules, breaker.enter(at(31s)), Verdict::Good, at(31s)));
  EXPECT_EQ(breaker.state(at(31s)), State::Closed);
}

TEST(Latencies, GiveAQuantileOnceThereAreEnough) {
  Latencies latencies;
  for (int i = 1; i < 100; ++i) latencies.add(i * 1ms, at(1s));
  EXPECT_FALSE(latencies.quantile(0.95, at(1s)));
  latencies.add(100ms, at(1s));
  for (const auto& [q, truth] : std::map<double, Duration>{{0.5, 50ms}, {0.95, 95ms}, {0.99, 99ms}}) {
    const auto got = latencies.quantile(q, at(1s));
    ASSERT_TRUE(got);
    EXPECT_GE(*got, truth);
    EXPECT_LE(*got, truth + truth / 16 + 1us) << q;
  }
}

TEST(Latencies, ForgetWhatIsOld) {
  Latencies latencies;
  for (int i = 0; i < 200; ++i) latencies.add(1s, at(1s));
  EXPECT_TRUE(latencies.quantile(0.5, at(19s)));
  EXPECT_FALSE(latencies.quantile(0.5, at(20s)));
  for (int i = 0; i < 200; ++i) latencies.add(1ms, at(21s));
  EXPECT_LT(*latencies.quantile(0.99, at(21s)), 2ms);
}

TEST(Latencies, HoldAnyDuration) {
  Latencies latencies;
  for (const Duration d : {Duration{0}, Duration{-5}, Duration{1}, Duration::max()})
    for (int i = 0; i < 100; ++i) latencies.add(d, at(1s));
  EXPECT_EQ(*latencies.quantile(0.5, at(1s)), 1us);
  EXPECT_GT(*latencies.quantile(0.99, at(1s)), std::chrono::hours(1));
}

TEST(Health, NeedsSeveralResultsInARow) {
  HealthRules rules;
  Health health;
  EXPECT_TRUE(health.available()) << "nothing is known yet";
  std::string seen;
  for (const char c : std::string("xx.xxx.x..")) {
    health.checked(rules, c == '.');
    seen += health.available() ? '+' : '-';
  }
  EXPECT_EQ(seen, "+++++----+");
}

TEST(Ejection, LooksAtRowsSharesAndTimes) {
  EjectionRules rules;
  rules.error_share.emplace().min = 10;
  rules.latency.emplace().min = 10;
  Ejection row;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(row.add(rules, true, 1ms, {}, at(1s)), "");
  EXPECT_EQ(row.add(rules, true, 1ms, {}, at(1s)), "consecutive-failures");
  Ejection share;
  std::string_view why;
  for (int i = 0; i < 10; ++i) why = share.add(rules, i % 2 == 1, 1ms, {}, at(1s));
  EXPECT_EQ(why, "error-share");
  EXPECT_EQ(share.add(rules, true, 1ms, {}, at(60s)), "") << "the window has passed";
  Ejection slow;
  for (int i = 0; i < 10; ++i) why = slow.add(rules, false, 301ms, 100ms, at(1s));
  EXPECT_EQ(why, "latency");
  Ejection quick;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(quick.add(rules, false, 49ms, 1ms, at(1s)), "") << "too quick to be slow";
  slow.eject(rules, at(1s));
  EXPECT_TRUE(slow.ejected(at(30s)));
  EXPECT_FALSE(slow.ejected(at(31s)));
  slow.eject(rules, at(31s));
  EXPECT_EQ(slow.until(), at(91s)) << "the second time for twice as long";
  EXPECT_EQ(may_eject(rules, 1), 0U);
  EXPECT_EQ(may_eject(rules, 2), 1U);
  EXPECT_EQ(may_eject(rules, 10), 5U);
}

struct Case {
  const char* name;
  Tried tried;
  const char* why;  // "again", or why not
};

Tried tried(Outcome outcome, bool method, bool untouched, bool repeatable = true, std::uint32_t retries = 0) {
  Tried t;
  t.outcome = outcome;
  t.method_allowed = method;
  t.untouched = untouched;
  t.repeatable = repeatable;
  t.retries = retries;
  t.left = 10s;
  return t;
}

TEST(Retry, IsDecidedByWhatIsKnown) {
  RetryRules rules;
  rules.max_retries = 2;
  rules.on.add(Failure::Connect);
  rules.on.add(Failure::Reset);
  rules.on.statuses.add(503, 503);
  Tried late = tried({Failure::Reset, 0}, true, false);
  late.left = 10ms;
  Tried asked = tried({Failure::None, 503}, true, false);
  asked.retry_after = 2s;
  const Case cases[] = {
      {"an idempotent request whose connection broke", tried({Failure::Reset, 0}, true, false), "again"},
      {"a POST whose connection broke", tried({Failure::Reset, 0}, false, false), "not-idempotent"},
      {"a POST that never left", tried({Failure::Connect, 0}, false, true), "again"},
      {"a status that is listed", tried({Failure::None, 503}, true, false), "again"},
      {"a status that is not", tried({Failure::None, 500}, true, false), ""},
      {"a failure that is not", tried({Failure::Timeout, 0}, true, false), ""},
      {"a body that was not kept", tried({Failure::Reset, 0}, true, false, false), "body-beyond-buffer"},
      {"the third", tried({Failure::Reset, 0}, true, false, true, 2), "retries-exhausted"},
      {"one without time", late, "no-time-left"},
      {"one that was asked to wait too long", asked, "retry-after-too-long"},
  };
  for (const Case& c : cases) {
    Dice dice(1);
    const Again again = decide(rules, c.tried, dice);
    EXPECT_EQ(again.again ? "again" : again.why, c.why) << c.name;
  }
}

TEST(Retry, PausesDoubleWithinTheirRange) {
  RetryRules rules;
  rules.max_retries = 10;
  rules.on.add(Failure::Reset);
  for (std::uint32_t retries = 0; retries < 10; ++retries) {
    const Duration full = std::min<Duration>(25ms * (1 << retries), 250ms);
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      Dice dice(seed);
      const Duration pause = decide(rules, tried({Failure::Reset, 0}, true, false, true, retries), dice).pause;
      EXPECT_GE(pause, full / 2);
      EXPECT_LE(pause, full);
    }
  }
}

TEST(RetryBudget, IsAShareOfTheRequestsThatSlides) {
  const RetryRules::Budget rules{Share{200'000}, 3, 10s};
  RetryBudget budget;
  const auto take = [&](Duration when) {
    int n = 0;
    while (budget.take(rules, at(when))) ++n;
    return n;
  };
  EXPECT_EQ(take(1s), 3);
  for (int i = 0; i < 100; ++i) budget.request(rules, at(2s));
  EXPECT_EQ(take(2s), 17);
  EXPECT_EQ(take(10s), 0);
  EXPECT_EQ(take(11s), 3) << "the three of the first second are forgotten";
  EXPECT_EQ(take(40s), 3);
}

TEST(RetryBudget, IsNeverOverdrawnByThreads) {
  const RetryRules::Budget rules{Share{0}, 1000, 10s};
  RetryBudget budget;
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) taken += budget.take(rules, at(1s)) ? 1 : 0;
    });
  for (std::thread& t : threads) t.join();
  EXPECT_GE(taken, 1000);
  EXPECT_LE(taken, 1004) << "each thread may be one too late";
}

std::map<int, int> spread(Balancer& balancer, std::vector<Seat> seats, int n, Instant now = at(1000s)) {
  std::map<int, int> out;
  Dice dice(7);
  for (int i = 0; i < n; ++i) ++out[balancer.choose(seats, mix64(static_cast<std::uint64_t>(i)), now, dice)];
  return out;
}

Balancer balancer_of(Algorithm algorithm, const std::vector<std::uint32_t>& weights, double bound = 0) {
  BalanceRules rules;
  rules.algorithm = algorithm;
  rules.bound = bound;
  static const std::vector<std::string_view> names{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
  return Balancer(rules, {names.data(), weights.size()}, weights);
}

TEST(Balancer, UsesTheLowestTierThatHasSomebodyAndPrefersWhomItHasNotTried) {
  Balancer balancer = balancer_of(Algorithm::RoundRobin, {1, 1, 1});
  Dice dice(1);
  std::vector<Seat> seats(3);
  seats[2].tier = 1;
  EXPECT_EQ(spread(balancer, seats, 10), (std::map<int, int>{{0, 5}, {1, 5}}));
  seats[0].available = false;
  EXPECT_EQ(spread(balancer, seats, 10), (std::map<int, int>{{1, 10}}));
  seats[1].tried = true;
  EXPECT_EQ(spread(balancer, seats, 10), (std::map<int, int>{{2, 10}})) << "another tier rather than the same target again";
  seats[2].tried = true;
  EXPECT_EQ(spread(balancer, seats, 10), (std::map<int, int>{{1, 10}})) << "all were tried";
  seats[1].available = seats[2].available = false;
  EXPECT_EQ(balancer.choose(seats, 0, at(0s), dice), -1);
}

TEST(Balancer, SharesOutByWeight) {
  Balancer smooth = balancer_of(Algorithm::RoundRobin, {5, 1, 1});
  std::vector<Seat> seats(3);
  seats[0].weight = 5;
  std::string order;
  Dice dice(1);
  for (int i = 0; i < 7; ++i) order += static_cast<char>('a' + smooth.choose(seats, 0, at(0s), dice));
  EXPECT_EQ(order, "aabacaa");
  Balancer least = balancer_of(Algorithm::LeastRequests, {5, 1, 1});
  for (int i = 0; i < 70; ++i) ++seats[static_cast<std::size_t>(least.choose(seats, 0, at(0s), dice))].in_flight;
  EXPECT_EQ(seats[0].in_flight, 50U);
}

TEST(Balancer, MovesOnlyTheKeysOfWhoHasLeftTheRing) {
  const std::vector<std::uint32_t> weights(10, 1);
  Balancer balancer = balancer_of(Algorithm::RingHash, weights);
  std::vector<Seat> seats(10);
  Dice dice(1);
  std::map<int, int> moved, count;
  for (std::uint64_t key = 0; key < 10'000; ++key) {
    seats[3].available = true;
    const int before = balancer.choose(seats, mix64(key), at(0s), dice);
    ++count[before];
    seats[3].available = false;
    const int after = balancer.choose(seats, mix64(key), at(0s), dice);
    if (after != before) ++moved[before];
  }
  EXPECT_EQ(moved, (std::map<int, int>{{3, count[3]}}));
  for (const auto& [seat, n] : count) EXPECT_NEAR(n, 1000, 300) << seat;
}

TEST(Balancer, GivesNobodyOnABoundedRingMoreThanHisPart) {
  const std::vector<std::uint32_t> weights(4, 1);
  Balancer balancer = balancer_of(Algorithm::RingHash, weights, 1.25);
  std::vector<Seat> seats(4);
  Dice dice(1);
  for (int i = 0; i < 1000; ++i) ++seats[static_cast<std::size_t>(balancer.choose(seats, 42, at(0s), dice))].in_flight;
  for (const Seat& seat : seats) EXPECT_LE(seat.in_flight, 314U) << "a single key, and still";
}

}  // namespace
}  // namespace gatelab::balance
