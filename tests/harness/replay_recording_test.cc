// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/recording.h"

#include <gtest/gtest.h>

#include <vector>

namespace gatelab::harness {
namespace {

diag::SourcePtr source(std::string text) { return std::make_shared<diag::SourceFile>(diag::SourceFile{"a.gtl", std::move(text)}); }

std::string read_errors(std::string text) {
  diag::Sink sink;
  read_recording(source(std::move(text)), sink);
  return diag::render_all(sink, diag::Colour::Off);
}

RecordedBody body_of(std::string text) {
  RecordedBody body;
  body.size = text.size();
  body.octets = std::make_shared<const std::string>(std::move(text));
  return body;
}

RecordedExchange exchange() {
  RecordedExchange e;
  e.id = "0123";
  e.began = Instant::from_seconds(1'767'225'600);
  e.took = std::chrono::milliseconds(7);
  e.scheme = "https";
  e.request = {"POST", "/orders?b=2&a=1", "1.1", {{"Host", "shop.test"}, {"X-Two", "1"}, {"x-two", "\"2\""}}, body_of(R"({"id":1})")};
  e.answer = {201, {{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}}, body_of(std::string("\0\xff\n", 3))};
  RecordedAttempt first;
  first.upstream = "orders";
  first.target = "primary";
  first.reason = "connect-failure";
  first.at = std::chrono::microseconds(3);
  first.request = e.request;
  RecordedAttempt second = first;
  second.reason = "completed";
  second.target = "backup";
  second.answer = e.answer;
  e.attempts = {first, second};
  return e;
}

std::string written(const std::vector<RecordedExchange>& all, std::size_t max_body = RecordingWriter::kMaxBody) {
  RecordingWriter writer(max_body);
  std::string out = RecordingWriter::first_line();
  for (const RecordedExchange& e : all) out += writer.lines(e);
  return out;
}

TEST(Recording, WhatIsWrittenIsReadAgainWithBothSidesInOrder) {
  const std::string text = written({exchange(), exchange()});
  diag::Sink sink;
  const Recording again = read_recording(source(text), sink);
  ASSERT_TRUE(sink.all().empty()) << diag::render_all(sink, diag::Colour::Off);
  ASSERT_EQ(again.exchanges.size(), 2U);
  EXPECT_TRUE(again.has_upstreams());
  const RecordedExchange &e = again.exchanges[1], wanted = exchange();
  EXPECT_EQ(e.id, wanted.id);
  EXPECT_EQ(e.began, wanted.began);
  EXPECT_EQ(e.took, wanted.took);
  EXPECT_EQ(e.scheme, "https");
  EXPECT_EQ(e.request.target, wanted.request.target);
  EXPECT_EQ(e.request.headers, wanted.request.headers);
  EXPECT_EQ(*e.request.body.octets, *wanted.request.body.octets);
  EXPECT_EQ(e.answer.headers, wanted.answer.headers);
  EXPECT_EQ(*e.answer.body.octets, *wanted.answer.body.octets);
  ASSERT_EQ(e.attempts.size(), 2U);
  EXPECT_EQ(e.attempts[0].reason, "connect-failure");
  EXPECT_EQ(e.attempts[0].answer.status, 0);
  EXPECT_EQ(e.attempts[0].at, std::chrono::microseconds(3));
  EXPECT_EQ(e.attempts[1].answer.status, 201);
  EXPECT_EQ(written(again.exchanges), text);
}

TEST(Recording, ABodyStandsOnce) {
  const std::string text = written({exchange(), exchange()});
  std::size_t n = 0;
  for (std::size_t at = text.find("\"base64\""); at != std::string::npos; at = text.find("\"base64\"", at + 1)) ++n;
  EXPECT_EQ(n, 2U);
}

TEST(Recording, ALargeBodyIsLeftOutAndSaysItsSize) {
  diag::Sink sink;
  const Recording again = read_recording(source(written({exchange()}, 4)), sink);
  ASSERT_EQ(again.exchanges.size(), 1U) << diag::render_all(sink, diag::Colour::Off);
  EXPECT_EQ(again.exchanges[0].request.body.octets, nullptr);
  EXPECT_EQ(again.exchanges[0].request.body.left_out, "too-large");
  EXPECT_EQ(again.exchanges[0].request.body.size, 8U);
  EXPECT_NE(again.exchanges[0].answer.body.octets, nullptr);
}

TEST(Recording, ACutLastLineIsAWarningAndTheRestIsRead) {
  const std::string text = written({exchange(), exchange()});
  diag::Sink sink;
  const Recording again = read_recording(source(text.substr(0, text.size() - 10)), sink);
  EXPECT_EQ(again.exchanges.size(), 1U);
  EXPECT_FALSE(sink.has_errors());
  EXPECT_EQ(sink.warnings(), 1U);
}

TEST(Recording, WhatIsWrongIsToldWithItsLine) {
  const std::string good = written({exchange()});
  const auto changed = [&good](std::string_view from, std::string_view to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  struct Row { std::string text, place, word; };
  const Row rows[] = {
      {"", "a.gtl:1", "recording-version"},
      {"GET / HTTP/1.1\n", "a.gtl:1", "recording-line"},
      {"{\"log\":{}}\n", "a.gtl:1", "recording-version"},
      {changed("\"version\":1}", "\"version\":2}"), "a.gtl:1", "has version 2"},
      {RecordingWriter::first_line() + "[]\n", "a.gtl:2", "recording-line"},
      {changed("\"took\":7000000", "\"took\":\"x\""), "a.gtl:4", "`took` is no whole number"},
      {changed("\"took\":7000000", "\"tok\":7000000"), "a.gtl:4", "did you mean `took`"},
      {changed("\"method\":\"POST\"", "\"method\":\"PO ST\""), "a.gtl:4", "is no method"},
      {changed("/orders?b=2", "/orders /b"), "a.gtl:4", "is no target"},
      {changed("\"shop.test\"", "\"a\\r\\nEvil: 1\""), "a.gtl:4", "recording-header"},
      {changed("\"https\"", "\"gopher\""), "a.gtl:4", "it is http or https"},
      {changed("\"status\":201", "\"status\":20"), "a.gtl:4", "is no status"},
      {changed("\"base64\":\"ey", "\"base64\":\"fy"), "a.gtl:2", "not the one that its digest says"},
      {good.substr(0, good.find('\n') + 1) + good.substr(good.find("{\"exchange\"")), "a.gtl:2", "no line before this one"},
  };
  for (const Row& row : rows) {
    const std::string told = read_errors(row.text);
    EXPECT_NE(told.find(row.place), std::string::npos) << row.word << "\n" << told;
    EXPECT_NE(told.find(row.word), std::string::npos) << row.word << "\n" << told;
  }
}

// One that was made with --keep-secrets has them.
TEST(Recording, NoErrorRepeatsWhatStandsInTheLine) {
  RecordedExchange secret = exchange();
  secret.request.headers.emplace_back("X-Api-Key", "SEKRET");
  secret.request.target = "/orders?key=SEKRET";
  const std::string good = written({secret});
  const std::pair<std::string_view, std::string_view> changes[] = {
      {"\"took\":7000000", "\"tok\":7000000"},       {"\"took\":7000000", "\"took\":7000000,\"SEKRET x\":1"}, {"\"took\":7000000", "\"took\":\"SEKRET\""},
      {"\"https\"", "\"SEKRET\""},                  {"\"method\":\"POST\"", "\"method\":\"SEKRET x\""},      {"/orders?key=", "/orders ?key="},
      {"[\"X-Api-Key\",\"SEKRET\"]", "[\"X-Api-Key: SEKRET\",\"\"]"}, {"\"SEKRET\"]", "\"SEKRET\\u0000\"]"}, {"\"SEKRET\"]", "\"SEKRET\",1]"},
      {"\"body\":\"sha256:", "\"body\":\"SEKRET"},  {"\"version\":1}", "\"version\":\"SEKRET\"}"},
  };
  for (const auto& [from, to] : changes) {
    std::string text = good;
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    const std::string told = read_errors(text);
    EXPECT_NE(told.find("error["), std::string::npos) << to;
    EXPECT_EQ(told.find("SEKRET"), std::string::npos) << to << "\n" << told;
  }
  const std::string cut = read_errors(good.substr(0, good.size() - 10));
  EXPECT_NE(cut.find("warning[recording-cut]"), std::string::npos) << cut;
  EXPECT_EQ(cut.find("SEKRET"), std::string::npos) << cut;
}

}  // namespace
}  // namespace gatelab::harness
