// SPDX-License-Identifier: Apache-2.0
#include "cache/validators.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/field_lines.h"

namespace gatelab::test {
namespace {

constexpr Instant kNow = Instant::from_seconds(1'767'225'600);  // Thu, 01 Jan 2026 00:00:00 GMT

// RFC 9110 §8.8.3
TEST(EntityTag, IsQuotedAndWeakOnlyWithACapitalW) {
  for (const char* text : {"\"a\"", "\"\"", "W/\"a\"", "\"a,b\"", "\"a\\\"", "\"\xc3\xa9\"", "\"!#~\""}) EXPECT_TRUE(cache::parse_entity_tag(text)) << text;
  for (const char* text : {"", "a", "\"", "\"a", "a\"", "'a'", "w/\"a\"", "W\"a\"", "W/a", "\"a b\"", "\"a\"b\"", "\"a\" ", " \"a\"", "\"a\"\"b\"", "*"})
    EXPECT_FALSE(cache::parse_entity_tag(text)) << text;
  EXPECT_TRUE(cache::parse_entity_tag("W/\"a\"")->weak);
  EXPECT_FALSE(cache::parse_entity_tag("\"W/\"")->weak);
}

// RFC 9110 §8.8.3.2, its table
TEST(EntityTag, ComparesStronglyAndWeakly) {
  struct Row {
    const char *a, *b;
    bool strong, weak;
  };
  for (const Row& row : {Row{"W/\"1\"", "W/\"1\"", false, true}, Row{"W/\"1\"", "W/\"2\"", false, false}, Row{"W/\"1\"", "\"1\"", false, true}, Row{"\"1\"", "\"1\"", true, true},
                         Row{"\"a\"", "\"A\"", false, false}}) {
    const auto a = *cache::parse_entity_tag(row.a), b = *cache::parse_entity_tag(row.b);
    EXPECT_EQ(cache::strong_match(a, b), row.strong) << row.a << row.b;
    EXPECT_EQ(cache::weak_match(a, b), row.weak) << row.a << row.b;
  }
}

struct Row {
  std::string request, stored;
  std::string expected;
  std::uint16_t status = 200;
};

std::string condition(const Row& row) {
  Arena arena;
  const http::Fields request = field_lines(row.request, arena), stored = field_lines(row.stored, arena);
  const cache::Facts facts{.response_time = kNow, .date = cache::date_of(stored, kNow), .status = row.status};
  constexpr std::string_view kWords[] = {"send", "304", "origin"};
  return std::string(kWords[static_cast<std::size_t>(cache::evaluate(request, stored, facts))]);
}

void all_hold(std::initializer_list<Row> rows) {
  for (const Row& row : rows) EXPECT_EQ(condition(row), row.expected) << row.request << " | " << row.stored;
}

// RFC 9110 §13.1.2
TEST(Conditions, IfNoneMatchComparesWeaklyWithEachOfItsTags) {
  all_hold({
      {"", "ETag: \"a\"", "send"},
      {"If-None-Match: \"a\"", "ETag: \"a\"", "304"},
      {"If-None-Match: \"b\"", "ETag: \"a\"", "send"},
      {"If-None-Match: W/\"a\"", "ETag: \"a\"", "304"},
      {"If-None-Match: \"a\"", "ETag: W/\"a\"", "304"},
      {"If-None-Match: \"b\", W/\"c\" ,\"a\"", "ETag: \"a\"", "304"},
      {"If-None-Match: \"b\"\nIf-None-Match: \"a\"", "ETag: \"a\"", "304"},
      {"If-None-Match: , \"a\" ,,", "ETag: \"a\"", "304"},
      {"If-None-Match: \"x,y\", \"z\"", "ETag: \"x,y\"", "304"},
      {"If-None-Match: \"x,y\"", "ETag: \"y\"", "send"},
      {"If-None-Match: *", "ETag: \"a\"", "304"},
      {"If-None-Match: *", "", "304"},
      {"If-None-Match: \"a\"", "", "send"},
      {"If-None-Match:", "ETag: \"a\"", "send"},
      {"If-None-Match: a", "ETag: \"a\"", "send"},
      {"If-None-Match: \"a\", b", "ETag: \"a\"", "send"},
      {"If-None-Match: \"a\" \"b\"", "ETag: \"a\"", "send"},
      {"If-None-Match: *, \"a\"", "ETag: \"a\"", "send"},
      {"If-None-Match: \"a\"", "ETag: \"a\"\nETag: \"b\"", "send"},
      {"If-None-Match: \"a\"", "ETag: a", "send"},
  });
}

// RFC 9110 §13.1.3; RFC 9111 §4.3.2 for a response without Last-Modified
TEST(Conditions, IfModifiedSinceComparesDates) {
  const std::string modified = "Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT";
  all_hold({
      {"If-Modified-Since: Wed, 31 Dec 2025 00:00:00 GMT", modified, "304"},
      {"If-Modified-Since: Wed, 31 Dec 2025 00:00:01 GMT", modified, "304"},
      {"If-Modified-Since: Tue, 30 Dec 2025 23:59:59 GMT", modified, "send"},
      {"If-Modified-Since: Wednesday, 31-Dec-25 00:00:00 GMT", modified, "304"},
      {"If-Modified-Since: yesterday", modified, "send"},
      {"If-Modified-Since: Wed, 31 Dec 2025 00:00:00 GMT\nIf-Modified-Since: Wed, 31 Dec 2025 00:00:00 GMT", modified, "send"},
      {"If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT", "Date: Thu, 01 Jan 2026 00:00:00 GMT", "304"},
      {"If-Modified-Since: Wed, 31 Dec 2025 23:59:59 GMT", "Date: Thu, 01 Jan 2026 00:00:00 GMT", "send"},
      {"If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT", "", "304"},  // no Date: the time it came
      {"If-Modified-Since: Wed, 31 Dec 2025 23:59:59 GMT", "", "send"},
      {"If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT", "Last-Modified: soon", "304"},
  });
}

// RFC 9110 §13.2.2
TEST(Conditions, IfNoneMatchStandsBeforeIfModifiedSince) {
  const std::string stored = "ETag: \"a\"\nLast-Modified: Wed, 31 Dec 2025 00:00:00 GMT";
  all_hold({
      {"If-None-Match: \"b\"\nIf-Modified-Since: Wed, 31 Dec 2025 00:00:00 GMT", stored, "send"},
      {"If-None-Match: \"a\"\nIf-Modified-Since: Tue, 30 Dec 2025 00:00:00 GMT", stored, "304"},
  });
}

// RFC 9111 §4.3.2, RFC 9110 §13.1.1, §13.1.4
TEST(Conditions, ThoseOfOriginsAreNotEvaluated) {
  all_hold({
      {"If-Match: \"a\"", "ETag: \"a\"", "origin"},
      {"If-Unmodified-Since: Wed, 31 Dec 2025 00:00:00 GMT", "ETag: \"a\"", "origin"},
      {"If-Match: *\nIf-None-Match: \"a\"", "ETag: \"a\"", "origin"},
  });
}

// RFC 9110 §13.2.1
TEST(Conditions, AreAboutSuccessfulResponsesOnly) {
  all_hold({
      {"If-None-Match: \"a\"", "ETag: \"a\"", "send", 404},
      {"If-None-Match: *", "", "send", 301},
  });
}

// RFC 9110 §13.1.5, §8.8.2.2
TEST(Conditions, IfRangeHoldsForThisVeryRepresentation) {
  struct Case {
    std::string request, stored;
    bool expected;
  };
  const std::string dates = "Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT\nDate: Thu, 01 Jan 2026 00:00:00 GMT";
  for (const Case& row : {
           Case{"", "", true},
           Case{"If-Range: \"a\"", "ETag: \"a\"", true},
           Case{"If-Range: \"a\"", "ETag: \"b\"", false},
           Case{"If-Range: W/\"a\"", "ETag: \"a\"", false},
           Case{"If-Range: \"a\"", "ETag: W/\"a\"", false},
           Case{"If-Range: W/\"a\"", "ETag: W/\"a\"", false},
           Case{"If-Range: \"a\", \"b\"", "ETag: \"a\"", false},
           Case{"If-Range: \"a\"\nIf-Range: \"a\"", "ETag: \"a\"", false},
           Case{"If-Range: \"a\"", "", false},
           Case{"If-Range: Wed, 31 Dec 2025 00:00:00 GMT", dates, true},
           Case{"If-Range: Wed, 31 Dec 2025 00:00:01 GMT", dates, false},
           Case{"If-Range: Tue, 30 Dec 2025 00:00:00 GMT", dates, false},
           Case{"If-Range: Wed, 31 Dec 2025 00:00:00 GMT", "Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT\nDate: Wed, 31 Dec 2025 00:00:00 GMT", false},
           Case{"If-Range: Wed, 31 Dec 2025 00:00:00 GMT", "Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT\nDate: Wed, 31 Dec 2025 00:00:01 GMT", true},
           Case{"If-Range: Wed, 31 Dec 2025 00:00:00 GMT", "Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT", false},
           Case{"If-Range:", dates, false},
       }) {
    Arena arena;
    const http::Fields request = field_lines(row.request, arena), stored = field_lines(row.stored, arena);
    EXPECT_EQ(cache::if_range_holds(request, stored, {.response_time = kNow, .status = 200}), row.expected) << row.request << " | " << row.stored;
  }
}

std::string validation(const std::string& request, const std::vector<std::string>& stored) {
  Arena arena;
  http::Fields out = field_lines(request, arena);
  std::vector<http::Fields> fields;
  for (const std::string& one : stored) fields.push_back(field_lines(one, arena));
  std::vector<const http::Fields*> all;
  for (const http::Fields& one : fields) all.push_back(&one);
  cache::make_validation(out, all, arena);
  return lines_of(out);
}

// RFC 9111 §4.3.1
TEST(Validation, SendsAllTagsAndTheDateOfASingleOne) {
  const std::string date = "Wed, 31 Dec 2025 00:00:00 GMT";
  EXPECT_EQ(validation("A: b", {"ETag: \"x\""}), "A: b\nIf-None-Match: \"x\"");
  EXPECT_EQ(validation("", {"ETag: W/\"x\"\nLast-Modified: " + date}), "If-None-Match: W/\"x\"\nIf-Modified-Since: " + date);
  EXPECT_EQ(validation("", {"Last-Modified: " + date}), "If-Modified-Since: " + date);
  EXPECT_EQ(validation("", {"ETag: \"x\"\nLast-Modified: " + date, "ETag: \"y\"", ""}), "If-None-Match: \"x\", \"y\"");
  EXPECT_EQ(validation("", {""}), "");
  EXPECT_EQ(validation("", {"ETag: x"}), "");
}

// RFC 9111 §4.3.2: the union of both lists is a MAY that is not taken; the client's condition is evaluated afterwards.
TEST(Validation, TakesTheClientsConditionsAndRangeOut) {
  EXPECT_EQ(validation("If-None-Match: \"c\"\nA: b\nif-modified-since: x\nIf-Match: y\nIf-Unmodified-Since: z\nIf-Range: \"c\"\nRange: bytes=0-1", {"ETag: \"x\""}),
            "A: b\nIf-None-Match: \"x\"");
}

TEST(Validation, SendsABoundedNumberOfTags) {
  std::vector<std::string> many;
  for (std::size_t i = 0; i <= cache::kMaxTags; ++i) many.push_back("ETag: \"" + std::to_string(i) + "\"");
  const std::string sent = validation("", many);
  EXPECT_EQ(std::count(sent.begin(), sent.end(), ','), static_cast<std::ptrdiff_t>(cache::kMaxTags) - 1);
}

// RFC 9110 §15.4.5
TEST(NotModified, CarriesWhatIsNotAboutTheContent) {
  for (const char* name : {"Cache-Control", "Content-Location", "Date", "ETag", "Expires", "Vary", "Set-Cookie", "Access-Control-Allow-Origin", "X-Own"})
    EXPECT_TRUE(cache::goes_into_304(name, true)) << name;
  for (const char* name : {"content-type", "Content-Encoding", "Content-Language", "Content-Length", "Content-Range", "Last-Modified"})
    EXPECT_FALSE(cache::goes_into_304(name, true)) << name;
  EXPECT_TRUE(cache::goes_into_304("Last-Modified", false));
}

}  // namespace
}  // namespace gatelab::test
