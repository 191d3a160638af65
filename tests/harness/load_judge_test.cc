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

TEST(LoadJudge, WhereNothingIsExpectedThereIsNoVerdictAndOfNothingNoPercentile) {
  Outcome outcome;
  Round& round = outcome.rounds.emplace_back();
  round.length = 10s;
  round.judged.planned = round.judged.sent = round.judged.in_time = 100;
  round.judged.errors["refused"] = 100;
  const Judgement nothing = judge(outcome.rounds, {}, 0.95, Model::Open, 10);
  const std::string json = to_json(outcome, nothing, nullptr), text = to_text(outcome, nothing, nullptr);
  EXPECT_NE(json.find(R"("verdict":null)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("latency_ms":{"p50":null,"p90":null,"p95":null,"p99":null,"p99.9":null,"max":null})"), std::string::npos) << json;
  EXPECT_NE(text.find("every request failed"), std::string::npos) << text;
  EXPECT_EQ(text.find("verdict"), std::string::npos) << text;
  EXPECT_TRUE(read_outcome("out.json", json)) << json;

  outcome.rounds.front() = even(100, 1ms, 1us);
  const Judgement expected = judge(outcome.rounds, *parse_thresholds("p50<1s"), 0.95, Model::Open, 10);
  const std::string some = to_json(outcome, expected, nullptr);
  EXPECT_NE(some.find(R"("verdict":"pass")"), std::string::npos) << some;
  EXPECT_NE(some.find(R"("p99":null,"p99.9":null,"max":1.)"), std::string::npos) << "of a hundred p99 says nothing: " << some;
  EXPECT_EQ(some.find(R"("p50":null)"), std::string::npos) << some;
}

