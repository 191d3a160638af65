// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/tapped_connection.h"

#include <gtest/gtest.h>

#include "harness/replay/har.h"
#include "harness/replay/import.h"

namespace gatelab::harness {
namespace {

constexpr Instant kAt{1000}, kLater{5000};

std::string headers(const RecordedHeaders& list) {
  std::string out;
  for (const auto& [name, value] : list) out += " " + name + "=" + value;
  return out;
}

std::string body(const RecordedBody& b) { return b.octets ? " [" + *b.octets + "]" : b.size > 0 ? " (" + std::to_string(b.size) + " " + b.left_out + ")" : ""; }

std::string told(const std::shared_ptr<TappedExchange>& e) {
  if (!e) return "none";
  return e->request.method + " " + e->request.target + headers(e->request.headers) + body(e->request.body) + (e->request_whole ? "" : " …") + " → " + std::to_string(e->answer.status) + headers(e->answer.headers) + body(e->answer.body) +
         (e->answer_whole ? "" : " …");
}

struct Row {
  const char *name, *requests, *answers, *expected;
  bool closes = false;
};

class Taps : public testing::TestWithParam<Row> {};

// Whole, and octet by octet.
TEST_P(Taps, TellRequestsWithTheirAnswers) {
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{100'000}}) {
    TappedConnection tapped(16);
    const std::string_view requests = GetParam().requests, answers = GetParam().answers;
    for (std::size_t i = 0; i < requests.size(); i += step) tapped.requests(requests.substr(i, step), kAt);
    for (std::size_t i = 0; i < answers.size(); i += step) tapped.answers(answers.substr(i, step), kLater);
    if (GetParam().closes) tapped.answers_end(kLater);
    std::string all;
    while (const auto e = tapped.take()) all += told(e) + "\n";
    EXPECT_EQ(all, GetParam().expected) << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Table, Taps, testing::Values(
    Row{"Plain", "GET /a?b=1 HTTP/1.1\r\nHost: h\r\nx-Two: 2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nok", "GET /a?b=1 Host=h x-Two=2 → 200 Content-Length=2 X-A=1 [ok]\n"},
    Row{"Two", "GET /a HTTP/1.1\r\nHost: h\r\n\r\nPOST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 204 \r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET /a Host=h → 204\nPOST /b Host=h Content-Length=3 [abc] → 200 Content-Length=0\n"},
    Row{"Chunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\nT: 1\r\n\r\n", "POST / Host=h Transfer-Encoding=chunked [abc] → 200 Transfer-Encoding=chunked [xyz]\n"},
    Row{"Interim", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", "GET / Host=h → 200 Content-Length=1 [a]\n"},
    Row{"Head", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", "HEAD / Host=h → 200 Content-Length=99\nGET / Host=h → 200 Content-Length=1 [a]\n"},
    Row{"UntilClose", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nabc", "GET / Host=h → 200 [abc]\n", true},
    Row{"TooLarge", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 17\r\n\r\n0123456789abcdefg", "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n0123456789abcdef", "POST / Host=h Content-Length=17 (17 too-large) → 200 Content-Length=16 [0123456789abcdef]\n"},
    Row{"CutOff", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", "POST / Host=h Content-Length=9 (3 cut-off) … → 200 Content-Length=9 (2 cut-off) …\n"},
    Row{"NoAnswer", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "", "GET / Host=h → 0 …\n", true},
    Row{"NoRequest", "nonsense\r\n\r\n", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", ""},
    Row{"Upgrade", "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x01x", "GET /ws Host=h Upgrade=websocket Connection=Upgrade → 101 Upgrade=websocket\n"}),
    [](const testing::TestParamInfo<Row>& row) { return std::string(row.param.name); });

TEST(Tap, WhatIsTakenIsForgottenAndTheNextIsItsOwn) {
  TappedConnection tapped(100);
  tapped.requests("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", kAt);
  EXPECT_FALSE(tapped.front_is_whole());
  tapped.answers("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", kLater);
  const auto cut = tapped.take();
  EXPECT_EQ(told(cut), "GET /a Host=h → 200 Content-Length=4 (2 cut-off) …");
  tapped.answers("cdHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", kLater);
  EXPECT_EQ(told(cut), "GET /a Host=h → 200 Content-Length=4 (2 cut-off) …");  // it does not change any more
  EXPECT_EQ(tapped.take(), nullptr);
  TappedConnection timed(100);
  timed.requests("GET / HTT", kAt);
  timed.requests("P/1.1\r\nHost: h\r\n\r\n", kLater);
  timed.answers("HTTP/1.1 204 \r\n\r\n", Instant{9000});
  ASSERT_TRUE(timed.front_is_whole());
  const auto e = timed.take();
  EXPECT_EQ(e->began, kAt);
  EXPECT_EQ(e->ended, Instant{9000});
}

RecordedBody octets(std::string text) {
  RecordedBody out;
  out.size = text.size();
  out.octets = std::make_shared<const std::string>(std::move(text));
  return out;
}

TEST(Har, IsReadAsItWasWritten) {
  RecordedExchange e;
  e.id = "1";
  e.began = Instant::from_seconds(1'767'225'600) + std::chrono::milliseconds(5);
  e.took = std::chrono::microseconds(1500);
  e.scheme = "https";
  e.request = {"POST", "/a?b=%20c&d", "1.1", {{"Host", "shop.test"}, {"Content-Type", "text/plain"}}, octets("grüße")};
  e.answer = {200, {{"Content-Type", "application/octet-stream"}, {"ETag", "\"1\""}}, octets(std::string("\0\xff", 2))};
  RecordedExchange empty = e;
  empty.request.body = empty.answer.body = {};
  empty.request.method = "GET";
  diag::Sink sink;
  const auto read = import_traffic(std::make_shared<diag::SourceFile>(diag::SourceFile{"a.har", har_begin("1.0") + har_entry(e) + ",\n" + har_entry(empty) + har_end()}), sink);
  EXPECT_TRUE(sink.all().empty()) << diag::render_all(sink, diag::Colour::Off);
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].request.target, e.request.target);
  EXPECT_EQ(read[0].request.headers, e.request.headers);
  EXPECT_EQ(*read[0].request.body.octets, "grüße");
  EXPECT_EQ(read[0].answer.headers, e.answer.headers);
  EXPECT_EQ(*read[0].answer.body.octets, std::string("\0\xff", 2));
  EXPECT_EQ(read[0].began, e.began);
  EXPECT_EQ(read[0].scheme, "https");
  EXPECT_EQ(read[1].answer.body.size, 0U);
}

}  // namespace
}  // namespace gatelab::harness
