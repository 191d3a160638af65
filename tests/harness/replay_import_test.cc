// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/import.h"

#include <gtest/gtest.h>

namespace gatelab::harness {
namespace {

struct Imported {
  std::vector<RecordedExchange> exchanges;
  std::string told;
};

Imported import(std::string text) {
  diag::Sink sink;
  Imported out;
  out.exchanges = import_traffic(std::make_shared<diag::SourceFile>(diag::SourceFile{"in", std::move(text)}), sink);
  out.told = diag::render_all(sink, diag::Colour::Off);
  return out;
}

std::string header(const RecordedHeaders& headers, std::string_view name) {
  for (const auto& [n, v] : headers)
    if (n == name) return v;
  return "(none)";
}

TEST(Import, TheContentSaysWhatItIs) {
  EXPECT_EQ(kind_of_traffic(RecordingWriter::first_line()), TrafficKind::Recording);
  EXPECT_EQ(kind_of_traffic("{\n \"log\": {\"version\": \"1.2\"}}"), TrafficKind::Har);
  EXPECT_EQ(kind_of_traffic(R"({"info":{"schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},"item":[]})"), TrafficKind::Postman);
  EXPECT_EQ(kind_of_traffic("127.0.0.1 - - [x]"), TrafficKind::CombinedLog);
  EXPECT_EQ(kind_of_traffic("{\"status\":200}\n{\"status\":200}\n"), TrafficKind::JsonLog);
  EXPECT_EQ(kind_of_traffic("\n# mine\ncurl x"), TrafficKind::Curl);
}

const char* const kHar = R"({"log":{"version":"1.2","entries":[
 {"startedDateTime":"2026-01-01T00:00:02.500+01:00","time":12.5,
  "request":{"method":"POST","url":"https://shop.test/cart?a=1#top","headers":[{"name":":method","value":"POST"},{"name":"X-A","value":"1"}],"postData":{"mimeType":"application/json","text":"{}"}},
  "response":{"status":200,"headers":[{"name":"Content-Encoding","value":"gzip"},{"name":"X-B","value":"2"}],"content":{"size":3,"text":"AAEC","encoding":"base64"}}},
 {"startedDateTime":"2025-12-31T23:00:01Z","time":-1,"request":{"method":"GET","url":"http://shop.test","headers":[]},"response":{"status":0,"headers":[],"content":{}}},
 {"startedDateTime":"2025-12-31T23:00:01Z","request":{"method":"GET","url":"data:text/plain,x"}}]}})";

