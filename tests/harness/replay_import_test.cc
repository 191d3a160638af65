// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/import.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace gatelab::harness {
namespace {

struct Imported {
  std::vector<RecordedExchange> exchanges;
  KnownSecrets known;
  std::string told;
};

Imported import(std::string text) {
  diag::Sink sink;
  Imported out;
  out.exchanges = import_traffic(std::make_shared<diag::SourceFile>(diag::SourceFile{"in", std::move(text)}), sink, &out.known);
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
  EXPECT_EQ(in.exchanges[0].request.headers, (RecordedHeaders{{"Host", "shop.test"}, {"X-A", "1"}, {"Content-Type", "application/x-www-form-urlencoded"}}));
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
      {R"({"info":{"schema":"https://schema.getpostman.com/"},"item":[{"name":"r","request":"{{base}}/a"}]})", "r: ", "has a variable that has no value in the collection: `{{base}}`"},
      {"curl --data-urlencode note@file http://a/\n", "in:1:23", "read from a file"},
      {"curl http://h:notaport/\n", "in:1", "no http or https URL"},
      {"curl 'http://bob:pw/x@h/'\n", "in:1", "no http or https URL"},
      {"curl -sZ http://a/\n", "in:1:6", "`-Z` is an option of curl that is not imported"},
      {"curl -X\n", "in:1:6", "`-X` has no value"},
  };
  for (const Row& row : rows) {
    const Imported in = import(row.text);
    EXPECT_NE(in.told.find(row.place), std::string::npos) << row.word << "\n" << in.told;
    EXPECT_NE(in.told.find(row.word), std::string::npos) << row.word << "\n" << in.told;
  }
}

// What is wrong with a line is told by where it stands: whatever is in it may be a secret.
TEST(Import, NoErrorRepeatsAValue) {
  const auto har = [](const std::string& entry) { return R"({"log":{"entries":[)" + entry + "]}}"; };
  const auto request = [](const std::string& more) { return R"({"startedDateTime":"2026-01-01T00:00:00Z","request":{"method":"GET","url":"http://a/")" + more + "}}"; };
  const std::string rows[] = {
      "curl http://a/ -H 'X-Api-Key SEKRET'\n",
      "curl http://a/ -H 'X-Api-Key=SEKRET: x'\n",
      "curl http://a/ --user=SEKRET\n",
      "curl http://a/ --oauth2-bearer=SEKRET\n",
      "curl http://a/ -b SEKRET\n",
      "curl http://a/ --data @SEKRET\n",
      "curl http://a/ 'http://b/?token=SEKRET'\n",
      "curl 'ftp://bob:SEKRET@a/'\n",
      "curl 'http://a/SEKRET x'\n",
      "curl -X 'SEKRET x' http://a/\n",
      "curl http://a/\nSEKRET http://a/\n",
      "127.0.0.1 - - [SEKRET] \"GET / HTTP/1.1\" 200 1\n",
      "127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] \"SEKRET\" 200 1\n",
      "127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] \"GET /SEKRET\\xff HTTP/1.1\" 200 1\n",
      "{\"method\":\"GET\",\"target\":\"/\",\"time\":\"SEKRET\"}\n",
      "{\"method\":\"SEKRET x\",\"target\":\"/\",\"time\":\"2026-01-01T00:00:00Z\"}\n",
      har(request(R"(,"headers":[{"name":"X-Api-Key: SEKRET","value":"x"}])")),
      har(request(R"(,"headers":[{"name":"X-Api-Key","value":"SEKRET\u0000"}])")),
      har(R"({"startedDateTime":"SEKRET","request":{"method":"GET","url":"http://a/"}})"),
      har(R"({"startedDateTime":"2026-01-01T00:00:00Z","request":{"method":"SEKRET x","url":"http://a/"}})"),
      har(R"({"startedDateTime":"2026-01-01T00:00:00Z","request":{"method":"GET","url":"SEKRET"}})"),
      har(R"({"startedDateTime":"2026-01-01T00:00:00Z","request":{"method":"GET","url":"http://a/"},"response":{"status":"SEKRET"}})"),
      R"({"info":{"schema":"https://schema.getpostman.com/"},"item":[{"name":"https://a/?token=SEKRET","request":{"url":"{{x}}SEKRET"}}]})",
      R"({"info":{"schema":"https://schema.getpostman.com/"},"item":[{"name":"r","request":{"url":"http://a/","body":{"mode":"SEKRET"}}}]})",
      R"({"info":{"schema":"https://schema.getpostman.com/"},"item":[{"name":"r","request":{"url":"http://a/","auth":{"type":"SEKRET"}}}]})",
      R"({"info":{"schema":"https://schema.getpostman.com/"},"item":[{"name":"r","request":{"url":"http://a/","header":[{"key":"X","value":"{{SEKRET in it}}\u0001"}]}}]})",
  };
  for (const std::string& row : rows) {
    const Imported in = import(row);
    EXPECT_FALSE(in.told.empty()) << row;
    EXPECT_EQ(in.told.find("SEKRET"), std::string::npos) << row << "\n" << in.told;
  }
}

// User and password of a URL are credentials, as every client sends them.
TEST(Import, UserinfoOfAUrlIsBasicAuthentication) {
  const Imported in = import(
      "curl http://alice:p%40w@a.test/\n"
      "curl http://token@a.test/\n"
      "curl http://alice:pw@a.test/ -u bob:own\n"
      "curl http://a.test:81/ --oauth2-bearer abc -r 0-9\n");
  ASSERT_EQ(in.exchanges.size(), 4U) << in.told;
  EXPECT_EQ(header(in.exchanges[0].request.headers, "Host"), "a.test");
  EXPECT_EQ(header(in.exchanges[0].request.headers, "Authorization"), "Basic YWxpY2U6cEB3");
  EXPECT_EQ(header(in.exchanges[1].request.headers, "Authorization"), "Basic dG9rZW46");
  EXPECT_EQ(header(in.exchanges[2].request.headers, "Authorization"), "Basic Ym9iOm93bg==");
  EXPECT_EQ(header(in.exchanges[3].request.headers, "Host"), "a.test:81");
  EXPECT_EQ(header(in.exchanges[3].request.headers, "Authorization"), "Bearer abc");
  EXPECT_EQ(header(in.exchanges[3].request.headers, "Range"), "bytes=0-9");
}

TEST(Import, CurlFlagsMayStandTogether) {
  const Imported in = import("curl -sSLXPUT http://a.test/ -vHX-A:1\ncurl -sGd q=1 http://a.test/s --data-urlencode @\n");
  ASSERT_EQ(in.exchanges.size(), 1U) << in.told;
  EXPECT_EQ(in.exchanges[0].request.method, "PUT");
  EXPECT_EQ(header(in.exchanges[0].request.headers, "X-A"), "1");
  EXPECT_NE(in.told.find("in:2"), std::string::npos) << in.told;
}

TEST(Import, APostmanCollectionBringsItsVariablesAndCredentials) {
  const Imported in = import(R"({"info":{"schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
    "variable":[{"key":"base","value":"https://{{host}}"},{"key":"host","value":"shop.test"},{"key":"loop","value":"{{loop}}{{loop}}"},{"key":"key","value":"k1"}],
    "auth":{"type":"bearer","bearer":[{"key":"token","value":"t-{{key}}"}]},
    "item":[
      {"name":"inherits","request":{"method":"GET","url":{"raw":"{{base}}/items/:id?a={{key}}","variable":[{"key":"id","value":"7"}]}}},
      {"name":"none","request":{"method":"GET","url":"{{base}}/","auth":{"type":"noauth"}}},
      {"name":"basic","request":{"method":"GET","url":"{{base}}/","auth":{"type":"basic","basic":[{"key":"username","value":"u"},{"key":"password","value":"p"}]}}},
      {"name":"folder","auth":{"type":"apikey","apikey":[{"key":"key","value":"api_key"},{"key":"value","value":"{{key}}"},{"key":"in","value":"query"}]},
       "item":[{"name":"key","request":{"method":"POST","url":"{{base}}/p","body":{"mode":"raw","raw":"{\"k\":\"{{key}} {{gone}}\"}","options":{"raw":{"language":"json"}}}}}]},
      {"name":"graph","request":{"method":"POST","url":"{{base}}/g","auth":{"type":"oauth2","oauth2":[{"key":"accessToken","value":"at"}]},"body":{"mode":"graphql","graphql":{"query":"{ a }","variables":"{\"x\":1}"}}}},
      {"name":"signed","request":{"method":"GET","url":"{{base}}/s","auth":{"type":"awsv4"}}},
      {"name":"loop","request":{"method":"GET","url":"{{base}}/","auth":{"type":"noauth"},"header":[{"key":"X","value":"{{loop}}"}]}}]})");
  ASSERT_EQ(in.exchanges.size(), 7U) << in.told;
  const auto at = [&in](std::size_t i) -> const RecordedRequest& { return in.exchanges[i].request; };
  EXPECT_EQ(at(0).target, "/items/7?a=k1");
  EXPECT_EQ(header(at(0).headers, "Host"), "shop.test");
  EXPECT_EQ(header(at(0).headers, "Authorization"), "Bearer t-k1");
  EXPECT_EQ(header(at(1).headers, "Authorization"), "(none)");
  EXPECT_EQ(header(at(2).headers, "Authorization"), "Basic dTpw");
  EXPECT_EQ(at(3).target, "/p?api_key=k1");
  EXPECT_EQ(header(at(3).headers, "Content-Type"), "application/json");
  EXPECT_EQ(*at(3).body.octets, R"({"k":"k1 {{gone}}"})");
  EXPECT_NE(in.told.find("folder / key: these have no value in the collection and are sent as they stand: `{{gone}}`"), std::string::npos) << in.told;
  EXPECT_EQ(header(at(4).headers, "Authorization"), "Bearer at");
  EXPECT_EQ(*at(4).body.octets, R"({"query":"{ a }","variables":{"x":1}})");
  EXPECT_EQ(header(at(5).headers, "Authorization"), "(none)");
  EXPECT_NE(in.told.find("signed: its `auth` is of a kind"), std::string::npos) << in.told;
  EXPECT_NE(in.told.find("`{{loop}}`"), std::string::npos) << in.told;
}

TEST(Import, ABodyThatIsNotTheBase64ThatItSaysIsTold) {
  const Imported in = import(R"({"log":{"entries":[{"startedDateTime":"2026-01-01T00:00:00Z","request":{"method":"GET","url":"http://a/"},"response":{"status":200,"content":{"text":"*no*","encoding":"base64"}}}]}})");
  ASSERT_EQ(in.exchanges.size(), 1U) << in.told;
  EXPECT_EQ(in.exchanges[0].answer.body.left_out, "not-recorded");
  EXPECT_GT(in.exchanges[0].answer.body.size, 0U);
  EXPECT_NE(in.told.find("log.entries[0]: `response.content` is not the base64"), std::string::npos) << in.told;
}

// Nobody's stack holds that: values are copied and written by functions that call themselves.
TEST(Import, WhatIsNestedWithoutEndIsRefusedAndCrashesNothing) {
  const std::string deep(100'000, '['), shut(100'000, ']');
  const Imported log = import(R"({"time":"2026-01-01T00:00:00Z","request":{"method":"GET","uri":"/","x":)" + deep + shut + "}}\n");
  EXPECT_NE(log.told.find("nested too deep"), std::string::npos) << log.told;
  const Imported graph = import(R"({"info":{"schema":"https://schema.getpostman.com/"},"item":[{"name":"r","request":{"method":"POST","url":"http://a/","body":{"mode":"graphql","graphql":{"query":"{a}","variables":"{\"a\":)" + deep + shut + R"(}"}}}}]})");
  ASSERT_EQ(graph.exchanges.size(), 1U) << graph.told;
  EXPECT_EQ(*graph.exchanges[0].request.body.octets, R"({"query":"{a}"})");
}

TEST(Import, OfAnOptionThatCurlDoesNotKnowNothingIsShown) {
  for (const char* word : {"--oauth2-bearerSEKRET", "'-----BEGIN SEKRET KEY-----\nMII\n'", "--SEKRET=x", "-\xc3"}) {
    const Imported in = import(std::string("curl http://a/ ") + word + "\n");
    EXPECT_TRUE(in.exchanges.empty()) << word;
    EXPECT_EQ(in.told.find("SEKRET"), std::string::npos) << in.told;
    EXPECT_NE(in.told.find("in:1:16"), std::string::npos) << in.told;
  }
  EXPECT_NE(import("curl http://a/ --form a=b\n").told.find("`--form` is an option"), std::string::npos);
  const Imported at = import("curl http://a/ --data-urlencode 'user@work=x y'\n");
  ASSERT_EQ(at.exchanges.size(), 1U) << at.told;
  EXPECT_EQ(*at.exchanges[0].request.body.octets, "user@work=x%20y");
}

TEST(Import, APostmanPathHasItsOwnVariablesSegmentBySegment) {
  const Imported in = import(R"({"info":{"schema":"https://schema.getpostman.com/"},"variable":[{"key":"my key","value":"v"}],"item":[
    {"name":"a","request":{"url":{"raw":"http://a.test/:idx/x:id/:id?q=:id","variable":[{"key":"id","value":"a b/c"},{"key":"idx","value":"8"}]}}},
    {"name":"b","request":{"url":"http://a.test/","header":[{"key":"X-Q","value":"{{my key}}"}]}},
    {"name":"c","request":{"url":"http://a.test/","header":[{"key":"X-Q","value":"{{no such}}"}]}},
    {"name":"d","request":{"url":"http://a.test/{{a+b}}"}}]})");
  ASSERT_EQ(in.exchanges.size(), 3U) << in.told;
  EXPECT_EQ(in.exchanges[0].request.target, "/8/x:id/a%20b%2Fc?q=:id");
  EXPECT_EQ(header(in.exchanges[1].request.headers, "X-Q"), "v");
  EXPECT_NE(in.told.find("c: these have no value in the collection and are sent as they stand: one that is no plain word"), std::string::npos) << in.told;
  EXPECT_NE(in.told.find("d: the URL has a variable that has no value"), std::string::npos) << in.told;
}

// One variable of a megabyte, named again and again.
TEST(Import, APostmanCollectionGrowsNoFurtherThanAnybodyWouldHaveTyped) {
  std::string items;
  for (int i = 0; i < 200; ++i) items += std::string(i == 0 ? "" : ",") + R"({"name":"r","request":{"method":"POST","url":"http://a.test/","body":{"mode":"raw","raw":"{{big}}"}}})";
  const Imported in = import(R"({"info":{"schema":"https://schema.getpostman.com/"},"variable":[{"key":"big","value":")" + std::string(1 << 20, 'x') + R"("}],"item":[)" + items + "]}");
  ASSERT_EQ(in.exchanges.size(), 200U);
  std::size_t octets = 0;
  for (const RecordedExchange& e : in.exchanges) octets += e.request.body.size;
  EXPECT_LE(octets, std::size_t{65} << 20);
  EXPECT_NE(in.told.find("`{{big}}`"), std::string::npos);
}

TEST(Import, WhatACollectionSaysIsACredentialIsKnownAsOne) {
  const Imported in = import(R"({"info":{"schema":"https://schema.getpostman.com/"},"variable":[{"key":"v","value":"of-a-vault","type":"secret"},{"key":"n","value":3}],"item":[
    {"name":"h","request":{"url":"http://a.test/","auth":{"type":"apikey","apikey":[{"key":"key","value":"X-K"},{"key":"value","value":"ak3"},{"key":"in","value":"header"}]}}},
    {"name":"q","request":{"url":"http://a.test/?n={{n}}","auth":{"type":"apikey","apikey":[{"key":"key","value":"kk"},{"key":"value","value":"ak5"},{"key":"in","value":"query"}]}}}]})");
  ASSERT_EQ(in.exchanges.size(), 2U) << in.told;
  EXPECT_EQ(in.known.headers.count("x-k"), 1U);
  EXPECT_EQ(in.known.parameters.count("kk"), 1U);
  EXPECT_NE(std::find(in.known.values.begin(), in.known.values.end(), "of-a-vault"), in.known.values.end());
  Redactor redactor("a salt of no interest");
  redactor.know(in.known);
  RecordedRequest header_one = in.exchanges[0].request, query_one = in.exchanges[1].request;
  redactor.apply(header_one);
  redactor.apply(query_one);
  EXPECT_EQ(header(header_one.headers, "X-K").find("ak3"), std::string::npos);
  EXPECT_EQ(query_one.target.find("ak5"), std::string::npos) << query_one.target;
  EXPECT_EQ(query_one.target.find("/?n=3&kk="), 0U) << query_one.target;
  EXPECT_EQ(redactor.text("it is of-a-vault").find("of-a-vault"), std::string::npos);
}

TEST(Import, APostmanRequestLosesNothingInSilence) {
  const Imported in = import(R"({"info":{"schema":"https://schema.getpostman.com/"},"item":[
    {"name":"g","request":{"method":"POST","url":"http://a.test/","body":{"mode":"graphql","graphql":{"query":"q","operationName":"R","variables":{"a":1}}}}},
    {"name":"bad","request":{"method":"POST","url":"http://a.test/","body":{"mode":"graphql","graphql":{"query":"q","variables":"{,}"}}}},
    {"name":"lines","request":{"method":"POST","url":"http://a.test/","header":"X-A: b\r\nX-C: d","body":{"mode":"urlencoded","urlencoded":"a=b"}}},
    {"name":"path","request":{"url":{"raw":"http://a.test/:id/y","variable":[{"key":"id","value":""}]}}}]})");
  ASSERT_EQ(in.exchanges.size(), 3U) << in.told;
  EXPECT_EQ(*in.exchanges[0].request.body.octets, R"({"operationName":"R","query":"q","variables":{"a":1}})");
  EXPECT_NE(in.told.find("bad: `graphql.variables` is no JSON object"), std::string::npos) << in.told;
  EXPECT_EQ(header(in.exchanges[2].request.headers, "X-A"), "b");
  EXPECT_EQ(header(in.exchanges[2].request.headers, "X-C"), "d");
  EXPECT_EQ(*in.exchanges[2].request.body.octets, "a=b");
  EXPECT_NE(in.told.find("path: the path has a variable without a value: `:id`"), std::string::npos) << in.told;
}

TEST(Import, BodiesThatAFileDoesNotHoldAreLeftOutAndNotSentAsNone) {
  const Imported log = import("1.1.1.1 - - [10/Oct/2000:13:55:36 -0700] \"POST /p HTTP/1.1\" 200 999\n");
  ASSERT_EQ(log.exchanges.size(), 1U) << log.told;
  EXPECT_EQ(log.exchanges[0].request.body.left_out, "not-recorded");
  EXPECT_GT(log.exchanges[0].request.body.size, 0U);
  const Imported har = import(R"({"log":{"entries":[{"startedDateTime":"2026-01-01T00:00:00Z","request":{"method":"POST","url":"http://a/","postData":{"mimeType":"multipart/form-data; boundary=x","params":[{"name":"f","fileName":"x.bin"}]}},"response":{"status":200,"content":{"text":"x","encoding":"rot13"}}}]}})");
  ASSERT_EQ(har.exchanges.size(), 1U) << har.told;
  EXPECT_EQ(har.exchanges[0].request.body.left_out, "not-recorded");
  EXPECT_NE(har.told.find("multipart form"), std::string::npos) << har.told;
  EXPECT_NE(har.told.find("`encoding` that is not known"), std::string::npos) << har.told;
}

TEST(Import, WhatTheShellWouldDoIsTold) {
  const Imported in = import("curl http://a/ -H \"Authorization: Bearer $TOKEN\"\ncurl 'http://a/$x' -u a:b -u c:d -H 'Authorization: Own x'\n");
  ASSERT_EQ(in.exchanges.size(), 2U) << in.told;
  EXPECT_NE(in.told.find("in:1:19"), std::string::npos) << in.told;
  EXPECT_NE(in.told.find("what the shell would put in here"), std::string::npos) << in.told;
  EXPECT_EQ(in.told.find("in:2"), std::string::npos) << in.told;
  EXPECT_EQ(std::count_if(in.exchanges[1].request.headers.begin(), in.exchanges[1].request.headers.end(), [](const auto& h) { return h.first == "Authorization"; }), 1);
  EXPECT_EQ(header(in.exchanges[1].request.headers, "Authorization"), "Own x");
  EXPECT_NE(import("curl http://a/ | jq .a\n").told.find("a pipe"), std::string::npos);
}

}  // namespace
}  // namespace gatelab::harness
