// SPDX-License-Identifier: Apache-2.0
// What is JSON here and what is not, by table; and that a document is written as it was read.
#include "json/document.h"

#include <gtest/gtest.h>

#include "json/text.h"

namespace gatelab::json {
namespace {

std::string written(const Document& d, std::size_t at_most = 1 << 20) {
  std::string out;
  return d.write(out, at_most) ? out : "too long";
}

std::string read_and_written(std::string_view text) {
  auto d = Document::parse(text, {});
  return d ? written(*d) : std::string(d.error().what);
}

TEST(JsonDocument, WhatIsWrittenIsWhatWasReadWithoutWhiteSpace) {
  for (const char* text : {"null", "true", "false", "0", "-0", "1.0", "1e400", "-1E-999999", "12345678901234567890", "0.10000000000000000000000000000000000001", "\"\"", R"("a\u0041\/\n")", "\"ß☺𝄞\"", R"("\ud834\udd1e")",
                           "[]", "{}", "[[]]", "[{}]", R"({"a":{}})", "[1,[2,[3,[]],4]]", R"({"z":1,"a":2,"m":{"y":[{"x":null}],"b":false}})", R"({"":""})", R"(["long enough to be looked at by eight octets at once, and then some more"])"})
    EXPECT_EQ(read_and_written(text), text);
  EXPECT_EQ(read_and_written(" \t\r\n{ \"b\" : [ 1 , 2 ] ,\n\"a\" : { } } "), R"({"b":[1,2],"a":{}})");
}

TEST(JsonDocument, WhatIsNoJsonIsRefused) {
  for (const char* text : {"", " ", "nul", "nullx", "True", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x10", "NaN", "Infinity", "'a'", "\"a", "\"\\\"", "\"\\x41\"", "\"\\u12\"", "\"\\u12G4\"", "\"a\tb\"", "\"\\ud834\"", "\"\\udd1e\"", "\"\\ud834\\u0041\"",
                           "\"\x80\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "\xef\xbb\xbf{}", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "[1}", "{\"a\":1]", "1 2", "[] []", "// c\n1", "\"long enough for eight\x01\""})
    EXPECT_FALSE(Document::parse(text, {})) << text;
  EXPECT_FALSE(Document::parse(std::string_view("1\0", 2), {}));
}

TEST(JsonDocument, ANameThatStandsTwiceIsRefusedHoweverItIsWritten) {
  for (const char* text : {R"({"a":1,"a":2})", R"({"a":1,"b":2,"a":3})", R"({"a":1,"\u0061":2})", R"([{"x":{"\n":1,"\u000a":2}}])"}) {
    const auto d = Document::parse(text, {});
    ASSERT_FALSE(d) << text;
    EXPECT_EQ(d.error().what, "a name stands twice in an object");
  }
  EXPECT_EQ(read_and_written(R"({"a":{"a":1},"b":{"a":2},"A":3})"), R"({"a":{"a":1},"b":{"a":2},"A":3})");
}

TEST(JsonDocument, DepthAndNumberOfValuesAreBounded) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(Document::parse(nested(3), {3, 10}));
  const auto deep = Document::parse(nested(4), {3, 10});
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().kind, Fault::Kind::TooDeep);
  EXPECT_EQ(deep.error().at, 3u);
  EXPECT_EQ(Document::parse(std::string(1'000'000, '['), {}).error().kind, Fault::Kind::TooDeep);
  EXPECT_TRUE(Document::parse("[1,2]", {3, 3}));
  EXPECT_EQ(Document::parse("[1,2,3]", {3, 3}).error().kind, Fault::Kind::TooMany);
  // Written without recursion too.
  const std::string million = nested(1'000'000);
  const auto whole = Document::parse(million, {1'000'000, 1'000'000});
  ASSERT_TRUE(whole);
  EXPECT_EQ(written(*whole, 2'000'000), million);
  EXPECT_EQ(written(*whole, 1'999'999), "too long");
}

TEST(JsonDocument, IsEditedInPlace) {
  auto d = Document::parse(R"({"a":1,"b\u0021":[1.0,2,3],"c":{"x":"y"}})", {});
  ASSERT_TRUE(d);
  const Ref b = d->member(d->root(), "b!");
  ASSERT_NE(b, kNone);
  EXPECT_EQ(d->item(b, 3), kNone);
  d->take_out(d->item(b, 1));
  d->append(b, d->add_text("a \"q\"\n"));
  d->rename(d->member(d->root(), "a"), "c");  // the other one goes
  d->put_in_place_of(d->member(d->root(), "c"), d->add(Kind::Object));
  EXPECT_EQ(written(*d), R"({"c":{},"b\u0021":[1.0,3,"a \"q\"\n"]})");
  const auto value = Document::parse(R"({"n":[1e400,{"k":"v"}]})", {});
  const Ref grafted = d->graft(*value);
  const Ref again = d->copy(grafted, value->values());
  d->append(d->member(d->root(), "c"), "one", grafted);
  d->append(d->root(), "two", again);
  EXPECT_EQ(written(*d), R"({"c":{"one":{"n":[1e400,{"k":"v"}]}},"b\u0021":[1.0,3,"a \"q\"\n"],"two":{"n":[1e400,{"k":"v"}]}})");
  EXPECT_TRUE(d->is_within(d->member(again, "n"), d->root()));
  EXPECT_FALSE(d->is_within(d->root(), again));
  d->take_out(d->root());
  EXPECT_EQ(written(*d), "null");
}

TEST(JsonNumbers, AreComparedToTheLastDigit) {
  struct Row {
    const char *a, *b;
    int order;
  };
  for (const Row& row : {Row{"1", "1.0", 0}, {"10", "1e1", 0}, {"0.1", "1E-1", 0}, {"-0", "0.000", 0}, {"100", "1.00e2", 0}, {"0", "1", -1}, {"-1", "0", -1}, {"-2", "-1", -1}, {"12345678901234567890", "12345678901234567891", -1},
                         {"1e400", "1e399", 1}, {"9e-400", "1e-399", -1}, {"0.3", "0.30000000000000004", -1}, {"1e999999999999999999999", "2", 1}, {"-1e999999999999999999999", "2", -1}, {"10.01", "10.1", -1}, {"123.4", "123.40", 0}}) {
    EXPECT_EQ(compare_numbers(row.a, row.b), row.order) << row.a << " " << row.b;
    EXPECT_EQ(compare_numbers(row.b, row.a), -row.order) << row.b << " " << row.a;
  }
  for (const char* whole : {"0", "-0.0", "1", "1.0", "1e2", "1.50e1", "20e-1", "1e400"}) EXPECT_TRUE(is_integer(whole)) << whole;
  for (const char* part : {"0.5", "1e-1", "1.55e1", "10.01", "1e-400"}) EXPECT_FALSE(is_integer(part)) << part;
}

}  // namespace
}  // namespace gatelab::json
