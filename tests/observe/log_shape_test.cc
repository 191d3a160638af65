// SPDX-License-Identifier: Apache-2.0
// What a configuration makes of lines: templates, fields that are left out or hashed, samples.
#include "observe/log_shape.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace gatelab::observe {
namespace {

using namespace std::chrono_literals;

Record exchange(Arena& arena) {
  Record r(arena);
  r.request_id = "0123456789abcdef0123456789abcdef";
  r.trace.id = "4bf92f3577b34da6a3ce929d0e0e4736";
  r.trace.span = 0xf067aa0ba902b7;
  r.began = Instant::from_seconds(1'767'225'600) + 7ms;
  r.total = 1'234'567ns;
  r.client = *parse_address("192.0.2.1:5000");
  r.peer = *parse_address("10.0.0.1:1");
  r.proxied = true;
  r.listener = "main";
  r.method = "GET";
  r.host = "api.local";
  r.target = "/orders/1?x=y";
  r.version = "1.1";
  r.route = "orders";
  r.consumer = "mobile";
  r.user_agent = "a \"b\" \\ \x01 \xff";
  r.status = 502;
  r.truncated = true;
  r.cache = "miss";
  r.tls.version = "TLSv1.3";
  r.tls.resumed = true;
  r.ended = {"upstream", "orders", "upstream-reset", Phase::Forward};
  Attempt attempt;
  attempt.upstream = "orders";
  attempt.target = "primary";
  attempt.reason = "upstream-reset";
  attempt.hedge = true;
  attempt.not_retried = "not-idempotent";
  attempt.connected = 1ms;
  r.attempts.add(attempt);
  attempt.target = "backup";
  attempt.status = 200;
  r.attempts.add(attempt);
  return r;
}

std::string line(const Record& r, const LogShape& shape) {
  std::string out;
  append_line(out, r, shape, false);
  return out;
}

LogShape templated(std::string_view text) {
  diag::Sink sink;
  LogShape shape;
  shape.format = LogFormat::Template;
  shape.line = LogTemplate::parse(text, {}, sink);
  EXPECT_FALSE(sink.has_errors()) << text;
  return shape;
}

// Two writers know how a line is made: the quick one, and the one that leaves fields out.
TEST(LogShape, ALineThatLacksNothingIsTheLineOfTheFormat) {
  Arena arena;
  Record full = exchange(arena), bare(arena), plain = exchange(arena);
  plain.user_agent = "curl/8";
  plain.variant = "b";
  plain.mirrored_to = "shadow";
  plain.tls.error = "certificate unknown";
  for (const LogFormat format : {LogFormat::Json, LogFormat::Logfmt}) {
    for (const Record* r : {&full, &bare, &plain}) {
      LogShape shape;
      shape.format = format;
      shape.redaction.dropped.set(static_cast<std::size_t>(LogField::Path));  // no such line has it
      std::string expected;
      append_line(expected, *r, format, false);
      EXPECT_EQ(line(*r, shape), expected);
    }
  }
}

TEST(LogShape, TemplatesHaveEveryFieldWithEscapesAndDefaults) {
  Arena arena;
  const Record r = exchange(arena);
  const std::pair<const char*, const char*> cases[] = {
      {"${time} ${time_common} ${time_unix}", "2026-01-01T00:00:00.007Z 01/Jan/2026:00:00:00 +0000 1767225600.007\n"},
      {"${client} ${peer} ${path} ${query} ${target}", "192.0.2.1 10.0.0.1 /orders/1 x=y /orders/1?x=y\n"},
      {"{\"agent\":\"${user_agent}\",\"status\":${status}}", "{\"agent\":\"a \\\"b\\\" \\\\ \\u0001 \xEF\xBF\xBD\",\"status\":502}\n"},
      {"${variant} ${variant:none} ${variant:}|", "- none |\n"},
      {"${trace_id} ${span_id}", "4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7\n"},
      {"$${status} $ {status} ${duration_ms} ${truncated} ${tries}", "${status} $ {status} 1.234 true primary:upstream-reset,backup:upstream-reset\n"},
      {"literally", "literally\n"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(line(r, templated(text)), expected) << text;
  for (const LogFieldInfo& one : log_fields()) EXPECT_NE(line(r, templated("${" + std::string(one.name) + "}")), "\n") << one.name;
}

TEST(LogShape, WhatIsNoFieldIsRefusedWhereItStands) {
  auto file = std::make_shared<diag::SourceFile>();
  file->text = "format: '${time} ${statsu} ${time'";
  const diag::Span span{file, 8, 34};
  diag::Sink sink;
  (void)LogTemplate::parse("${time} ${statsu} ${time", span, sink);
  ASSERT_EQ(sink.all().size(), 2U);
  EXPECT_EQ(sink.all()[0].note, "did you mean `status`?");
  EXPECT_EQ(sink.all()[0].span.begin, 17U);
  EXPECT_EQ(sink.all()[0].span.end, 26U);
  EXPECT_EQ(sink.all()[1].span.begin, 27U);
}

TEST(LogShape, FieldsAreDroppedAndHashedInEveryFormat) {
  Arena arena;
  const Record r = exchange(arena);
  for (const LogFormat format : {LogFormat::Json, LogFormat::Logfmt, LogFormat::Combined, LogFormat::Pretty, LogFormat::Template}) {
    LogShape shape = templated("${client} ${consumer:nobody} ${target}");
    shape.format = format;
    shape.redaction.key = {1, 2};
    shape.redaction.dropped.set(static_cast<std::size_t>(LogField::Consumer));
    shape.redaction.hashed.set(static_cast<std::size_t>(LogField::Client));
    const std::string got = line(r, shape);
    EXPECT_EQ(got.find("192.0.2.1"), std::string::npos) << got;
    EXPECT_EQ(got.find("mobile"), std::string::npos) << got;
    EXPECT_NE(got.find("/orders/1"), std::string::npos) << got;
    if (format != LogFormat::Pretty) {  // which has no address
      const std::uint64_t hash = siphash("192.0.2.1", {1, 2});
      char hex[17];
      std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(hash));
      EXPECT_NE(got.find(hex), std::string::npos) << got;
    }
    shape.redaction.key = {1, 3};
    if (format != LogFormat::Pretty) {
      EXPECT_NE(line(r, shape), got);
    }
  }
}

TEST(LogShape, SamplesKeepWhatWentWrongAndWhatTookLong) {
  Arena arena;
  Sampling none;
  none.share.millionths = 0;
  struct Case { std::uint16_t status; bool truncated; Duration total; Sampling::Keep keep; bool kept; };
  const Case cases[] = {
      {200, false, 1ms, Sampling::Keep::Errors, false},      {404, false, 1ms, Sampling::Keep::Errors, true},
      {404, false, 1ms, Sampling::Keep::ServerErrors, false}, {502, false, 1ms, Sampling::Keep::ServerErrors, true},
      {0, false, 1ms, Sampling::Keep::ServerErrors, true},    {200, true, 1ms, Sampling::Keep::ServerErrors, true},
      {502, true, 1ms, Sampling::Keep::Nothing, false},       {200, false, 101ms, Sampling::Keep::Nothing, true},
      {200, false, 100ms, Sampling::Keep::Nothing, false},
  };
  none.slower_than = 100ms;
  for (const Case& c : cases) {
    Record r(arena);
    r.status = c.status;
    r.truncated = c.truncated;
    r.total = c.total;
    none.keep = c.keep;
    EXPECT_EQ(none.keeps(r), c.kept) << c.status << " " << c.truncated;
  }
}

TEST(LogShape, TheSameTraceIsKeptByWhoeverHasTheKey) {
  Arena arena;
  Sampling tenth, other;
  tenth.share.millionths = other.share.millionths = 100'000;
  tenth.key = {1, 2};
  other.key = {3, 4};
  int kept = 0, differ = 0;
  for (int i = 0; i < 10'000; ++i) {
    Record one(arena), two(arena);
    const std::string trace = "trace-" + std::to_string(i), request = "request-" + std::to_string(i);
    one.status = two.status = 200;
    one.trace.id = two.trace.id = trace;
    two.request_id = request;
    kept += tenth.keeps(one);
    differ += tenth.keeps(one) != other.keeps(one);
    EXPECT_EQ(tenth.keeps(one), tenth.keeps(two));
  }
  EXPECT_GT(kept, 850);
  EXPECT_LT(kept, 1150);
  EXPECT_GT(differ, 1000);
}

}  // namespace
}  // namespace gatelab::observe
