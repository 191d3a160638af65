// SPDX-License-Identifier: Apache-2.0
// What may be said of a run: thresholds, comparisons, and results as files.
#include <gtest/gtest.h>

#include <cmath>

#include "harness/load/result.h"

namespace gatelab::harness::load {
namespace {

using namespace std::chrono_literals;

// A round whose machine has its own speed, as real rounds do, and requests around it.
Round noisy(Dice& dice, double speed, int requests) {
  const auto normal = [&dice] { return std::sqrt(-2 * std::log1p(-dice.unit())) * std::cos(6.283185307179586 * dice.unit()); };
  Round out;
  out.length = 10s;
  const double machine = speed * std::exp(0.02 * normal());
  for (int i = 0; i < requests; ++i) {
    out.judged.latency.add(Duration{std::llround(1e7 * machine * std::exp(0.3 * normal()))});
    ++out.judged.planned, ++out.judged.sent, ++out.judged.in_time, ++out.judged.answered;
  }
  return out;
}

Round even(int requests, Duration least, Duration step) {
  Round out;
  out.length = 10s;
  for (int i = 0; i < requests; ++i) out.judged.latency.add(least + step * i);
  out.judged.planned = out.judged.sent = out.judged.in_time = out.judged.answered = static_cast<std::uint64_t>(requests);
  return out;
}

Verdict verdict(const Round& round, const char* threshold) { return judge({round}, *parse_thresholds(threshold), 0.95, Model::Open, 10).verdict; }

TEST(LoadJudge, BoundInsideTheIntervalIsNoVerdict) {
  const Round round = even(1000, 1ms, 10us);  // p50 is 6 ms, give or take a quarter
  EXPECT_EQ(verdict(round, "p50<8ms"), Verdict::Pass);
  EXPECT_EQ(verdict(round, "p50<4ms"), Verdict::Fail);
  EXPECT_EQ(verdict(round, "p50<6ms"), Verdict::Inconclusive);
  EXPECT_EQ(verdict(round, "p50>4ms"), Verdict::Pass);
  EXPECT_EQ(verdict(round, "p50<8ms,p50<4ms"), Verdict::Fail);
}

TEST(LoadJudge, PercentileOfTooFewIsRefusedWithTheNumberThatWouldDo) {
  const Judgement judgement = judge({even(298, 1ms, 1us)}, *parse_thresholds("p99<1s"), 0.95, Model::Open, 10);
  EXPECT_EQ(judgement.verdict, Verdict::Inconclusive);
  EXPECT_EQ(judgement.findings[0].text, "p99 of 298 requests says nothing: it takes 299");
  EXPECT_EQ(verdict(even(299, 1ms, 1us), "p99<1s"), Verdict::Pass);
}

TEST(LoadJudge, ErrorsAreBoundedNotJustCounted) {
  Round round = even(2994, 1ms, 1us);
  EXPECT_EQ(verdict(round, "errors<0.1%"), Verdict::Inconclusive);
  round = even(2996, 1ms, 1us);
  EXPECT_EQ(verdict(round, "errors<0.1%"), Verdict::Pass);
  round.judged.errors["closed"] = 30;
  EXPECT_EQ(verdict(round, "errors<0.1%"), Verdict::Fail);
  EXPECT_EQ(verdict(round, "errors<=0%"), Verdict::Fail);
}

TEST(LoadJudge, LateGeneratorProvesNothing) {
  Round round = even(1000, 10ms, 1us);
  for (int i = 0; i < 1000; ++i) round.judged.late.add(i < 980 ? 10us : 2ms);
  EXPECT_EQ(verdict(round, "p50<1s"), Verdict::Pass);  // it was late elsewhere
  EXPECT_EQ(verdict(round, "p99<1s"), Verdict::Invalid);
  EXPECT_EQ(verdict(round, "p99.9<1s"), Verdict::Inconclusive);  // too few to say even that
  round = even(1000, 1ms, 1us);
  round.judged.in_time = 980;
  EXPECT_EQ(verdict(round, "p50<1s"), Verdict::Invalid);
  round = even(1000, 1ms, 1us);
  round.resources.thread = 0.99;
  const Judgement judgement = judge({round}, *parse_thresholds("p50<1s"), 0.95, Model::Closed, 10);
  EXPECT_EQ(judgement.verdict, Verdict::Invalid);
  EXPECT_NE(judgement.invalid[0].find("busiest thread was at 99%"), std::string::npos);
}

TEST(LoadJudge, RoundsThatDifferWidenTheInterval) {
  const auto rounds = [](Duration a, Duration b, Duration c) { return std::vector<Round>{even(5000, a, 1ns), even(5000, b, 1ns), even(5000, c, 1ns)}; };
  const auto threshold = *parse_thresholds("p50<20ms");
  EXPECT_EQ(judge(rounds(10ms, 10ms, 10ms), threshold, 0.95, Model::Open, 10).verdict, Verdict::Pass);
  EXPECT_EQ(judge(rounds(5ms, 10ms, 19ms), threshold, 0.95, Model::Open, 10).verdict, Verdict::Inconclusive);
}

TEST(LoadJudge, ThresholdsAreReadStrictly) {
  EXPECT_EQ(parse_thresholds("p99.9 <= 50ms , service.p50<1ms,rate>=99%")->size(), 3U);
  for (const char* bad : {"p99", "p100<1s", "p99<50", "q99<50ms", "errors<1ms", "p0<1ms"}) EXPECT_FALSE(parse_thresholds(bad)) << bad;
}

// Identical runs raise an alarm as often as was agreed, and what is slower is found.
TEST(LoadCompare, FiftyIdenticalPairsRaiseFewAlarms) {
  Dice dice = Random(11).fork("rounds");
  for (const bool paired : {true, false}) {
    int alarms = 0, found = 0;
    for (int run = 0; run < 50; ++run) {
      std::vector<Round> base, same, slower;
      for (int i = 0; i < 8; ++i) {
        base.push_back(noisy(dice, 1, 2000));
        same.push_back(noisy(dice, 1, 2000));
        slower.push_back(noisy(dice, 1.1, 2000));
      }
      alarms += compare(base, same, {0.5, 0.99}, 0, 0.95, paired).verdict == Verdict::Fail ? 1 : 0;
      found += compare(base, slower, {0.5, 0.99}, 0, 0.95, paired).verdict == Verdict::Fail ? 1 : 0;
    }
    EXPECT_LE(alarms, 7);
    EXPECT_GE(found, 49);
  }
}

TEST(LoadCompare, ToleranceIsWhatMayBeSlower) {
  Dice dice = Random(3).fork("rounds");
  std::vector<Round> base, now;
  for (int i = 0; i < 8; ++i) {
    base.push_back(noisy(dice, 1, 2000));
    now.push_back(noisy(dice, 1.1, 2000));
  }
  EXPECT_EQ(compare(base, now, {0.5}, 0.05, 0.95, true).verdict, Verdict::Fail);
  EXPECT_EQ(compare(base, now, {0.5}, 0.3, 0.95, true).verdict, Verdict::Pass);
  const Compared compared = compare(base, now, {0.5}, 0.05, 0.95, true);
  EXPECT_NEAR(compared.findings[0].ratio, 1.1, 0.03);
  EXPECT_GT(compared.superiority, 0.55);
  EXPECT_EQ(compare({base[0]}, {now[0]}, {0.5}, 0.05, 0.95, true).verdict, Verdict::Inconclusive);
}

Outcome outcome() {
  Outcome out;
  out.target = "http://127.0.0.1:1/";
  out.plan = "open, Poisson, 10/s for 10s";
  out.thresholds = {"p50 < 1s"};
  out.marks = {{2s, "orders slow"}};
  out.rounds.push_back(even(100, 1ms, 1us));
  out.rounds[0].judged.errors["closed"] = 3;
  out.rounds[0].judged.statuses[200] = 97;
  out.rounds[0].slice = 250ms;
  out.rounds[0].slices.resize(40);
  out.rounds[0].slices[3].latency.add(3ms);
  return out;
}

TEST(LoadResult, FileHoldsTheWholeResult) {
  const Outcome before = outcome();
  const auto after = read_outcome("a.json", to_json(before, {}, nullptr));
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->rounds[0].judged.latency, before.rounds[0].judged.latency);
  EXPECT_EQ(after->rounds[0].judged.errors, before.rounds[0].judged.errors);
  EXPECT_EQ(after->rounds[0].slices[3].latency, before.rounds[0].slices[3].latency);
  EXPECT_EQ(after->marks[0].text, "orders slow");
  EXPECT_EQ(to_json(*after, {}, nullptr), to_json(before, {}, nullptr));
  for (const char* bad : {"", "{}", "{\"gatelab_load\":1}", "{\"gatelab_load\":2}", "[1]"}) EXPECT_FALSE(read_outcome("a.json", bad)) << bad;
}

TEST(LoadResult, OnlyTheWholeOfOneRunIsMerged) {
  std::vector<Outcome> parts(3, outcome());
  for (std::uint32_t i = 0; i < 3; ++i) parts[i].shard = {i, 3};
  const auto whole = merge(parts);
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->rounds[0].judged.latency.count(), 300U);
  EXPECT_EQ(whole->rounds[0].judged.errors.at("closed"), 9U);
  EXPECT_EQ(merge({parts[0], parts[1]}).error().message, "shard 3/3 is missing: percentiles of a part say nothing of the whole");
  EXPECT_EQ(merge({parts[0], parts[1], parts[1]}).error().message, "shard 2/3 is there twice");
}