TEST(Import, AHarIsReadInOrderOfTime) {
  const Imported in = import(kHar);
  ASSERT_EQ(in.exchanges.size(), 2U) << in.told;
  EXPECT_NE(in.told.find("log.entries[2]"), std::string::npos) << in.told;
  const RecordedExchange &first = in.exchanges[0], &second = in.exchanges[1];
  EXPECT_EQ(first.request.target, "/");
  EXPECT_EQ(first.answer.status, 0);
  EXPECT_EQ(second.began.ns - first.began.ns, 1'500'000'000);
  EXPECT_EQ(second.took, std::chrono::microseconds(12'500));
  EXPECT_EQ(second.scheme, "https");
  EXPECT_EQ(second.request.target, "/cart?a=1");
  EXPECT_EQ(second.request.headers, (RecordedHeaders{{"Host", "shop.test"}, {"X-A", "1"}}));
  EXPECT_EQ(*second.request.body.octets, "{}");
  EXPECT_EQ(second.answer.headers, (RecordedHeaders{{"X-B", "2"}}));
  EXPECT_EQ(*second.answer.body.octets, std::string("\0\1\2", 3));
}

// A browser goes where a redirect leads, and throws away what came with it.
TEST(Import, TheBodyOfARedirectInAHarIsNotKnown) {
  const auto of = [](const char* status, const char* content) {
    const std::string har = std::string(R"({"log":{"version":"1.2","entries":[{"startedDateTime":"2026-01-01T00:00:00Z","request":{"method":"GET","url":"http://shop.test/","headers":[]},"response":{"status":)") + status + R"(,"headers":[],"content":)" + content + "}}]}}";
    const Imported in = import(har);
    EXPECT_EQ(in.exchanges.size(), 1U) << in.told;
    return in.exchanges.empty() ? std::string("nothing") : in.exchanges.front().answer.body.left_out;
  };
  EXPECT_EQ(of("302", R"({"size":0,"mimeType":"text/html"})"), "not-recorded");           // Chromium
  EXPECT_EQ(of("308", R"({"size":-1,"mimeType":"x-unknown"})"), "not-recorded");           // Playwright
  EXPECT_EQ(of("301", R"({"size":0,"mimeType":"text/html","text":""})"), "not-recorded");
  EXPECT_EQ(of("302", R"({"size":5,"mimeType":"text/html","text":"moved"})"), "");         // one that was not followed
  EXPECT_EQ(of("204", R"({"size":0,"mimeType":"x-unknown"})"), "");
  EXPECT_EQ(of("304", R"({"size":0,"mimeType":"x-unknown"})"), "");
}

TEST(Import, CombinedAndCommonLogs) {
  const Imported in = import(
      "127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /a?b=1 HTTP/1.1\" 200 2326 \"http://x.test/\" \"Mozilla \\\"x\\\" \\x41\"\n"
      "::1 - alice [01/Jan/2026:00:00:00 +0000] \"POST /b HTTP/1.0\" 201 -\r\n"
      "1.2.3.4 - - [01/Jan/2026:00:00:01 +0000] \"\\x16\\x03\" 400 0 \"-\" \"-\"\n");
  ASSERT_EQ(in.exchanges.size(), 2U) << in.told;
  EXPECT_EQ(in.exchanges[0].began.seconds(), 971'211'336);
  EXPECT_EQ(in.exchanges[0].request.target, "/a?b=1");
  EXPECT_EQ(in.exchanges[0].answer.body.size, 2326U);
  EXPECT_EQ(in.exchanges[0].answer.body.left_out, "not-recorded");
  EXPECT_EQ(header(in.exchanges[0].request.headers, "User-Agent"), "Mozilla \"x\" A");
  EXPECT_EQ(in.exchanges[1].request.method, "POST");
  EXPECT_EQ(in.exchanges[1].answer.status, 201);
  EXPECT_NE(in.told.find("in:3"), std::string::npos) << in.told;  // what was no HTTP is a warning
}

TEST(Import, JsonLogsOfNginxCaddyAndGatelab) {
  const Imported in = import(
      "{\"time_iso8601\":\"2026-01-01T00:00:00+00:00\",\"request\":\"GET /n HTTP/1.1\",\"status\":\"200\",\"http_host\":\"n.test\"}\n"
      "{\"ts\":1767225601.25,\"request\":{\"method\":\"GET\",\"uri\":\"/c\",\"host\":\"c.test\"},\"status\":404,\"size\":9}\n"
      "{\"time\":\"2026-01-01T00:00:02Z\",\"method\":\"PUT\",\"target\":\"/g\",\"host\":\"g.test\",\"status\":204}\n");
  ASSERT_EQ(in.exchanges.size(), 3U) << in.told;
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(in.exchanges[i].request.target, std::string("/") + "ncg"[i]);
    EXPECT_EQ(in.exchanges[i].began.seconds(), 1'767'225'600 + static_cast<std::int64_t>(i));
    EXPECT_EQ(header(in.exchanges[i].request.headers, "Host"), std::string(1, "ncg"[i]) + ".test");
  }
  EXPECT_EQ(in.exchanges[1].answer.status, 404);
}

TEST(Import, LinesOfWhatWasNoRequestAreLeftOutAndCounted) {
  const Imported own = import(
      "{\"time\":\"2026-01-01T00:00:00Z\",\"method\":\"GET\",\"target\":\"/\",\"status\":200}\n"
      "{\"time\":\"2026-01-01T00:00:01Z\",\"status\":400,\"by\":\"gateway\",\"phase\":\"parse\",\"reason\":\"bad-request-line\"}\n"
      "{\"time\":\"2026-01-01T00:00:02Z\",\"method\":\"G@T\",\"target\":\"/\",\"status\":400,\"by\":\"gateway\",\"phase\":\"parse\",\"reason\":\"bad-method\"}\n"
      "{\"time\":\"2026-01-01T00:00:03Z\",\"by\":\"gateway\",\"phase\":\"handshake\",\"reason\":\"tls-alert\"}\n");
  EXPECT_EQ(own.exchanges.size(), 1U) << own.told;
  EXPECT_EQ(own.told.find("error"), std::string::npos) << own.told;
  EXPECT_NE(own.told.find("in:2:1"), std::string::npos) << own.told;
  EXPECT_NE(own.told.find("and 2 lines more are left out too"), std::string::npos) << own.told;
  const Imported nginx = import("{\"time\":\"2026-01-01T00:00:00Z\",\"request\":\"\",\"status\":400}\n{\"time\":\"2026-01-01T00:00:00Z\",\"request\":\"GET / HTTP/1.1\",\"status\":200}\n");
  EXPECT_EQ(nginx.exchanges.size(), 1U) << nginx.told;
  EXPECT_NE(nginx.told.find("left out"), std::string::npos) << nginx.told;
}

TEST(Import, WhatIsNonsenseInAHarIsTold) {
  const auto told = [](const std::string& request, const std::string& response) {
    return import(R"({"log":{"version":"1.2","entries":[{"startedDateTime":"2026-01-01T00:00:00Z","request":{"method":"GET","url":"http://shop.test/")" + request + "}" + response + "}]}}");
  };
  for (const char* status : {"\"x\"", "-5", "99", "null", "1000", "1e300"}) {
    const Imported in = told("", std::string(R"(,"response":{"status":)") + status + "}");
    ASSERT_EQ(in.exchanges.size(), 1U) << status << in.told;
    EXPECT_EQ(in.exchanges[0].answer.status, 0) << status;
    EXPECT_NE(in.told.find("`response.status` is no status"), std::string::npos) << status << in.told;
  }
  EXPECT_NE(told("", R"(,"response":{"status":999})").told.find("no status that HTTP has: 999"), std::string::npos);
  for (const char* none : {"0", "-1"}) EXPECT_NE(told("", std::string(R"(,"response":{"status":)") + none + "}").told.find("log.entries[0]: there was no answer: `response.status` is " + std::string(none)), std::string::npos);
  EXPECT_NE(told("", "").told.find("there is no `response`"), std::string::npos);
  EXPECT_NE(told(R"(,"headers":"x")", R"(,"response":{"status":200})").told.find("`request.headers` is no list"), std::string::npos);
  EXPECT_NE(told("", R"(,"response":{"status":200,"headers":{}})").told.find("`response.headers` is no list"), std::string::npos);
}

TEST(Import, CurlCommandsAsBrowsersCopyThem) {
  const Imported in = import(
      "# one\ncurl 'https://shop.test/a?b=1' \\\n  -H 'accept: */*' -H $'x-quote: it\\'s' --compressed -s\n"
      "curl -XPUT http://shop.test/b -d a=1 --data-urlencode 'c=d e' -u alice:pw\n"
      "curl --json '{\"x\":\"y\"}' \"http://shop.test/c\"; curl -G shop.test/d -d q=1 -I\n");
  ASSERT_EQ(in.exchanges.size(), 4U) << in.told;
  EXPECT_EQ(in.exchanges[0].request.method, "GET");
  EXPECT_EQ(header(in.exchanges[0].request.headers, "x-quote"), "it's");
  EXPECT_EQ(in.exchanges[1].request.method, "PUT");
  EXPECT_EQ(*in.exchanges[1].request.body.octets, "a=1&c=d%20e");
  EXPECT_EQ(header(in.exchanges[1].request.headers, "Authorization"), "Basic YWxpY2U6cHc=");
  EXPECT_EQ(in.exchanges[2].request.method, "POST");
  EXPECT_EQ(header(in.exchanges[2].request.headers, "Content-Type"), "application/json");
  EXPECT_EQ(in.exchanges[3].request.method, "HEAD");
  EXPECT_EQ(in.exchanges[3].request.target, "/d?q=1");
}

TEST(Import, APostmanCollectionWithFolders) {
  const Imported in = import(R"({"info":{"schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},"item":[
    {"name":"f","item":[{"name":"r","request":{"method":"POST","header":[{"key":"X-A","value":"1"},{"key":"X-Off","value":"1","disabled":true}],
      "url":{"raw":"https://shop.test/a?b=1"},"body":{"mode":"urlencoded","urlencoded":[{"key":"k","value":"a b"}]}}}]},
    {"name":"s","request":"http://shop.test/s"}]})");
  ASSERT_EQ(in.exchanges.size(), 2U) << in.told;
  EXPECT_EQ(in.exchanges[0].request.headers, (RecordedHeaders{{"Host", "shop.test"}, {"X-A", "1"}}));
  EXPECT_EQ(*in.exchanges[0].request.body.octets, "k=a%20b");
  EXPECT_EQ(in.exchanges[1].request.target, "/s");
}

TEST(Import, WhatIsWrongIsToldWithItsPlace) {
  struct Row { std::string text, place, word; };
  const Row rows[] = {
      {"", "in:1", "there is no request"},
      {"{\"log\":{\"entries\":[\n}", "in:2:1", "is no JSON from here on"},
      {"{\"log\":{}}", "in:1", "log.entries"},
      {R"({"log":{"entries":[{"request":{"method":"GET","url":"nowhere"}}]}})", "log.entries[0]", "no http or https URL"},
      {R"({"log":{"entries":[{"startedDateTime":"now","request":{"method":"GET","url":"http://a/"}}]}})", "log.entries[0]", "is no time"},
      {R"({"log":{"entries":[{"startedDateTime":"2026-01-01T00:00:00Z","request":{"method":"GET","url":"http://a/","headers":[{"name":"X","value":"a\r\nEvil: 1"}]}}]}})", "log.entries[0]", "no header may have"},
      {"a - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 1\nnonsense\n", "in:2", "combined or common"},
      {"a - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 002 1\n", "in:1", "combined or common"},
      {"a - - [01/Foo/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 1\n", "in:1", "is no time"},
      {"{\"time\":\"2026-01-01T00:00:00Z\",\"status\":1}\n", "in:1", "names no request"},
      {"{\"method\":\"GET\",\"target\":\"/\"}\n", "in:1", "has no time"},
      {"curl http://a/\ncurl -d @f http://a/\n", "in:2", "read from a file"},
      {"curl -F a=b http://a/\n", "in:1:6", "not imported"},
      {"curl 'http://a/\n", "in:1", "not closed"},
      {"curl -s\n", "in:1", "has no URL"},
      {R"({"info":{"schema":"https://schema.getpostman.com/"},"item":[{"name":"r","request":"{{base}}/a"}]})", "r: ", "has a variable"},
  };
  for (const Row& row : rows) {
    const Imported in = import(row.text);
    EXPECT_NE(in.told.find(row.place), std::string::npos) << row.word << "\n" << in.told;
    EXPECT_NE(in.told.find(row.word), std::string::npos) << row.word << "\n" << in.told;
  }
}

}  // namespace
}  // namespace gatelab::harness
