// SPDX-License-Identifier: Apache-2.0
// Every predicate by table: what it takes, what it refuses, and what it says then.
#include "harness/match/matcher.h"

#include <gtest/gtest.h>

#include <string>

namespace gatelab::harness {
namespace {

using nlohmann::json;

std::unique_ptr<config::Node> tree_of(const std::string& yaml, diag::Sink& sink) {
  auto source = std::make_shared<diag::SourceFile>();
  source->name = "m.yaml";
  source->text = yaml;
  config::ParseOptions options;
  options.substitute_env = false;
  return config::parse(source, options, sink);
}

struct Row {
  const char* matcher;  // as written in a scenario
  const char* value;    // JSON; null pointer: absent
  const char* got;      // what is said; null pointer: it matches
  Dimension dimension = Dimension::Json;
};

constexpr Dimension kText = Dimension::Text;
constexpr Dimension kTime = Dimension::Duration;

constexpr const char* kEmpty = "got [], and `each` of nothing proves nothing: where it may be empty write any: [ { count: 0 }, { each: … } ]";

const Row kRows[] = {
    // a scalar means equal, typed in JSON
    {"200", "200", nullptr},
    {"200", "429", "got 429"},
    {"200", "\"200\"", "got \"200\""},
    {"\"200\"", "200", "got 200"},
    {"true", "true", nullptr},
    {"no", "\"no\"", nullptr},
    {"1.5", "1.5", nullptr},
    {"null", "null", nullptr},
    {"null", nullptr, "it is absent"},
    {"null", "0", "got 0"},
    {"text", nullptr, "it is absent"},
    // as text in headers
    {"60", "\"60\"", nullptr, kText},
    {"60", "\"61\"", "got 61", kText},
    {"true", "\"true\"", nullptr, kText},
    {"1.0", "\"1.0\"", nullptr, kText},
    {"1.0", "\"1\"", "got 1", kText},
    {"x", "\"\"", "got an empty text", kText},
    // a bare list means equals
    {"[1, two]", R"([1,"two"])", nullptr},
    {"[1, two]", R"(["two",1])", R"(got ["two",1])"},
    {"[a, b]", R"(["a","b"])", nullptr, kText},
    {"[a, b]", R"("a")", "got a", kText},
    {"[a]", R"("a")", nullptr, kText},
    {"a", R"(["a"])", R"(got ["a"])", kText},
    {"[]", "[]", nullptr},
    // a map means predicates, all of them
    {"{ equals: { a: 1 } }", R"({"a":1})", nullptr},
    {"{ equals: { a: 1 } }", R"({"a":1,"b":2})", R"(got {"a":1,"b":2})"},
    {"{ includes: { a: 1 } }", R"({"a":1,"b":2})", nullptr},
    {"{ includes: { a: { b: [ { c: 1 } ] } } }", R"({"a":{"b":[0,{"c":1,"d":2}]}})", nullptr},
    {"{ includes: { a: 1 } }", R"({"b":2})", R"(got {"b":2})"},
    {"{ includes: [2] }", "[1,2,3]", nullptr},
    {"{ includes: 2 }", "[1,2,3]", nullptr},
    {"{ includes: 4 }", "[1,2,3]", "got [1,2,3]"},
    {"{ ne: 1 }", "2", nullptr},
    {"{ ne: 1 }", "1", "got 1"},
    {"{ ne: 1 }", nullptr, nullptr},
    {"{ lt: 2 }", "1", nullptr},
    {"{ lt: 2 }", "2", "got 2"},
    {"{ le: 2 }", "2", nullptr},
    {"{ le: 2 }", "2.5", "got 2.5"},
    {"{ gt: 2 }", "3", nullptr},
    {"{ gt: 2 }", "2", "got 2"},
    {"{ ge: 2 }", "2", nullptr},
    {"{ ge: 2 }", "1", "got 1"},
    {"{ ge: 2 }", "[3]", "got [3]"},
    {"{ ge: 2 }", nullptr, "it is absent"},
    {"{ ge: b }", "\"c\"", nullptr},
    {"{ ge: 30 }", "\"100\"", nullptr, kText},
    {"{ ge: 30 }", "\"4\"", "got 4", kText},
    {"{ between: [1, 3] }", "1", nullptr},
    {"{ between: [1, 3] }", "3", nullptr},
    {"{ between: [1, 3] }", "4", "got 4"},
    {"{ between: [1, 60] }", "\"59\"", nullptr, kText},
    {"{ one_of: [200, 204] }", "204", nullptr},
    {"{ one_of: [200, 204] }", "404", "got 404"},
    {"{ one_of: [a, 1] }", "\"1\"", nullptr, kText},
    {"{ contains: \"r=0;t=60\" }", "\"\\\"x\\\";r=0;t=60\"", nullptr, kText},
    {"{ contains: b }", "\"abc\"", nullptr, kText},
    {"{ contains: z }", "\"abc\"", "got abc", kText},
    {"{ contains: b }", R"(["a","b"])", nullptr},
    {"{ contains: 2 }", "[1]", "got [1]"},
    {"{ matches: ^a.c$ }", "\"abc\"", nullptr, kText},
    {"{ matches: b }", "\"abc\"", nullptr, kText},
    {"{ matches: ^b }", "\"abc\"", "got abc", kText},
    {"{ matches: ^4 }", "404", nullptr},
    {"{ present: true }", "null", nullptr},
    {"{ present: true }", nullptr, "it is absent"},
    {"{ present: false }", nullptr, nullptr},
    {"{ present: false }", "\"x\"", "got x", kText},
    {"{ all: [ { contains: a }, { contains: b } ] }", "\"ab\"", nullptr, kText},
    {"{ all: [ { contains: a }, { contains: z } ] }", "\"ab\"", "got ab", kText},
    {"{ any: [ 1, { gt: 5 } ] }", "6", nullptr},
    {"{ any: [ 1, { gt: 5 } ] }", "3", "got 3, which none of these match"},
    {"{ any: [ { present: false }, x ] }", nullptr, nullptr, kText},
    {"{ not: 1 }", "2", nullptr},
    {"{ not: 1 }", "1", "got 1"},
    {"{ not: { contains: a } }", "\"b\"", nullptr, kText},
    {"{ not: { not: 1 } }", "1", nullptr},
    {"{ count: 2 }", "[1,2]", nullptr},
    {"{ count: { ge: 3 } }", "[1,2]", "got 2 elements"},
    {"{ count: 1 }", R"({"a":1})", nullptr},
    {"{ count: 1 }", "7", "got 7, which has no elements to count"},
    {"{ schema: { type: object, required: [id], properties: { id: { type: integer } } } }", R"({"id":1})", nullptr},
    {"{ schema: { type: object, required: [id] } }", "{}", "got {}, which is not as `schema` has it: at the top: `id` is missing"},
    {"{ schema: { items: { type: integer } } }", R"([1,"x",[]])", R"(got [1,"x",[]], which is not as `schema` has it: at /1: is a string, and must be of type integer; at /2: is an array, and must be of type integer)"},
    {"{ schema: { items: { $ref: \"#/definitions/n\" }, definitions: { n: { minimum: 2 } } } }", "[1]", "got [1], which is not as `schema` has it: at /0: is less than 2"},
    {"{ schema: { type: string, maxLength: 2 } }", "\"abc\"", "got abc, which is not as `schema` has it: at the top: is longer than 2", kText},
    {"{ schema: { type: object } }", nullptr, "it is absent"},
    {"{ not: { schema: { type: object } } }", "[]", nullptr},
    {"{ each: { gt: 0 } }", "[1,2]", nullptr},
    {"{ each: { gt: 0 } }", "[1,0]", "element 1: got 0"},
    {"{ each: 1 }", "3", "got 3, which is not a list"},
    // of nothing nothing is shown, and neither is its opposite
    {"{ each: { gt: 0 } }", "[]", kEmpty},
    {"{ each: { gt: 0 } }", nullptr, "it is absent"},
    {"{ each: { not: 1 } }", "[]", kEmpty},
    {"{ each: { each: 1 } }", "[[1],[]]", "element 1: got [], and `each` of nothing proves nothing: where it may be empty write any: [ { count: 0 }, { each: … } ]"},
    {"{ not: { each: { not: 1 } } }", "[]", kEmpty},
    {"{ not: { each: 1 } }", "3", "got 3, which is not a list"},
    {"{ not: { each: 1 } }", nullptr, "it is absent"},
    {"{ not: { any: [ { each: 1 }, 2 ] } }", nullptr, "got nothing, which none of these match"},
    {"{ not: { each: { each: 1 } } }", "[3]", "element 0: got 3, which is not a list"},
    {"{ not: { each: { not: 1 } } }", "[2]", "got [2]"},
    {"{ not: { each: { not: 1 } } }", "[2,1]", nullptr},
    {"{ not: { all: [ { each: 1 } ] } }", "[]", kEmpty},
    {"{ not: { any: [ { each: 1 }, 2 ] } }", "[]", "got [], which none of these match"},
    {"{ any: [ { count: 0 }, { each: 1 } ] }", "[]", nullptr},
    {"{ any: [ { count: 0 }, { each: 1 } ] }", "[2]", "got [2], which none of these match"},
    {"{ count: 0 }", "[]", nullptr},
    {"{ ge: 1, le: 3 }", "2", nullptr},
    {"{ ge: 1, le: 3 }", "4", "got 4"},
    // durations
    {"5ms", "5000000", nullptr, kTime},
    {"5ms", "6000000", "got 6ms", kTime},
    {"{ le: 1s }", "999999999", nullptr, kTime},
    {"{ lt: 1s }", "1000000000", "got 1s", kTime},
    {"{ between: [1ms, 2ms] }", "1500000", nullptr, kTime},
};

TEST(Matcher, EveryPredicateByTable) {
  for (const Row& row : kRows) {
    diag::Sink sink;
    const auto tree = tree_of(row.matcher, sink);
    ASSERT_TRUE(tree) << row.matcher;
    const MatcherPtr matcher = Matcher::parse(*tree, row.dimension, sink, "`x`");
    ASSERT_TRUE(matcher && !sink.has_errors()) << row.matcher << "\n" << diag::render_all(sink, diag::Colour::Off);
    const auto mismatch = matcher->match(row.value == nullptr ? Value() : Value(json::parse(row.value)));
    const std::string what = std::string(row.matcher) + " on " + (row.value == nullptr ? "nothing" : row.value);
    EXPECT_EQ(mismatch.has_value(), row.got != nullptr) << what << (mismatch ? ": " + mismatch->got : "");
    if (mismatch && row.got != nullptr) {
      EXPECT_EQ(mismatch->got, row.got) << what;
      EXPECT_TRUE(mismatch->span) << what;
    }
  }
}

TEST(Matcher, RefusesWhatWouldMatchAnythingOrNothing) {
  const struct {
    const char* matcher;
    const char* id;
    Dimension dimension = Dimension::Json;
  } rows[] = {
      {"{}", "bad-matcher"},
      {"{ contain: a }", "unknown-key"},
      {"{ between: [1] }", "bad-matcher"},
      {"{ between: 1 }", "bad-matcher"},
      {"{ one_of: [] }", "bad-matcher"},
      {"{ any: [] }", "bad-matcher"},
      {"{ all: 3 }", "bad-matcher"},
      {"{ includes: [] }", "bad-matcher"},
      {"{ includes: {} }", "bad-matcher"},
      {"{ matches: \"(\" }", "bad-regex"},
      {"{ matches: 3 }", "wrong-type"},
      {"{ present: maybe }", "wrong-type"},
      {"{ schema: a.json }", "bad-matcher"},
      {"{ schema: {} }", "bad-matcher"},
      {"{ schema: { title: an order, required: [] } }", "bad-matcher"},
      {"{ schema: { typ: integer } }", "not-held"},
      {"{ schema: { type: object, requird: [id] } }", "not-held"},
      {"{ contains: \"\" }", "bad-matcher"},
      {"{ matches: \"\" }", "bad-matcher"},
      {"{ schema: { type: text } }", "bad-schema"},
      {"5", "bad-duration", Dimension::Duration},
      {"{ le: soon }", "bad-duration", Dimension::Duration},
  };
  for (const auto& row : rows) {
    diag::Sink sink;
    const auto tree = tree_of(row.matcher, sink);
    ASSERT_TRUE(tree) << row.matcher;
    Matcher::parse(*tree, row.dimension, sink, "`x`");
    ASSERT_TRUE(sink.has_errors()) << row.matcher << " was taken";
    EXPECT_EQ(sink.all().front().id, row.id) << row.matcher;
    EXPECT_TRUE(sink.all().front().span) << row.matcher;
  }
}

std::optional<Mismatch> json_mismatch(const char* expected, const char* body) {
  diag::Sink sink;
  const auto tree = tree_of(expected, sink);
  const JsonExpectation e = parse_json_expectation(*tree, sink, "`json`");
  EXPECT_FALSE(sink.has_errors()) << diag::render_all(sink, diag::Colour::Off);
  return match_json(e, json::parse(body));
}

TEST(JsonExpectation, APathThatSelectsOneValueIsComparedWithIt) {
  EXPECT_FALSE(json_mismatch("{ $.id: 1, $.name: lamp }", R"({"id":1,"name":"lamp"})"));
  EXPECT_EQ(json_mismatch("{ $.id: 1 }", R"({"id":2})")->got, "$.id: got 2");
  EXPECT_EQ(json_mismatch("{ $.id: 1 }", "{}")->got, "$.id: it is absent");
  EXPECT_FALSE(json_mismatch("{ $.id: { present: false } }", "{}"));
}

TEST(JsonExpectation, APathThatMaySelectManyIsComparedAsAList) {
  EXPECT_FALSE(json_mismatch("{ \"$..id\": [1, 2] }", R"([{"id":1},{"id":2}])"));
  EXPECT_FALSE(json_mismatch("{ \"$[*]\": { count: 0 } }", "[]"));
  EXPECT_FALSE(json_mismatch("{ \"$[?@.id > 1]\": { count: 1 } }", R"([{"id":1},{"id":2}])"));
  EXPECT_EQ(json_mismatch("{ \"$[*]\": { each: { ge: 2 } } }", "[2,1]")->got, "$[*]: element 1: got 1");
  EXPECT_EQ(json_mismatch("{ \"$[*]\": { each: { ge: 2 } } }", "[]")->got, "$[*]: " + std::string(kEmpty));
  EXPECT_EQ(json_mismatch("{ \"$..gone\": { each: 1 } }", R"({"id":1})")->got, "$..gone: " + std::string(kEmpty));
}

TEST(JsonExpectation, AWrongPathIsRefusedWhereItStands) {
  diag::Sink sink;
  const auto tree = tree_of("{ id: 1 }", sink);
  parse_json_expectation(*tree, sink, "`json`");
  ASSERT_EQ(sink.errors(), 1U);
  EXPECT_EQ(sink.all().front().id, "bad-jsonpath");
  EXPECT_EQ(diag::place_with_column(sink.all().front().span), "m.yaml:1:3");
}

TEST(Shown, CutsLongValuesAndShowsNoControls) {
  EXPECT_EQ(shown(json("a\nb"), Dimension::Text), "a b");
  EXPECT_LE(shown(json(std::string(1000, 'x')), Dimension::Text).size(), 210U);
  EXPECT_EQ(shown(Value(), Dimension::Text), "nothing");
}

// Neither that it is as the schema says, nor that it is not, has been seen.
TEST(Matcher, NotOfASchemaThatTakesTooLongIsNoMatch) {
  std::string ones = "[1";
  for (int i = 1; i < 200'000; ++i) ones += ",1";
  ones += "]";
  diag::Sink sink;
  const std::string schema = "{ type: array, items: { allOf: [ {type: integer}, {minimum: 0}, {maximum: 2}, {type: integer}, {minimum: 1} ] } }";
  for (const std::string& matcher : {"{ schema: " + schema + " }", "{ not: { schema: " + schema + " } }"}) {
    const auto tree = tree_of(matcher, sink);
    const auto m = Matcher::parse(*tree, Dimension::Json, sink, "it");
    ASSERT_TRUE(m);
    const auto bad = m->match(json::parse(ones));
    ASSERT_TRUE(bad) << matcher;
    EXPECT_NE(bad->got.find("too long"), std::string::npos) << bad->got;
  }
}

}  // namespace
}  // namespace gatelab::harness
