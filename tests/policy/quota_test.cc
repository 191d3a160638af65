// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <limits>
#include <thread>

#include "base/units.h"
#include "policy/quota/quota_table.h"
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

using namespace std::chrono_literals;
using calendar::Period;
using policy::QuotaTable;

const Instant kJanuary = *parse_instant("2026-01-15T12:00:00Z"), kFebruary = *parse_instant("2026-02-01T00:00:00Z");

QuotaTable monthly(std::size_t entries = 1000) { return {Period::Month, calendar::utc(), entries, 1, std::make_shared<policy::ChangeFlag>()}; }

TEST(QuotaTable, LetsTheLimitThroughAndNotOneMoreUntilThePeriodEnds) {
  QuotaTable table = monthly();
  for (const std::uint64_t left : {2U, 1U, 0U}) EXPECT_EQ(table.charge("k", 3, kJanuary).remaining, left);
  const auto refused = table.charge("k", 3, kJanuary);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.until, kFebruary);
  EXPECT_EQ(refused.length, 31 * 24h);
  EXPECT_FALSE(table.charge("k", 3, kFebruary + -1ns).allowed);
  EXPECT_TRUE(table.charge("k", 4, kFebruary + -1ns).allowed) << "a raised limit keeps its count";
  EXPECT_FALSE(table.charge("k", 4, kFebruary + -1ns).allowed);
  EXPECT_EQ(table.charge("k", 3, kFebruary).remaining, 2U);
}

TEST(QuotaTable, AdmitsExactlyTheLimitFromManyThreads) {
  QuotaTable table = monthly();
  std::atomic<int> admitted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) admitted += table.charge("key", 1000, kJanuary).allowed ? 1 : 0;
    });
  threads.emplace_back([&] {
    for (int i = 0; i < 100; ++i) (void)table.save(kJanuary);
  });
  for (auto& t : threads) t.join();
  EXPECT_EQ(admitted, 1000);
}

TEST(QuotaTable, GivesBackOnlyToThePeriodThatWasCharged) {
  QuotaTable table = monthly();
  const auto january = table.charge("k", 1, kJanuary);
  table.give_back("k", january.until);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_TRUE(table.charge("k", 1, kJanuary).allowed);
  EXPECT_TRUE(table.charge("k", 1, kFebruary).allowed);
  table.give_back("k", january.until);
  EXPECT_FALSE(table.charge("k", 1, kFebruary).allowed);
}

TEST(QuotaTable, GivesNobodyASecondQuotaWhenTheClockIsSetBack) {
  QuotaTable table = monthly();
  EXPECT_TRUE(table.charge("k", 1, kFebruary).allowed);
  EXPECT_FALSE(table.charge("k", 1, kJanuary).allowed);
}

TEST(QuotaTable, ForgetsOnlyWhatIsOverAndStaysBounded) {
  QuotaTable table = monthly(64);
  int full = 0;
  for (int i = 0; i < 1000; ++i) full += table.charge("key " + std::to_string(i), 5, kJanuary).full ? 1 : 0;
  EXPECT_LE(table.size(), 64U);
  EXPECT_EQ(full, 1000 - static_cast<int>(table.size()));
  EXPECT_FALSE(table.charge("another", 5, kFebruary).full) << "the month is over: there is room";
}

TEST(QuotaTable, GoesOnWhereASavedOneStopped) {
  QuotaTable before = monthly();
  for (int i = 0; i < 3; ++i) (void)before.charge("a", 5, kJanuary);
  (void)before.charge("b", 5, kJanuary);
  const auto counts = before.save(kJanuary);
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_EQ(counts[0].key, "a");
  EXPECT_EQ(counts[0].count, 3U);
  EXPECT_EQ(counts[0].until, kFebruary);
  QuotaTable after = monthly();
  (void)after.charge("a", 5, kJanuary);  // what came before the file was read counts too
  EXPECT_EQ(after.restore(counts, kJanuary), 0U);
  EXPECT_EQ(after.charge("a", 5, kJanuary).remaining, 0U);
  EXPECT_FALSE(after.charge("a", 5, kJanuary).allowed);
  EXPECT_EQ(after.charge("b", 5, kJanuary).remaining, 3U);
  QuotaTable later = monthly();
  EXPECT_EQ(later.restore(counts, kFebruary), 0U);
  EXPECT_EQ(later.size(), 0U) << "the month is over";
  EXPECT_TRUE(before.save(kFebruary).empty());
}

