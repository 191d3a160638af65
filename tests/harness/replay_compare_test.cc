// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/compare.h"

#include <gtest/gtest.h>

#include "harness/replay/difference_text.h"
#include "harness/replay/import_parts.h"

namespace gatelab::harness {
namespace {

ComparedAnswer answer(std::string body, RecordedHeaders headers = {}, std::uint16_t status = 200) {
  ComparedAnswer out;
  out.status = status;
  out.headers = std::move(headers);
  out.body = body_from(std::move(body));
  return out;
}

Masks::Path path(const std::string& text) { return {text, *JsonPath::compile(text), {}}; }

std::string told(const std::vector<Difference>& all) {
  std::string out;
  for (const Difference& d : all) out += d.place + ": " + d.before + " → " + d.after + "\n";
  return out;
}

std::string compared(const Masks& masks, const ComparedAnswer& a, const ComparedAnswer& b) {
  Comparison comparison(masks);
  return told(comparison.compare("GET /", a, b));
}

struct Row {
  const char *a, *b, *expected;
};

class Bodies : public testing::TestWithParam<Row> {};
TEST_P(Bodies, DifferWhereTheyDiffer) { EXPECT_EQ(compared({}, answer(GetParam().a), answer(GetParam().b)), GetParam().expected); }

INSTANTIATE_TEST_SUITE_P(Table, Bodies, testing::Values(
    Row{"same", "same", ""},
    Row{R"({"a":1,"b":[1,2]})", R"({ "b": [1, 2], "a": 1 })", ""},  // the same value, spelt otherwise
    Row{R"({"a":1})", R"({"a":1.0})", ""},
    Row{R"({"a":1})", R"({"a":"1"})", "$.a: 1 → \"1\"\n"},
    Row{R"({"a":{"b":[{"c":1},{"c":2}]}})", R"({"a":{"b":[{"c":1},{"c":3}]}})", "$.a.b[1].c: 2 → 3\n"},
    Row{R"({"a":[1,2]})", R"({"a":[1]})", "$.a[1]: 2 → (absent)\n"},
    Row{R"({"a":null})", R"({"b":null})", "$.a: null → (absent)\n$.b: (absent) → null\n"},
    Row{R"({"x-y":1})", R"({"x-y":2})", "$['x-y']: 1 → 2\n"},
    Row{R"([1])", R"({"a":1})", "$: [1] → {\"a\":1}\n"},
    Row{"", "{}", "body: (empty) → \"{}\"\n"},
    Row{"plain text", "plain test", "body: \"plain text\" → \"plain test\"\n"}));

TEST(Compare, HeadersByNameAndStatusesAreToldAndFramingIsNot) {
  const RecordedHeaders a{{"Content-Length", "3"}, {"Connection", "close"}, {"ETag", "\"1\""}, {"Vary", "a"}, {"vary", "b"}, {"X-Gone", "1"}};
  const RecordedHeaders b{{"Transfer-Encoding", "chunked"}, {"etag", "\"2\""}, {"Vary", "b"}, {"Vary", "a"}, {"X-New", "1"}};
  EXPECT_EQ(compared({}, answer("", a), answer("", b, 404)),
            "status: 200 → 404\nheader ETag: \"1\" → \"2\"\nheader Vary: a ¦ b → b ¦ a\nheader X-Gone: 1 → (absent)\nheader X-New: (absent) → 1\n");
  ComparedAnswer cut = answer("");
  cut.error = "timeout";
  EXPECT_EQ(compared({}, answer(""), cut), "status: 200 → no whole answer: timeout\n");
}

TEST(Compare, WhatWasNotRecordedDiffersFromNothing) {
  ComparedAnswer logged = answer("");
  logged.has_headers = logged.has_body = false;
  EXPECT_EQ(compared({}, logged, answer("text", {{"ETag", "1"}})), "");
  ComparedAnswer opaque = answer("");
  opaque.body.size = 5;
  opaque.body.left_out = "opaque";
  EXPECT_EQ(compared({}, opaque, answer("12345")), "");
  EXPECT_EQ(compared({}, opaque, answer("123456")), "body: 5 octets → 6 octets\n");
}

TEST(Compare, MasksHideWhatTheySayAndNothingElse) {
  Masks masks;
  masks.headers.push_back({"date", {}});
  masks.ignore = {path("$..updated_at"), path("$.cart.id")};
  masks.unordered = {path("$.items")};
  const auto a = answer(R"({"cart":{"id":1,"sum":5},"items":[{"n":1,"updated_at":1},{"n":2,"updated_at":2}]})", {{"Date", "1"}});
  const auto b = answer(R"({"cart":{"id":2,"sum":6},"items":[{"n":2,"updated_at":3},{"n":1}],"updated_at":9})", {{"Date", "2"}});
  Comparison comparison(masks);
  EXPECT_EQ(told(comparison.compare("GET /", a, b)), "$.cart.sum: 5 → 6\n");
  EXPECT_TRUE(comparison.unused().empty());
  EXPECT_EQ(compared(masks, answer(R"({"items":[1,2]})"), answer(R"({"items":[2,3]})")), "$.items[0]: 1 → 2\n$.items[1]: 2 → 3\n");
}

std::string unused_of(Masks::Unused how) {
  Masks masks;
  masks.unused = how;
  masks.headers = {{"Date", {}}, {"Server", {}}, {"X-Gone", {}}};
  masks.ignore = {path("$.a"), path("$.b"), path("$.gone")};
  masks.unordered = {path("$.x"), path("$.y"), path("$.gone")};
  Comparison comparison(masks);
  const auto a = answer(R"({"a":1,"b":1,"x":[1,2],"y":[1,2]})", {{"Date", "1"}, {"Server", "a"}}), b = answer(R"({"a":1,"b":2,"x":[1,2],"y":[2,1]})", {{"Date", "1"}, {"Server", "b"}});
  EXPECT_TRUE(comparison.compare("GET /", a, b).empty());
  std::string unused;
  for (const auto& mask : comparison.unused()) unused += mask.what + " ";
  return unused;
}

TEST(Compare, AMaskThatHidesNothingIsUnused) {
  EXPECT_EQ(unused_of(Masks::Unused::Fail), "header X-Gone $.gone $.gone ");
  EXPECT_EQ(unused_of(Masks::Unused::Strict), "header Date header X-Gone $.a $.gone $.x $.gone ");
  EXPECT_EQ(unused_of(Masks::Unused::Allow), "");
}

TEST(Compare, APathMayHideAParentAndItsChildren) {
  Masks masks;
  masks.ignore = {path("$..a")};
  EXPECT_EQ(compared(masks, answer(R"({"a":{"a":{"a":1}},"b":[{"a":2}]})"), answer(R"({"a":{"a":7},"b":[{}]})")), "");
}

TEST(Compare, LearntNoiseIsOfAKindOfRequestAndOfAllBelow) {
  const Masks none;
  Comparison comparison(none);
  comparison.learn("GET /a", answer(R"({"l":[{"id":1,"n":1},{"id":2,"n":2}],"o":{"k":1}})", {{"X-Id", "1"}}), answer(R"({"l":[{"id":1,"n":1},{"id":3,"n":2}],"o":7})", {{"X-Id", "2"}}));
  const auto a = answer(R"({"l":[{"id":5,"n":1}],"o":{"k":1}})", {{"X-Id", "1"}}), b = answer(R"({"l":[{"id":6,"n":9}],"o":{"k":2}})", {{"X-Id", "9"}});
  EXPECT_EQ(told(comparison.compare("GET /a", a, b)), "$.l[0].n: 1 → 9\n");
  EXPECT_EQ(comparison.noise(), 3U);
  EXPECT_EQ(comparison.compare("GET /b", a, b).size(), 4U);
}

TEST(Compare, DeepBodiesAreTexts) {
  const std::string deep(100'000, '[');
  EXPECT_EQ(compared({}, answer(deep), answer(deep + "1")).substr(0, 5), "body:");
}

TEST(DifferenceText, WhatIsAlikeStandsTogether) {
  RecordedExchange one, two, three;
  one.id = "1", two.id = "2", three.id = "3";
  for (RecordedExchange* e : {&one, &two, &three}) e->request.method = "GET", e->request.target = "/" + e->id;
  const std::vector<DifferentExchange> all{{&one, {{"status", "200", "401"}}, {}}, {&two, {{"$.l[0].n", "1", "2"}}, {}}, {&three, {{"$.l[4].n", "1", "2"}}, {"route a"}}};
  EXPECT_EQ(difference_text(all, 9),
            "  3 of 9 exchanges differ, in 2 ways\n"
            "  2 exchanges: $.l[*].n\n    GET /2  (2)\n      $.l[0].n\n        - 1\n        + 2\n    and alike: GET /3 (3)\n"
            "  1 exchange: status 200 → 401\n    GET /1  (1)\n      status\n        - 200\n        + 401");
}

}  // namespace
}  // namespace gatelab::harness