TEST(LoadJudge, SaysHowManyWouldDo) {
  EXPECT_EQ(judge({even(298, 1ms, 1us)}, *parse_thresholds("p99<1s"), 0.95, Model::Open, 10).findings[0].needed, 299U);
  EXPECT_EQ(judge({even(298, 1ms, 1us)}, *parse_thresholds("errors<0.1%"), 0.95, Model::Open, 10).findings[0].needed, 2'995U);
  EXPECT_EQ(judge({even(299, 1ms, 1us)}, *parse_thresholds("p99<1s"), 0.95, Model::Open, 10).findings[0].needed, 0U);
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

TEST(LoadJudge, ErrorsThatNothingBoundsAreSaidBesideTheVerdict) {
  const struct {
    const char* thresholds;
    std::uint64_t errors;
    const char* hint;
  } rows[] = {
      {"p50<1s", 460, "460 of 1000 requests failed, and nothing bounds `errors`"},
      {"service.p50<1s,rate>=99%", 1, "1 of 1000 requests failed, and nothing bounds `errors`"},
      {"p50<1s", 0, ""},
      {"p50<1s,errors<50%", 460, ""},
      {"", 460, ""},
  };
  for (const auto& row : rows) {
    Outcome o;
    Round& round = o.rounds.emplace_back(even(static_cast<int>(1000 - row.errors), 1ms, 1us));
    round.judged.service = round.judged.latency;
    round.judged.planned = round.judged.sent = round.judged.in_time = 1000;
    if (row.errors > 0) round.judged.errors["closed"] = row.errors;
    const Judgement judgement = judge(o.rounds, *parse_thresholds(row.thresholds), 0.95, Model::Open, 10);
    EXPECT_EQ(judgement.hint, row.hint) << row.thresholds;
    EXPECT_EQ(judgement.verdict, Verdict::Pass) << row.thresholds;
    const bool told = *row.hint != 0;
    EXPECT_EQ(to_text(o, judgement, nullptr).find("  hint: " + judgement.hint + "\n") != std::string::npos, told) << to_text(o, judgement, nullptr);
    EXPECT_EQ(to_json(o, judgement, nullptr).find("nothing bounds") != std::string::npos, told);
    EXPECT_EQ(to_html(o, judgement, nullptr).find("nothing bounds") != std::string::npos, told);
  }
}

TEST(LoadJudge, OfRequestsThatAllFailedItIsSaidWhatTheyEndedWith) {
  Round refused, some = even(10, 1ms, 1us);
  refused.judged.planned = refused.judged.sent = refused.judged.in_time = 20;
  refused.judged.errors["refused"] = 15;
  refused.judged.errors["status 503"] = refused.judged.statuses[503] = 5;
  EXPECT_EQ(none_succeeded({refused}), "no request succeeded (503: 5, refused: 15)");
  EXPECT_EQ(none_succeeded({refused, some}), "");
  EXPECT_EQ(none_succeeded({Round()}), "");
}

TEST(LoadJudge, NothingPassesWhereNoRequestSucceeded) {
  Round refused;
  refused.length = 10s;
  refused.judged.planned = refused.judged.sent = refused.judged.in_time = 20;
  refused.judged.errors["refused"] = 20;
  Round unavailable = refused;
  unavailable.judged.answered = 20;
  unavailable.judged.errors = {{"status 503", 20}};
  unavailable.judged.statuses[503] = 20;
  EXPECT_EQ(verdict(refused, "rate>=99%"), Verdict::Inconclusive);
  EXPECT_EQ(verdict(unavailable, "rate>=99%"), Verdict::Inconclusive);
  EXPECT_EQ(verdict(unavailable, ""), Verdict::Pass);  // nothing is asked, and there is something to tell
  EXPECT_EQ(verdict(refused, "rate>=99%,errors<1%"), Verdict::Fail);
  EXPECT_EQ(verdict(refused, "errors>50%"), Verdict::Pass);
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

// A few that were never sent are under a hundredth of the plan, and still nobody knows how long they would have waited.
TEST(LoadJudge, WhatWasNeverSentIsAnErrorAndProvesNothing) {
  Round round = even(1000, 1ms, 1us);
  round.judged.planned = 1003;
  round.judged.unsent = round.judged.errors["unsent"] = 3;
  round.resources.waits = 40;
  const auto thresholds = *parse_thresholds("p50<1s,errors<=0%");
  const Judgement judgement = judge({round}, thresholds, 0.95, Model::Open, 4);
  EXPECT_EQ(judgement.verdict, Verdict::Invalid);
  ASSERT_EQ(judgement.invalid.size(), 1U);
  EXPECT_EQ(judgement.invalid[0].substr(0, 49), "3 of 1003 planned requests were never sent; all 4");
  EXPECT_EQ(judgement.findings[1].verdict, Verdict::Fail);
  EXPECT_EQ(judgement.findings[1].text, "0.2991% (3 of 1003)");
  Outcome o;
  o.rounds.push_back(round);
  EXPECT_NE(to_text(o, judgement, nullptr).find("1003 planned, 1000 sent in time, 3 never sent, "), std::string::npos) << to_text(o, judgement, nullptr);
  EXPECT_NE(to_text(o, judgement, nullptr).find("unsent: 3"), std::string::npos);
  EXPECT_NE(to_json(o, judgement, nullptr).find("\"unsent\":3"), std::string::npos);
  EXPECT_NE(to_html(o, judgement, nullptr).find("3 errors, 3 of them never sent"), std::string::npos);
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

Compared compared(const std::vector<Round>& base, const std::vector<Round>& now, const Comparing& how) { return compare({base, Model::Open, 10}, {now, Model::Open, 10}, how); }

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
      alarms += compared(base, same, {{0.5, 0.99}, 0, 0.95, paired}).verdict == Verdict::Fail ? 1 : 0;
      found += compared(base, slower, {{0.5, 0.99}, 0, 0.95, paired}).verdict == Verdict::Fail ? 1 : 0;
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
  EXPECT_EQ(compared(base, now, {{0.5}, 0.05, 0.95, true}).verdict, Verdict::Fail);
  EXPECT_EQ(compared(base, now, {{0.5}, 0.3, 0.95, true}).verdict, Verdict::Pass);
  const Compared c = compared(base, now, {{0.5}, 0.05, 0.95, true});
  EXPECT_NEAR(c.findings[0].ratio, 1.1, 0.03);
  EXPECT_GT(c.superiority, 0.55);
  EXPECT_EQ(compared({base[0]}, {now[0]}, {{0.5}, 0.05, 0.95, true}).verdict, Verdict::Inconclusive);
}

// Five rounds that differ by a hundredth or so.
std::vector<Round> rounds_of(Duration least, int requests = 1000) {
  std::vector<Round> out;
  for (int i = 0; i < 5; ++i) out.push_back(even(requests, least + least / 100 * i, 1us));
  return out;
}

// Without one round of one side the others must still meet their own: the machine got slower from round to round.
TEST(LoadCompare, RoundsArePairedByTheirNumber) {
  for (const bool of_base : {true, false}) {
    std::vector<Round> base, now;
    for (int i = 0; i < 6; ++i) {
      base.push_back(even(1000, 10ms * (1 << i), 1us));
      now.push_back(even(1000, 10ms * (1 << i), 1us));
    }
    (of_base ? base : now)[1].judged.latency = {};
    (of_base ? base : now)[1].judged.errors["closed"] = 0;
    const Compared c = compared(base, now, {{0.5}, 0.01, 0.95, true});
    EXPECT_EQ(c.findings[0].verdict, Verdict::Pass) << c.findings[0].text;
    EXPECT_DOUBLE_EQ(c.findings[0].ratio, 1);
    EXPECT_NE(c.findings[0].text.find("; without round 2, of which one side has no latency"), std::string::npos) << c.findings[0].text;
  }
}

TEST(LoadCompare, BaseThatIsNoMeasureDecidesTheVerdict) {
  const struct {
    const char* what;
    void (*change)(std::vector<Round>& base, std::vector<Round>& now);
    Verdict verdict;
    const char* said;
  } rows[] = {
      {"two alike", [](std::vector<Round>&, std::vector<Round>&) {}, Verdict::Pass, "errors 0%, of the base 0%: no difference that the samples tell"},
      {"a base that was late", [](std::vector<Round>& base, std::vector<Round>&) { for (Round& r : base) r.judged.late.add(5ms, 1000); }, Verdict::Invalid, "invalid: of the base: the generator was late: p50 of its lateness is 5"},
      {"a base behind its plan", [](std::vector<Round>& base, std::vector<Round>&) { for (Round& r : base) r.judged.in_time = 900; }, Verdict::Invalid, "invalid: of the base: the rate was not reached: 90% of 5000"},
      {"a base that was stopped", [](std::vector<Round>& base, std::vector<Round>&) { base[4].cut = true; }, Verdict::Invalid, "invalid: of the base: it was stopped before its end"},
      {"a base with requests unsent", [](std::vector<Round>& base, std::vector<Round>&) { base[0].judged.unsent = 1; }, Verdict::Invalid, "invalid: of the base: 1 of 5000 planned requests were never sent"},
      {"more errors", [](std::vector<Round>&, std::vector<Round>& now) { for (Round& r : now) r.judged.errors["closed"] = 50; }, Verdict::Fail, "fail: errors 5%, of the base 0%: more"},
      {"fewer errors", [](std::vector<Round>& base, std::vector<Round>&) { for (Round& r : base) r.judged.errors["status 503"] = 50; }, Verdict::Invalid, "invalid: errors 0%, of the base 5%: fewer"},
      {"an error by chance", [](std::vector<Round>&, std::vector<Round>& now) { now[2].judged.errors["closed"] = 2; }, Verdict::Pass, "errors 0.04%, of the base 0%: no difference"},
      {"a base of a few", [](std::vector<Round>& base, std::vector<Round>&) { base = rounds_of(10ms, 200); }, Verdict::Inconclusive, "a round of the base has 200 latencies, which say nothing of its p99: it takes 299"},
      {"a run of a few", [](std::vector<Round>&, std::vector<Round>& now) { now = rounds_of(10ms, 200); }, Verdict::Inconclusive, "a round of this run has 200 latencies"},
  };
  for (const bool paired : {true, false})
    for (const auto& row : rows) {
      std::vector<Round> base = rounds_of(10ms), now = rounds_of(10ms);
      row.change(base, now);
      const Compared c = compared(base, now, {{0.5, 0.99}, 0.1, 0.95, paired});
      Outcome o;
      o.rounds = now;
      const std::string text = to_text(o, {Verdict::Pass, {}, {}}, &c);
      EXPECT_EQ(c.verdict, row.verdict) << row.what << "\n" << text;
      EXPECT_NE(text.find(row.said), std::string::npos) << row.what << "\n" << text;
      EXPECT_NE(text.find("\nverdict: " + std::string(name(row.verdict))), std::string::npos) << row.what << "\n" << text;
      EXPECT_NE(to_json(o, {Verdict::Pass, {}, {}}, &c).find("\"verdict\":\"" + std::string(name(row.verdict)) + "\""), std::string::npos) << row.what;
      const std::string page = to_html(o, {Verdict::Pass, {}, {}}, &c);
      EXPECT_NE(page.find("<th>errors"), std::string::npos) << row.what;
      EXPECT_EQ(page.find("<th>the base") != std::string::npos, !c.invalid.empty()) << row.what;
    }
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