TEST(QuotaTable, SaysHowManyItHasNoRoomFor) {
  std::vector<policy::KeptCount> counts;
  for (int i = 0; i < 1000; ++i) counts.push_back({"key " + std::to_string(i), kFebruary, std::numeric_limits<std::uint64_t>::max()});
  QuotaTable table = monthly(64);
  EXPECT_EQ(table.restore(counts, kJanuary) + table.size(), 1000U);
  EXPECT_LE(table.size(), 64U);
  (void)table.restore(counts, kJanuary);  // twice the most there can be is still that
  EXPECT_FALSE(table.charge(table.save(kJanuary).at(0).key, 5, kJanuary).allowed);
}

TEST(Quota, SaysHowMuchIsLeftAndWhenThereIsMore) {
  Stepped policy("[ { quota: { limit: 1, per: month, time_zone: Europe/Berlin, key: ip } } ]");
  ASSERT_EQ(policy.errors, "");
  EXPECT_EQ(policy.step(get("/"), *parse_instant("2026-03-31T21:59:58Z")).verdict, policy::Verdict::Continue);
  const policy::Step refused = policy.step(get("/"), *parse_instant("2026-03-31T21:59:58.5Z"));
  EXPECT_EQ(refused.reason, "quota-exceeded");
  ASSERT_NE(refused.answer, nullptr);
  EXPECT_EQ(refused.answer->status, 429);
  EXPECT_EQ(policy.answer_field(refused, "Retry-After"), "2");
  EXPECT_EQ(policy.answer_field(refused, "RateLimit"), "\"r/quota\";r=0;t=2");
  EXPECT_EQ(policy.answer_field(refused, "RateLimit-Policy"), "\"r/quota\";q=1;w=" + std::to_string((31 * 24 - 1) * 3600));
  EXPECT_EQ(policy.step(get("/"), *parse_instant("2026-03-31T22:00:00Z")).verdict, policy::Verdict::Continue);
}

TEST(Quota, GivesItsChargeBackWhenALaterLimitRefuses) {
  Stepped policy("[ { quota: { limit: 1, per: day, key: ip } } ]");
  ASSERT_EQ(policy.errors, "");
  EXPECT_EQ(policy.step(get("/")).verdict, policy::Verdict::Continue);
  policy.list[0]->undo(*policy.input);
  policy.list[0]->undo(*policy.input);
  EXPECT_EQ(policy.step(get("/")).verdict, policy::Verdict::Continue);
  EXPECT_EQ(policy.step(get("/")).reason, "quota-exceeded");
}

TEST(Quota, KeepsNoHeaderAndNoLongKeyAsItIs) {
  Stepped policy("[ { quota: { limit: 5, per: day, key: { header: X-Secret } } } ]");
  ASSERT_EQ(policy.errors, "");
  const policy::Step step = policy.step(get("/", "X-Secret: hunter2hunter2\r\n"));
  EXPECT_EQ(step.detail.find("hunter2"), std::string_view::npos) << step.detail;
  (void)policy.step(get("/"));
  std::string keys;
  for (const auto& [name, table] : policy.states.living<policy::KeptState>())
    for (const auto& one : table->save(Instant::from_seconds(1000))) keys += one.key + "\n";
  EXPECT_EQ(keys.find("hunter2"), std::string::npos) << keys;
  EXPECT_NE(keys.find("no value"), std::string::npos) << keys;
}

TEST(Quota, RefusesConfigurationsThatMeanNothing) {
  for (const char* yaml : {"[ { quota: { per: day, key: ip } } ]", "[ { quota: { limit: 0, per: day, key: ip } } ]", "[ { quota: { limit: 5, key: ip } } ]", "[ { quota: { limit: 5, per: year, key: ip } } ]",
                           "[ { quota: { limit: 5, per: day } } ]", "[ { quota: { limit: 5, per: day, key: ip, time_zone: Mars/Olympus } } ]",
                           "[ { quota: { limit: 5, per: day, key: ip, groups: { gold: 10 } } } ]", "[ { quota: { limit: 5/d, per: day, key: ip } } ]", "[ { quota: { limit: 5, per: day, key: ip, entries: 1 } } ]"})
    EXPECT_NE(Stepped(yaml).errors, "") << yaml;
}

}  // namespace
}  // namespace gatelab::test