TEST(LoadResult, PartsOfDifferentRunsAreRefusedWithWhatDiffers) {
  const struct {
    const char* what;
    void (*change)(Outcome&);
  } rows[] = {
      {"the target: `http://127.0.0.1:1/` and `http://127.0.0.1:2/`", [](Outcome& o) { o.target = "http://127.0.0.1:2/"; }},
      {"the plan: open, Poisson, 10/s for 10s and closed", [](Outcome& o) { o.plan = "closed"; }},
      {"the seed: 1 and 9", [](Outcome& o) { o.seed = 9; }},
      {"the rounds: 1 and 2", [](Outcome& o) { o.rounds.resize(2); }},
      {"the number of shards: 2 and 3", [](Outcome& o) { o.shard.of = 3; }},
      {"the threads: 1 and 4", [](Outcome& o) { o.threads = 4; }},
      {"the connections: 0 and 7", [](Outcome& o) { o.connections = 7; }},
      {"the warm-up: 0s and 1s", [](Outcome& o) { o.warmup = 1s; }},
      {"the timeout: 0s and 2s", [](Outcome& o) { o.timeout = 2s; }},
      {"the requests that are sent, or their data: 0000000000000000 and 0000000000000005", [](Outcome& o) { o.requests = 5; }},
      {"what is expected: p50 < 1s and none", [](Outcome& o) { o.thresholds.clear(); }},
      {"the confidence: 95% and 99%", [](Outcome& o) { o.confidence = 0.99; }},
  };
  for (const auto& row : rows) {
    std::vector<Outcome> parts(2, outcome());
    for (std::uint32_t i = 0; i < 2; ++i) parts[i].shard = {i, 2};
    row.change(parts[1]);
    // A file keeps all that tells runs from each other.
    auto again = read_outcome("b.json", to_json(parts[1], {}, nullptr));
    ASSERT_TRUE(again) << row.what;
    const auto whole = merge({parts[0], std::move(*again)});
    ASSERT_FALSE(whole) << row.what;
    EXPECT_EQ(whole.error().message, std::string("these are parts of different runs: they differ in ") + row.what);
  }
}

