// SPDX-License-Identifier: Apache-2.0
#include "cache/range.h"

#include <gtest/gtest.h>

#include <string>

#include "support/field_lines.h"

namespace gatelab::test {
namespace {

std::string text_of(const cache::RangeDecision& decision) {
  switch (decision.answer) {
    case cache::RangeAnswer::Whole: return "200";
    case cache::RangeAnswer::Unsatisfiable: return "416";
    case cache::RangeAnswer::Partial: break;
  }
  return std::to_string(decision.range.first) + "-" + std::to_string(decision.range.last);
}

struct Row {
  std::string range;
  std::uint64_t length;
  std::string expected;
};

void all_hold(std::initializer_list<Row> rows) {
  for (const Row& row : rows) EXPECT_EQ(text_of(cache::decide_range(row.range, row.length)), row.expected) << row.range << " of " << row.length;
}

// RFC 9110 §14.1.2
TEST(Range, OneRangeIsAPart) {
  all_hold({
      {"bytes=0-0", 10, "0-0"},
      {"bytes=0-9", 10, "0-9"},
      {"bytes=2-5", 10, "2-5"},
      {"bytes=5-", 10, "5-9"},
      {"bytes=0-", 10, "0-9"},
      {"bytes=5-100", 10, "5-9"},
      {"bytes=5-99999999999999999999999", 10, "5-9"},
      {"bytes=-3", 10, "7-9"},
      {"bytes=-10", 10, "0-9"},
      {"bytes=-100", 10, "0-9"},
      {"bytes=-99999999999999999999999", 10, "0-9"},
      {"Bytes=1-2", 10, "1-2"},
      {"bytes= 1-2 ", 10, "1-2"},
      {"bytes=,1-2,,", 10, "1-2"},
      {"bytes=00-02", 10, "0-2"},
      {"bytes=0-18446744073709551615", 18'446'744'073'709'551'615U, "0-18446744073709551614"},
  });
}

// RFC 9110 §14.1.2, §15.5.17
TEST(Range, WhatBeginsBehindTheEndIsUnsatisfiable) {
  all_hold({
      {"bytes=10-", 10, "416"},
      {"bytes=10-20", 10, "416"},
      {"bytes=99999999999999999999999-", 10, "416"},
      {"bytes=-0", 10, "416"},
      {"bytes=10-,20-30", 10, "416"},
      {"bytes=0-", 0, "416"},
      {"bytes=-0", 0, "416"},
      {"bytes=-5", 0, "200"},  // satisfiable by nothing, which no Content-Range can say
      {"bytes=20-30,1-2", 10, "1-2"},
      {"bytes=-0,1-2", 10, "1-2"},
  });
}

// RFC 9110 §14.2: a range that is not valid, or of another unit, may be ignored.
TEST(Range, WhatCanNotBeReadIsIgnored) {
  for (const char* range : {"", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=a-b", "bytes=1", "bytes=5-2", "bytes=1-2-3", "bytes=1-2,x", "bytes=1 - 2", "bytes=+1-2",
                            "bytes=--1", "bytes=0x1-2", "bytes=1-2;q=1", "bytes:1-2", "items=0-1", "bytes =1-2", "seconds=1-2", "bytes=\"1-2\""})
    EXPECT_EQ(text_of(cache::decide_range(range, 10)), "200") << range;
}

// RFC 9110 §14.2, §15.3.7.2: coalesced into one, or the whole.
TEST(Range, SeveralRangesAreOnePartOrTheWhole) {
  all_hold({
      {"bytes=0-2,2-5", 10, "0-5"},
      {"bytes=0-2,3-5", 10, "0-5"},
      {"bytes=3-5, 0-2", 10, "0-5"},
      {"bytes=0-9,2-3", 10, "0-9"},
      {"bytes=0-,0-,0-", 10, "0-9"},
      {"bytes=-5,4-4", 10, "4-9"},
      {"bytes=0-1,3-4", 10, "200"},
      {"bytes=0-0,-1", 10, "200"},
      {"bytes=0-1,4-5,2-3", 10, "0-5"},
      {"bytes=0-18446744073709551614,5-6", 18'446'744'073'709'551'615U, "0-18446744073709551614"},
  });
}

TEST(Range, MoreRangesThanAreCountedAreTheWhole) {
  std::string range = "bytes=";
  for (std::size_t i = 0; i < cache::kMaxRanges; ++i) range += "0-1,";
  EXPECT_EQ(text_of(cache::decide_range(range, 10)), "0-1");
  EXPECT_EQ(text_of(cache::decide_range(range + "0-1", 10)), "200");
}

// RFC 9110 §14.2, §13.1.5
TEST(Range, IsForAGetOfAStored200WhoseIfRangeHolds) {
  const auto of = [](const std::string& lines, http::Method method = http::Method::Get, std::uint16_t status = 200) {
    Arena arena;
    http::RequestHead head(arena);
    head.method = method;
    for (const http::Field& field : field_lines(lines, arena)) head.fields.add(field.name, field.value);
    return text_of(cache::decide_range(head, field_lines("ETag: \"a\"", arena), {.status = status}, 10));
  };
  EXPECT_EQ(of(""), "200");
  EXPECT_EQ(of("range: bytes=0-1"), "0-1");
  EXPECT_EQ(of("Range: bytes=0-1", http::Method::Head), "200");
  EXPECT_EQ(of("Range: bytes=0-1", http::Method::Get, 404), "200");
  EXPECT_EQ(of("Range: bytes=0-1\nRange: bytes=2-3"), "200");
  EXPECT_EQ(of("Range: bytes=0-1\nIf-Range: \"a\""), "0-1");
  EXPECT_EQ(of("Range: bytes=0-1\nIf-Range: \"b\""), "200");
  EXPECT_EQ(of("Range: bytes=50-\nIf-Range: \"b\""), "200");
  EXPECT_EQ(of("Range: bytes=50-\nIf-Range: \"a\""), "416");
}

// RFC 9110 §14.4
TEST(Range, ContentRangeSaysWhatItIs) {
  Arena arena;
  EXPECT_EQ(cache::content_range({42, 1233}, 1234, arena), "bytes 42-1233/1234");
  EXPECT_EQ(cache::unsatisfied_range(1234, arena), "bytes */1234");
  EXPECT_EQ((cache::ByteRange{42, 1233}.size()), 1192U);
}

}  // namespace
}  // namespace gatelab::test
