// SPDX-License-Identifier: Apache-2.0
// One line for each exchange in each format, whatever a client has put into it.
#include "observe/access_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace gatelab::observe {
namespace {

using namespace std::chrono_literals;

Record exchange(Arena& arena) {
  Record r(arena);
  r.request_id = "0123456789abcdef0123456789abcdef";
  r.began = Instant::from_seconds(1'767'225'600) + 7ms;
  r.total = 1'234'567ns;
  r.upstream = 1ms;
  r.client = *parse_address("192.0.2.1:5000");
  r.listener = "main";
  r.method = "GET";
  r.host = "api.local";
  r.target = "/orders/1?x=y";
  r.version = "1.1";
  r.route = "orders";
  r.consumer = "mobile";
  r.user_agent = "curl/8";
  r.referer = "http://a/";
  r.status = 200;
  r.request_octets = 3;
  r.response_octets = 42;
  r.ended.by = "upstream";
  r.ended.id = "orders";
  r.ended.reason = "completed";
  Attempt attempt;
  attempt.upstream = "orders";
  r.attempts.add(attempt);
  return r;
}

std::string line(const Record& r, LogFormat format, bool colour = false) {
  std::string out;
  append_line(out, r, format, colour);
  return out;
}

TEST(AccessLog, WritesOneLineInEachFormat) {
  Arena arena;
  const Record r = exchange(arena);
  const std::pair<LogFormat, const char*> cases[] = {
      {LogFormat::Json,
       "{\"time\":\"2026-01-01T00:00:00.007Z\",\"request_id\":\"0123456789abcdef0123456789abcdef\",\"client\":\"192.0.2.1\",\"listener\":\"main\",\"method\":\"GET\","
       "\"host\":\"api.local\",\"target\":\"/orders/1?x=y\",\"version\":\"1.1\",\"status\":200,\"route\":\"orders\",\"consumer\":\"mobile\",\"by\":\"upstream\","
       "\"phase\":\"respond\",\"reason\":\"completed\",\"policy_id\":\"orders\",\"upstream\":\"orders\",\"attempts\":1,\"request_bytes\":3,\"response_bytes\":42,"
       "\"duration_ms\":1.234,\"upstream_ms\":1.000,\"user_agent\":\"curl/8\",\"referer\":\"http://a/\"}\n"},
      {LogFormat::Logfmt,
       "time=2026-01-01T00:00:00.007Z request_id=0123456789abcdef0123456789abcdef client=192.0.2.1 listener=main method=GET host=api.local target=\"/orders/1?x=y\" "
       "version=1.1 status=200 route=orders consumer=mobile by=upstream phase=respond reason=completed policy_id=orders upstream=orders attempts=1 request_bytes=3 "
       "response_bytes=42 duration_ms=1.234 upstream_ms=1.000 user_agent=curl/8 referer=http://a/\n"},
      {LogFormat::Combined, "192.0.2.1 - mobile [01/Jan/2026:00:00:00 +0000] \"GET /orders/1?x=y HTTP/1.1\" 200 42 \"http://a/\" \"curl/8\"\n"},
      {LogFormat::Pretty, "00:00:00.007 200 GET /orders/1?x=y  orders → orders  as mobile  1.234ms\n"},
  };
  for (const auto& [format, want] : cases) EXPECT_EQ(line(r, format), want);
  EXPECT_EQ(line(r, LogFormat::Pretty, true), "00:00:00.007 \x1b[32m200\x1b[0m GET /orders/1?x=y  orders → orders  as mobile  1.234ms\n");
}

TEST(AccessLog, SaysWhoEndedAnExchangeThatGotNoAnswer) {
  Arena arena;
  Record r = exchange(arena);
  r.status = 0;
  r.truncated = true;
  r.consumer = r.user_agent = r.referer = {};
  r.ended.by = "client";
  r.ended.id = {};
  r.ended.reason = "client-gone";
  EXPECT_NE(line(r, LogFormat::Json).find("\"status\":0,\"route\":\"orders\",\"by\":\"client\",\"phase\":\"respond\",\"reason\":\"client-gone\",\"upstream\""), std::string::npos);
  EXPECT_NE(line(r, LogFormat::Json).find(",\"truncated\":true}\n"), std::string::npos);
  EXPECT_EQ(line(r, LogFormat::Combined), "192.0.2.1 - - [01/Jan/2026:00:00:00 +0000] \"GET /orders/1?x=y HTTP/1.1\" 0 42 \"-\" \"-\"\n");
  EXPECT_EQ(line(r, LogFormat::Pretty), "00:00:00.007 --- GET /orders/1?x=y  orders → orders  client: client-gone  1.234ms\n");
  EXPECT_NE(line(r, LogFormat::Pretty, true).find("\x1b[31m---"), std::string::npos);
}

// A connection that was not let in, or whose handshake failed: there is no request to speak of.
TEST(AccessLog, SaysWhatBecameOfAConnectionWithoutARequest) {
  Arena arena;
  Record r(arena);
  r.began = Instant::from_seconds(1'767'225'600);
  r.client = r.peer = *parse_address("192.0.2.1:4711");
  r.listener = "main";
  r.route = "(none)";
  r.ended = {"gateway", {}, "max-connections", Phase::Accept};
  EXPECT_EQ(line(r, LogFormat::Json),
            "{\"time\":\"2026-01-01T00:00:00.000Z\",\"client\":\"192.0.2.1\",\"listener\":\"main\",\"status\":0,\"route\":\"(none)\",\"by\":\"gateway\","
            "\"phase\":\"accept\",\"reason\":\"max-connections\",\"attempts\":0,\"request_bytes\":0,\"response_bytes\":0,\"duration_ms\":0.000,\"upstream_ms\":0.000}\n");
  EXPECT_EQ(line(r, LogFormat::Combined), "192.0.2.1 - - [01/Jan/2026:00:00:00 +0000] \"-\" 0 0 \"-\" \"-\"\n");
  EXPECT_EQ(line(r, LogFormat::Pretty), "00:00:00.000 --- accept on main of 192.0.2.1  gateway: max-connections  0.000ms\n");
  r.ended = {"client", {}, "tls-alert", Phase::Handshake};
  r.tls.error = "certificate unknown";
  EXPECT_EQ(line(r, LogFormat::Pretty), "00:00:00.000 --- handshake on main of 192.0.2.1  client: tls-alert  certificate unknown  0.000ms\n");
}

// Log forging (CR LF), terminal escapes (ANSI), quoting, and octets that are not UTF-8.
std::size_t unescaped_quotes(std::string_view line) {
  std::size_t quotes = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') ++i;
    else if (line[i] == '"') ++quotes;
  }
  return quotes;
}

TEST(AccessLog, NoTextBreaksOutOfItsPlace) {
  const std::string hostile[] = {"a\r\n{\"forged\":1}", "\x1b[2J\x1b]0;title\x07", "\"}\n", "\\", "\\\"", std::string("\0x", 2), "\x7f", "\xff\xfe", "\xc3", "\xc2\x9b" "31m", "a b=c"};
  for (const std::string& text : hostile) {
    for (const LogFormat format : {LogFormat::Json, LogFormat::Logfmt, LogFormat::Combined, LogFormat::Pretty}) {
      Arena arena;
      Record r = exchange(arena);
      r.request_id = r.listener = r.method = r.host = r.target = r.route = r.consumer = r.user_agent = r.referer = text;
      r.ended.by = r.ended.id = r.ended.reason = text;
      r.attempts.back().upstream = text;
      const std::string got = line(r, format);
      ASSERT_EQ(got.back(), '\n');
      for (const char c : std::string_view(got).substr(0, got.size() - 1)) {
        EXPECT_GE(static_cast<unsigned char>(c), 0x20U) << got;
        EXPECT_NE(static_cast<unsigned char>(c), 0x7fU) << got;
      }
      EXPECT_EQ(got.find("{\"forged\""), std::string::npos) << got;
      EXPECT_EQ(got.find("\xff"), std::string::npos) << got;
      EXPECT_EQ(got.find("\xc2\x9b"), std::string::npos) << got;
      if (format != LogFormat::Json) continue;
      Arena plain;
      EXPECT_EQ(unescaped_quotes(got), unescaped_quotes(line(exchange(plain), format))) << got;
    }
  }
}

// Room for a JSON line is made once, for the longest that it can become.
TEST(AccessLog, TheLongestLineThereCanBeHasRoom) {
  for (const std::size_t octets : {std::size_t{1}, std::size_t{300}}) {
    Arena arena;
    Record r = exchange(arena);
    const std::string text(octets, '\x01');  // six octets each, escaped
    r.request_id = r.listener = r.method = r.host = r.target = r.version = r.route = r.consumer = r.user_agent = r.referer = text;
    r.ended.by = r.ended.id = r.ended.reason = r.attempts.back().upstream = text;
    r.ended.phase = Phase::TransformResponse;
    r.tls.version = r.tls.cipher = r.tls.sni = r.tls.client = r.tls.client_fingerprint = r.tls.error = text;
    r.tls.resumed = r.truncated = r.proxied = true;
    r.client.ip = r.peer.ip = *parse_ip("1111:2222:3333:4444:5555:6666:7777:8888");
    r.status = UINT16_MAX;
    r.request_octets = r.response_octets = UINT64_MAX;
    r.total = r.upstream = Duration::max();
    std::string out = "before";
    out.reserve(1);
    append_line(out, r, LogFormat::Json, false);
    EXPECT_TRUE(out.starts_with("before{\"time\":\"")) << out;
    EXPECT_TRUE(out.ends_with("}\n")) << out;
    EXPECT_EQ(std::count(out.begin(), out.end(), '\\'), static_cast<std::ptrdiff_t>(20 * octets)) << "all twenty texts, each octet escaped";
  }
}

TEST(AccessLog, TellsTheTimeOfEachLineAcrossSeconds) {
  Arena arena;
  Record r = exchange(arena);
  for (const auto& [ms, text] : {std::pair(0, "00:00:00.000"), {999, "00:00:00.999"}, {1000, "00:00:01.000"}, {59'999, "00:00:59.999"}, {500, "00:00:00.500"}, {86'400'001, "00:00:00.001"}}) {
    r.began = Instant::from_seconds(1'767'225'600) + std::chrono::milliseconds(ms);
    EXPECT_NE(line(r, LogFormat::Json).find(std::string("T") + text + "Z"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace gatelab::observe