TEST(LoadResult, DigestIsOfWhatIsSentButNotOfCredentials) {
  const auto digest = [](const char* octets, const char* csv = "n\n1\n", std::uint16_t status = 200) {
    Load load;
    load.data = *read_data("rows.csv", csv);
    Flow flow;
    flow.requests.emplace_back();
    flow.requests[0].octets = *Template::make(octets, load.data, {});
    flow.requests[0].expected = {status};
    load.flows.push_back(std::move(flow));
    return begin_outcome("a", load, 1, 0.95, {}).requests;
  };
  const std::uint64_t base = digest("GET /a HTTP/1.1\r\nHost: a\r\nX-Api-Key: one\r\n\r\n");
  EXPECT_EQ(digest("GET /a HTTP/1.1\r\nHost: a\r\nX-Api-Key: other\r\n\r\n"), base);
  for (const char* other : {"POST /a HTTP/1.1\r\nHost: a\r\nX-Api-Key: one\r\n\r\n", "GET /$(data.n) HTTP/1.1\r\nHost: a\r\nX-Api-Key: one\r\n\r\n", "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
                            "GET /a HTTP/1.1\r\nHost: a\r\nX-Api-Key: one\r\n\r\nbody"})
    EXPECT_NE(digest(other), base) << other;
  EXPECT_NE(digest("GET /a HTTP/1.1\r\nHost: a\r\nX-Api-Key: one\r\n\r\n", "n\n2\n"), base);
  EXPECT_NE(digest("GET /a HTTP/1.1\r\nHost: a\r\nX-Api-Key: one\r\n\r\n", "n\n1\n", 201), base);
}

TEST(LoadResult, PageStandsAlone) {
  Outcome o = outcome();
  o.target = "<script>";
  const std::string page = to_html(o, judge(o.rounds, *parse_thresholds("p50<1s"), 0.95, Model::Open, 1), nullptr);
  EXPECT_EQ(page.find("<script>"), std::string::npos);
  EXPECT_EQ(page.find("http"), std::string::npos);
  EXPECT_NE(page.find("orders slow"), std::string::npos);
  EXPECT_NE(page.find("polyline"), std::string::npos);
  // Behind a value without quotes the slash would be a part of it, and the element open.
  for (std::size_t at = page.find("/>"); at != std::string::npos; at = page.find("/>", at + 1)) EXPECT_EQ(page[at - 1], '"') << page.substr(at - 40, 44);
}

}  // namespace
}  // namespace gatelab::harness::load
