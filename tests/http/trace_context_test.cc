// SPDX-License-Identifier: Apache-2.0
// traceparent and tracestate, valid and not, by the Recommendation's rules.
#include "http/trace_context.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gatelab::http {
namespace {

constexpr const char* kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";

TEST(TraceContext, ReadsWhatHasTheFormAndNothingElse) {
  struct Case { std::string value; bool valid, sampled; };
  const std::string base = std::string("-") + kTrace + "-00f067aa0ba902b7-";
  const Case cases[] = {
      {"00" + base + "01", true, true},
      {"00" + base + "00", true, false},
      {"00" + base + "03", true, true},   // flags that nobody knows yet
      {"00" + base + "fe", true, false},
      {"01" + base + "01", true, true},   // later versions begin alike
      {"01" + base + "01-what-the-future-will-be-like", true, true},
      {"cc" + base + "01-", true, true},
      {"01" + base + "01.what", false, false},
      {"00" + base + "01-", false, false},
      {"00" + base + "01-x", false, false},
      {"ff" + base + "01", false, false},
      {"0x" + base + "01", false, false},
      {"00" + base + "0", false, false},
      {"00" + base + "0G", false, false},
      {"00" + base + "0A", false, false},
      {"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false, false},
      {"00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01-", false, false},
      {"00-00000000000000000000000000000000-00f067aa0ba902b7-01", false, false},
      {std::string("00-") + kTrace + "-0000000000000000-01", false, false},
      {std::string("00_") + kTrace + "-00f067aa0ba902b7-01", false, false},
      {std::string("00-") + kTrace + "_00f067aa0ba902b7-01", false, false},
      {std::string("00-") + kTrace + "-00f067aa0ba902b7_01", false, false},
      {" 00" + base + "01", false, false},
      {"", false, false},
  };
  for (const Case& c : cases) {
    const auto got = parse_traceparent(c.value);
    ASSERT_EQ(got.has_value(), c.valid) << c.value;
    if (!got) continue;
    EXPECT_EQ(got->trace_id, kTrace);
    EXPECT_EQ(got->parent_id, 0x00f067aa0ba902b7U);
    EXPECT_EQ(got->sampled, c.sampled) << c.value;
  }
}

TEST(TraceContext, WhatIsWrittenIsReadAgain) {
  char text[kTraceparentOctets];
  for (const bool sampled : {false, true}) {
    write_traceparent(kTrace, 0xf067aa0ba902b7, sampled, text);
    EXPECT_EQ(std::string_view(text, sizeof text), std::string("00-") + kTrace + "-00f067aa0ba902b7-0" + (sampled ? "1" : "0"));
    EXPECT_EQ(parse_traceparent({text, sizeof text})->sampled, sampled);
  }
}

TEST(TraceContext, TracestateIsAListOfAtMost32MembersWithoutAKeyTwice) {
  std::string full, over;
  for (int i = 0; i < 32; ++i) full += (i == 0 ? "" : ",") + std::string("k") + std::to_string(i) + "=v";
  over = full + ",k32=v";
  const std::string key256(256, 'a'), value256(256, 'v');
  const std::pair<std::string, bool> cases[] = {
      {"congo=t61rcWkgMzE", true},
      {"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", true},
      {"rojo=1 , \tcongo=2", true},
      {"rojo=1,,congo=2,", true},
      {"fw529a3039@dt=FfffffffQ", true},
      {"0tenant@sys=1", true},
      {"a-b_c*d/e=!#$ x", true},
      {full, true},
      {key256 + "=1", true},
      {"a=" + value256, true},
      {"", false},
      {",", false},
      {over, false},
      {"rojo=1,rojo=2", false},
      {"rojo", false},
      {"=1", false},
      {"rojo=", false},
      {"Rojo=1", false},
      {"0rojo=1", false},
      {"a@0=1", false},
      {"@sys=1", false},
      {"a@=1", false},
      {"a@b@c=1", false},
      {"a b=1", false},
      {"a=b=c", false},
      {key256 + "a=1", false},
      {"a=" + value256 + "v", false},
      {"a=\xc3\xa4", false},
      {std::string("a=\x01"), false},
  };
  for (const auto& [value, valid] : cases) EXPECT_EQ(is_tracestate(value), valid) << value;
}

TEST(TraceContext, SeveralParentsAreNoneAndSeveralStatesAreOne) {
  const std::string parent = std::string("00-") + kTrace + "-00f067aa0ba902b7-01";
  Arena arena;
  Fields fields(arena);
  EXPECT_FALSE(find_trace_context(fields));
  fields.add("tracestate", "a=1");
  EXPECT_FALSE(find_trace_context(fields)) << "a state without a parent";
  fields.add("TraceParent", parent);
  fields.add("Tracestate", "b=2");
  ASSERT_TRUE(find_trace_context(fields));
  EXPECT_EQ(find_trace_context(fields)->state, "a=1,b=2");
  fields.add("tracestate", "broken");
  ASSERT_TRUE(find_trace_context(fields)) << "a broken state breaks no trace";
  EXPECT_EQ(find_trace_context(fields)->state, "");
  fields.add("traceparent", parent);
  EXPECT_FALSE(find_trace_context(fields));
}

}  // namespace
}  // namespace gatelab::http
