// SPDX-License-Identifier: Apache-2.0
// Spans as they are written down: one tree of each exchange, whatever a client has put into it, and never longer than is good.
#include "observe/trace.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace gatelab::observe {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr const char* kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";

Record exchange(Arena& arena) {
  Record r(arena);
  r.trace.id = kTrace;
  r.trace.span = own_span(7);
  r.trace.sampled = r.trace.timed = true;
  r.trace.route_path = "/orders/{id}";
  r.trace.scheme = "http";
  r.request_id = "0123456789abcdef0123456789abcdef";
  r.began = Instant::from_seconds(1'767'225'600);
  r.total = 10ms;
  r.client = *parse_address("192.0.2.1:5000");
  r.method = "GET";
  r.target = "/orders/1?x=y";
  r.host = "api.local";
  r.status = 200;
  r.ended = {"upstream", "orders", "completed", Phase::Respond};
  Decision d;
  d.policy = "api-key";
  d.phase = Phase::Authenticate;
  r.decisions.add(d);
  r.timings.add({Phase::Match, {}, 1ms, -1});
  r.timings.add({Phase::Authenticate, 1ms, 2ms, 0});
  r.timings.add({Phase::Forward, 3ms, 8ms, -1});
  r.timings.add({Phase::Respond, 8ms, 10ms, -1});
  Attempt a;
  a.upstream = a.target = "orders";
  a.reason = "completed";
  a.status = 200;
  a.started = 3ms;
  a.ended = 10ms;
  a.span = try_span(r.trace.span, 0);
  r.attempts.add(a);
  return r;
}

Json spans(const Record& r, std::size_t expected) {
  std::string text;
  EXPECT_EQ(append_spans(text, r), expected);
  const Json whole = Json::parse(otlp_head("shop") + text + std::string(kOtlpTail), nullptr, false);
  EXPECT_FALSE(whole.is_discarded()) << text;
  if (whole.is_discarded()) return Json::array();
  EXPECT_EQ(whole["resourceSpans"][0]["resource"]["attributes"][0]["value"]["stringValue"], "shop");
  return whole["resourceSpans"][0]["scopeSpans"][0]["spans"];
}

TEST(Spans, AreATreeWhoseIdsAreAllDifferent) {
  Arena arena;
  const Json all = spans(exchange(arena), 6);
  ASSERT_EQ(all.size(), 6U);
  std::map<std::string, std::string> name_of;
  for (const Json& span : all) {
    EXPECT_EQ(span["traceId"], kTrace);
    EXPECT_TRUE(name_of.emplace(span["spanId"], span["name"]).second) << "an id twice";
    EXPECT_LE(std::stoll(span["startTimeUnixNano"].get<std::string>()), std::stoll(span["endTimeUnixNano"].get<std::string>()));
  }
  std::map<std::string, std::string> parents;
  for (const Json& span : all)
    if (span.contains("parentSpanId")) parents[span["name"]] = name_of.at(span["parentSpanId"]);
  const std::string root = "GET /orders/{id}";
  EXPECT_EQ(parents, (std::map<std::string, std::string>{{"match", root}, {"authenticate", root}, {"forward", root}, {"respond", root}, {"GET", "forward"}}));
}

TEST(Spans, ErrorsAreTheGatewaysAndTheTargets) {
  Arena arena;
  struct Case { std::uint16_t status; bool truncated, own_fails; };
  for (const Case& c : {Case{200, false, false}, Case{404, false, false}, Case{502, false, true}, Case{0, false, true}, Case{200, true, true}}) {
    Record r = exchange(arena);
    r.status = c.status;
    r.truncated = c.truncated;
    const Json all = spans(r, 6);
    EXPECT_EQ(all[0].contains("status"), c.own_fails) << c.status;
  }
}

TEST(Spans, OfACallAreBelowTheirExchange) {
  Arena arena;
  Record call(arena);
  call.trace.id = kTrace;
  call.trace.span = own_span(9);
  call.trace.parent = phase_span(own_span(7), Phase::Authenticate);
  call.trace.what = "forward-auth";
  call.status = 200;
  call.method = "GET";
  Attempt a;
  a.span = try_span(call.trace.span, 0);
  a.status = 200;
  a.reason = "completed";
  call.attempts.add(a);
  const Json all = spans(call, 2);
  EXPECT_EQ(all[0]["name"], "forward-auth");
  EXPECT_EQ(all[0]["kind"], 1);
  EXPECT_EQ(all[1]["parentSpanId"], all[0]["spanId"]);
}

TEST(Spans, WhateverIsInARequestTheyAreJsonAndBounded) {
  Arena arena;
  std::string all_octets(100'000, 'x');
  for (std::size_t i = 0; i < all_octets.size(); ++i) all_octets[i] = static_cast<char>(i * 7);
  Record r = exchange(arena);
  r.method = r.target = r.host = r.user_agent = r.consumer = all_octets;
  std::string text;
  append_spans(text, r);
  EXPECT_FALSE(Json::parse(otlp_head("shop") + text + std::string(kOtlpTail), nullptr, false).is_discarded());
  EXPECT_LT(text.size(), 64U * 1024);
  EXPECT_EQ(spans(r, 6)[0]["name"], "HTTP /orders/{id}") << "nobody makes names of spans";
}

TEST(Spans, SamplesAreTheShareThatWasAskedFor) {
  TraceRules tenth;
  tenth.sample.millionths = 100'000;
  int kept = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) kept += tenth.samples(mix64(i));
  EXPECT_GT(kept, 850);
  EXPECT_LT(kept, 1150);
  tenth.sample.millionths = 0;
  for (std::uint64_t i = 0; i < 1'000; ++i) EXPECT_FALSE(tenth.samples(mix64(i)));
  EXPECT_TRUE(TraceRules().samples(~0ULL));
}

}  // namespace
}  // namespace gatelab::observe
