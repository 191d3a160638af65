// SPDX-License-Identifier: Apache-2.0
// The limiter's table under load: exact for many keys, algorithms and threads, bounded, and what happens when it is full.
#include <array>
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

constexpr Instant kNow = Instant::from_seconds(60 * 1000);

TEST(LimiterTable, IsExactForEveryKeyAndAlgorithmOverEightThreads) {
  constexpr int kThreads = 8, kKeys = 16, kRequests = 8'000;
  for (const Algorithm algorithm : {Algorithm::FixedWindow, Algorithm::SlidingWindow, Algorithm::Gcra}) {
    LimiterTable table(1000, 1);
    const LimitRule rules[] = {{algorithm, {100, 60s}, 100}};
    std::array<std::atomic<int>, kKeys> admitted{};
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&] {
        ++ready;
        while (ready < kThreads) {
        }
        for (int i = 0; i < kRequests; ++i)
          for (int k = 0; k < kKeys; ++k)
            if (table.charge("key " + std::to_string(k), rules, 1, kNow).allowed) ++admitted[static_cast<std::size_t>(k)];
      });
    for (std::thread& t : threads) t.join();
    for (const auto& count : admitted) EXPECT_EQ(count, 100) << static_cast<int>(algorithm);
  }
}

TEST(LimiterTable, ChargesAndGivesBackExactlyOverEightThreads) {
  LimiterTable table(1000, 1);
  const LimitRule rules[] = {{Algorithm::FixedWindow, {1'000'000, 60s}, 0}};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 2'000; ++i) {
        (void)table.charge("key", rules, 1, kNow);
        if (i % 2 == 0) table.give_back("key", rules, 1, kNow);
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(table.charge("key", rules, 1, kNow).answer.remaining, 1'000'000U - 8'000U - 1U);
}

TEST(LimiterTable, HoldsNoMoreThanItsEntriesWhateverClientsSend) {
  for (const std::size_t entries : {64U, 640U, 5'000U}) {
    LimiterTable table(entries, 1);
    const LimitRule rules[] = {{Algorithm::Gcra, {1, 3600s}, 1}};
    std::size_t full = 0;
    for (int i = 0; i < 20'000; ++i) full += table.charge("client " + std::to_string(i), rules, 1, kNow).full ? 1U : 0U;
    EXPECT_LE(table.size(), entries + 64) << "each of 64 shards may round up";
    EXPECT_EQ(full + table.size(), 20'000U) << "nobody was forgotten, nobody was let in uncounted";
  }
}

TEST(LimiterTable, AKnownKeyIsCountedEvenWhenTheTableIsFull) {
  LimiterTable table(64, 1);
  const LimitRule rules[] = {{Algorithm::FixedWindow, {2, 60s}, 0}};
  ASSERT_TRUE(table.charge("known", rules, 1, kNow).allowed);
  for (int i = 0; i < 1'000; ++i) (void)table.charge("client " + std::to_string(i), rules, 1, kNow);
  EXPECT_TRUE(table.charge("known", rules, 1, kNow).allowed);
  const auto third = table.charge("known", rules, 1, kNow);
  EXPECT_FALSE(third.allowed);
  EXPECT_FALSE(third.full);
}

TEST(RateLimit, AFullTableRejectsOrAdmitsAsItIsTold) {
  const std::tuple<const char*, policy::Verdict, observe::Outcome> cases[] = {
      {"reject", policy::Verdict::Respond, observe::Outcome::Deny}, {"admit", policy::Verdict::Continue, observe::Outcome::Skip}};
  for (const auto& [on_full, verdict, outcome] : cases) {
    Stepped policy(std::string("[ { rate-limit: { rate: 5/m, key: { header: X-Id }, entries: 64, on_full: ") + on_full + " } } ]");
    ASSERT_EQ(policy.errors, "");
    int full = 0;
    for (int i = 0; i < 500; ++i) {
      const policy::Step step = policy.step(get("/", "X-Id: " + std::to_string(i) + "\r\n"));
      if (step.reason != "limiter-full") continue;
      ++full;
      EXPECT_EQ(step.verdict, verdict) << on_full;
      EXPECT_EQ(step.outcome, outcome) << on_full;
    }
    EXPECT_GT(full, 400) << on_full;
    EXPECT_LT(full, 500) << on_full;
  }
}

}  // namespace
}  // namespace gatelab::test
