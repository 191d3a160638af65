// SPDX-License-Identifier: Apache-2.0
// Who asks how much: by name, by class, in a bounded table.
#include "observe/consumers.h"

#include <gtest/gtest.h>

#include <string>

#include "observe/metrics.h"

namespace gatelab::observe {
namespace {

using namespace std::chrono_literals;

void ask(ConsumerTable& table, std::string_view who, std::int32_t index, std::uint16_t status = 200, Duration total = 1ms, Instant at = {}) {
  Arena arena;
  Record r(arena);
  r.consumer = who;
  r.consumer_index = index;
  r.status = status;
  r.total = total;
  r.began = at;
  r.request_octets = 10;
  r.response_octets = 100;
  table.count(r);
}

std::map<std::string, ConsumerReport> of(const ConsumerTable& table) {
  std::map<std::string, ConsumerReport> out;
  table.collect(out);
  return out;
}

TEST(Consumers, AreCountedByNameWhateverTheConfigurationCallsThem) {
  ConsumerTable table;
  table.adopt({{"mobile", "gold"}, {"web", "silver"}});
  ask(table, "mobile", 0);
  ask(table, "mobile", 0, 429);
  ask(table, "web", 1, 503);
  ask(table, "", -1, 401);
  ask(table, "main/alice", -1);
  table.adopt({{"web", "gold"}});
  ask(table, "web", 0);
  ask(table, "mobile", 0);  // it began before the reload
  const auto all = of(table);
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all.at("mobile").requests(), 3U);
  EXPECT_EQ(all.at("mobile").limited, 1U);
  EXPECT_EQ(all.at("web").requests(), 2U);
  EXPECT_EQ(all.at("web").classes[5], 1U);
  EXPECT_EQ(all.at("web").consumer_class, "gold");
  EXPECT_EQ(all.at("main/alice").consumer_class, kByToken);
  EXPECT_EQ(all.at(std::string(kAnonymous)).classes[4], 1U);
  EXPECT_EQ(all.at("mobile").request_octets, 30U);
  EXPECT_EQ(all.at("mobile").response_octets, 300U);
}

TEST(Consumers, TheTableIsBoundedAndForgetsNothingThatItCounted) {
  ConsumerTable table;
  table.adopt({{"mobile", "gold"}});
  ask(table, "mobile", 0);
  constexpr int kTokens = 5000;
  for (int i = 0; i < kTokens; ++i) ask(table, "main/user-" + std::to_string(i), -1, 200, 1ms, Instant::from_seconds(i));
  const auto all = of(table);
  EXPECT_EQ(all.size(), ConsumerTable::kMost + 2);
  std::uint64_t sum = 0;
  for (const auto& [name, one] : all) sum += one.requests();
  EXPECT_EQ(sum, static_cast<std::uint64_t>(kTokens) + 1);
  EXPECT_EQ(all.at(std::string(kOtherConsumers)).requests(), static_cast<std::uint64_t>(kTokens) - ConsumerTable::kMost);
  EXPECT_EQ(table.folded(), static_cast<std::uint64_t>(kTokens) - ConsumerTable::kMost);
  EXPECT_EQ(all.at("mobile").requests(), 1U);
  EXPECT_EQ(all.count("main/user-4999"), 1U) << "the latest are there";
}

TEST(Consumers, FormerConsumersMakeRoom) {
  ConsumerTable table;
  std::vector<ConsumerTable::Configured> many;
  for (int i = 0; i < 2000; ++i) many.push_back({"c" + std::to_string(i), "gold"});
  table.adopt(many);
  for (int i = 0; i < 2000; ++i) ask(table, many[static_cast<std::size_t>(i)].name, i);
  EXPECT_EQ(of(table).size(), 2000U);
  table.adopt({});
  EXPECT_EQ(of(table).size(), ConsumerTable::kMost + 1);
  EXPECT_EQ(of(table).at(std::string(kOtherConsumers)).requests(), 1000U);
}

// A token may say a name that a consumer of the configuration has: neither takes the other's place, whoever comes first.
TEST(Consumers, ATokenThatIsCalledLikeAConsumerIsAnother) {
  ConsumerTable table;
  table.adopt({{"mobile", "gold"}});
  ask(table, "mobile", -1);
  ask(table, "mobile", 0, 200, 1ms, Instant::from_seconds(10'000));
  std::map<std::string, ClassReport> classes;
  table.collect(classes);
  EXPECT_EQ(classes.at("gold").classes[2], 1U);
  EXPECT_EQ(classes.at(std::string(kByToken)).classes[2], 1U);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 3000; ++i) ask(table, "main/user-" + std::to_string(i), -1, 200, 1ms, Instant::from_seconds(i));
    ask(table, "mobile", -1, 200, 1ms, Instant::from_seconds(0));
    ask(table, "mobile", 0, 200, 1ms, Instant::from_seconds(0));
    table.adopt(round == 1 ? std::vector<ConsumerTable::Configured>{} : std::vector<ConsumerTable::Configured>{{"mobile", "gold"}});
  }
  const auto all = of(table);
  std::uint64_t sum = 0;
  for (const auto& [name, one] : all) sum += one.requests();
  EXPECT_EQ(sum, 2U + 3 * 3002);
}

TEST(Consumers, ClassesOnlyGrowWhoeverChangesHis) {
  ConsumerTable table;
  table.adopt({{"mobile", "gold"}});
  ask(table, "mobile", 0);
  ask(table, "mobile", 0);
  table.adopt({{"mobile", "silver"}});
  ask(table, "mobile", 0);
  table.adopt({});
  for (int i = 0; i < 3000; ++i) ask(table, "main/user-" + std::to_string(i), -1, 200, 1ms, Instant::from_seconds(100 + i));
  std::map<std::string, ClassReport> classes;
  table.collect(classes);
  EXPECT_EQ(classes.at("gold").classes[2], 2U);
  EXPECT_EQ(classes.at("silver").classes[2], 1U);
  EXPECT_EQ(classes.at("silver").response_octets, 100U);
  EXPECT_EQ(classes.at(std::string(kByToken)).classes[2], 3000U);
}

TEST(Consumers, QuantilesAreCloseAtEveryMagnitude) {
  std::array<std::uint64_t, LatencyBuckets::kCount> buckets{};
  EXPECT_EQ(quantile(buckets, 0.5), Duration{});
  for (const Duration took : {Duration(1us), Duration(200us), Duration(1ms), Duration(7ms), Duration(123ms), Duration(1s), Duration(60s)}) {
    buckets = {};
    buckets[LatencyBuckets::index(took)] = 1;
    const double got = static_cast<double>(quantile(buckets, 0.99).count()), want = static_cast<double>(took.count());
    if (took >= 200us) EXPECT_NEAR(got / want, 1, 0.07) << took.count();
    else EXPECT_LT(got, 20'000);
  }
  EXPECT_EQ(LatencyBuckets::index(Duration(-1)), 0U);
  EXPECT_EQ(LatencyBuckets::index(Duration::max()), LatencyBuckets::kCount - 1);
  for (std::int64_t ns = 0; ns < 100'000'000; ns += 4'097) {
    const std::size_t i = LatencyBuckets::index(Duration(ns));
    ASSERT_LE(i, LatencyBuckets::index(Duration(ns + 4'097)));
    ASSERT_EQ(LatencyBuckets::index(LatencyBuckets::middle(i)), i);
  }
  buckets = {};
  for (int i = 1; i <= 1000; ++i) ++buckets[LatencyBuckets::index(Duration(i * 1'000'000))];
  EXPECT_NEAR(static_cast<double>(quantile(buckets, 0.5).count()) / 5e8, 1, 0.07);
  EXPECT_NEAR(static_cast<double>(quantile(buckets, 0.99).count()) / 9.9e8, 1, 0.07);
}

TEST(Consumers, MetricsHaveTheirClassesAndNoNames) {
  WorkerMetrics worker;
  worker.adopt({"orders"}, {}, {{"mobile", "gold"}, {"web", "gold"}});
  for (const auto& [who, index] : {std::pair("mobile", 0), std::pair("web", 1), std::pair("main/alice", -1)}) {
    Arena arena;
    Record r(arena);
    r.route = "orders";
    r.consumer = who;
    r.consumer_index = index;
    r.status = 200;
    r.ended.by = "upstream";
    r.ended.reason = "completed";
    worker.count(r);
  }
  MetricsText text;
  text.add(worker);
  const std::string got = text.text();
  EXPECT_NE(got.find("gatelab_consumer_requests_total{consumer_class=\"gold\",status_class=\"2xx\"} 2\n"), std::string::npos) << got;
  EXPECT_NE(got.find("gatelab_consumer_requests_total{consumer_class=\"(token)\",status_class=\"2xx\"} 1\n"), std::string::npos) << got;
  for (const char* name : {"mobile", "alice"}) EXPECT_EQ(got.find(name), std::string::npos);
}

}  // namespace
}  // namespace gatelab::observe
