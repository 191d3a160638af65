// SPDX-License-Identifier: Apache-2.0
#include "cache/vary.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/field_lines.h"

namespace gatelab::test {
namespace {

std::string names(const std::string& lines) {
  Arena arena;
  const http::Fields fields = field_lines(lines, arena);
  const cache::Vary vary = cache::parse_vary(fields, arena);
  std::string out;
  for (const std::string_view name : vary.names) out.append(out.empty() ? "" : " ").append(name);
  return out + (vary.star ? "*" : "") + (vary.unreadable ? "!" : "");
}

// RFC 9110 §12.5.5: names without case; several lines are one list.
TEST(Vary, NamesInAnyOrderAndCaseAreTheSame) {
  for (const auto& [lines, expected] : std::initializer_list<std::pair<std::string, std::string>>{
           {"", ""},
           {"Vary:", ""},
           {"Vary: Accept-Encoding", "accept-encoding"},
           {"Vary: b, A, a,B , a", "a b"},
           {"Vary: B\nX: y\nVary: a", "a b"},
           {"Vary: *", "*"},
           {"Vary: a, *", "a*"},
           {"Vary: a\nVary: *", "a*"},
           {"Vary: a b", "!"},
           {"Vary: a, \"b\", c", "a c!"},
       })
    EXPECT_EQ(names(lines), expected) << lines;
}

TEST(Vary, MoreNamesThanThereIsRoomForAreUnreadable) {
  std::string lines = "Vary: ";
  for (std::size_t i = 0; i < cache::Vary::kMaxNames; ++i) lines.append(i == 0 ? "" : ",").append("n").append(std::to_string(i));
  EXPECT_EQ(names(lines).find('!'), std::string::npos);
  EXPECT_NE(names(lines + ",more").find('!'), std::string::npos);
}

bool match(const std::string& name, const std::string& a, const std::string& b) {
  Arena arena;
  const http::Fields vary = field_lines("Vary: " + name, arena), first = field_lines(a, arena), second = field_lines(b, arena);
  const auto selecting = cache::parse_vary(vary, arena).names;
  return cache::variant_key(selecting, first, arena) == cache::variant_key(selecting, second, arena);
}

struct Pair {
  const char *name, *a, *b;
};

// RFC 9111 §4.1: blanks where the syntax allows them, lines joined, what the field's specification makes the same.
TEST(Vary, RequestsMatchWhenTheirFieldsMeanTheSame) {
  for (const Pair& row : {
           Pair{"X-A", "", ""},
           Pair{"X-A", "X-A: 1", "x-a:  1 "},
           Pair{"X-A", "X-A: 1\nX-A: 2", "X-A: 1, 2"},
           Pair{"X-A", "X-A: 1\nX-A:", "X-A: 1,"},
           Pair{"Accept-Encoding", "Accept-Encoding: gzip, br", "Accept-Encoding: BR ,, gzip"},
           Pair{"Accept-Encoding", "Accept-Encoding: gzip;q=1.0, br", "Accept-Encoding: br\nAccept-Encoding: gzip"},
           Pair{"Accept-Encoding", "Accept-Encoding: gzip ; q=0.5", "Accept-Encoding: gzip;q=0.5, gzip;Q=0.5"},
           Pair{"Accept-Language", "Accept-Language: de-AT, en ; q = 0.5", "Accept-Language: de-at,en;q=0.5"},
           Pair{"Accept", "Accept: text/html , */* ; q=0.1", "Accept: text/html,*/*;q=0.1"},
           Pair{"Cache-Control", "Cache-Control: a , b", "Cache-Control: a,b"},
           Pair{"X-A", "X-B: 1", "X-B: 2"},
       })
    EXPECT_TRUE(match(row.name, row.a, row.b)) << row.name << ": " << row.a << " | " << row.b;
}

TEST(Vary, RequestsDoNotMatchWhenTheirFieldsMayDiffer) {
  for (const Pair& row : {
           Pair{"X-A", "", "X-A:"},  // §4.1: absent matches only absent
           Pair{"X-A", "", "X-A: 1"},
           Pair{"X-A", "X-A: a", "X-A: A"},
           Pair{"X-A", "X-A: a,b", "X-A: a, b"},  // nobody knows that this is a list
           Pair{"X-A", "X-A: a, b", "X-A: b, a"},
           Pair{"Accept-Encoding", "Accept-Encoding: gzip", "Accept-Encoding: gzip, br"},
           Pair{"Accept-Encoding", "Accept-Encoding: gzip", "Accept-Encoding: gzip;q=0"},
           Pair{"Accept-Encoding", "Accept-Encoding: gzip", "Accept-Encoding: gzip;q=0.1"},
           Pair{"Accept-Encoding", "Accept-Encoding: gzip", "Accept-Encoding: gzip;q=1.1"},
           Pair{"Accept-Encoding", "", "Accept-Encoding:"},
           Pair{"Accept-Encoding", "Accept-Encoding: ;q=1", "Accept-Encoding:"},
           Pair{"Accept-Encoding", "Accept-Encoding: gzip,x;\"br", "Accept-Encoding: x;\"br,gzip"},
           Pair{"Accept-Language", "Accept-Language: de, en", "Accept-Language: en, de"},
           Pair{"Accept", "Accept: text/html;a=B", "Accept: text/html;a=b"},
           Pair{"Accept", "Accept: a;b=\"c d\"", "Accept: a;b=\"cd\""},
           Pair{"Accept", "Accept: a;b=\"c ; d\"", "Accept: a;b=\"c;d\""},
           Pair{"A, B", "A: x\nB: y", "A: y\nB: x"},
           Pair{"A, B", "A: x", "B: x"},
       })
    EXPECT_FALSE(match(row.name, row.a, row.b)) << row.name << ": " << row.a << " | " << row.b;
}

// Values that look like what stands between the parts of a key.
TEST(Vary, NoValueReachesIntoTheNextOne) {
  EXPECT_FALSE(match("A, B", "A: 1\nB: 2", "A: 11:b1:2"));
  EXPECT_FALSE(match("A, B", "A: -\nB: 1", "B: 1"));
  EXPECT_FALSE(match("A, B", "A: x-1:b1:y", "A: x\nB: y"));
}

TEST(Vary, AKeyHoldsTheNamesToo) {
  Arena arena;
  const http::Fields request = field_lines("A: 1\nB: 1", arena);
  const std::string_view a[] = {"a"}, b[] = {"b"};
  EXPECT_NE(cache::variant_key(a, request, arena), cache::variant_key(b, request, arena));
  EXPECT_TRUE(cache::variant_key({}, request, arena).empty());
}

struct Stored {
  const char* vary;
  const char* request;
  std::int64_t date, received;
};

std::size_t choose(const std::vector<Stored>& stored, const char* request) {
  Arena arena;
  std::vector<cache::Variant> variants;
  for (const Stored& one : stored) {
    const auto selecting = cache::parse_vary(field_lines(std::string("Vary: ") + one.vary, arena), arena).names;
    variants.push_back({selecting, cache::variant_key(selecting, field_lines(one.request, arena), arena), Instant::from_seconds(one.date), Instant::from_seconds(one.received)});
  }
  return cache::choose_variant(variants, field_lines(request, arena), arena);
}

// RFC 9111 §4 and §4.1
TEST(Vary, OfSeveralThatMatchTheMostRecentIsChosen) {
  const std::vector<Stored> stored{{"A", "A: 1", 10, 1}, {"A", "A: 2", 20, 2}, {"A", "A: 1", 30, 3}, {"A", "A: 1", 30, 4}, {"A", "A: 1", 5, 5}};
  EXPECT_EQ(choose(stored, "A: 1"), 3U);  // of two of one second the one received last
  EXPECT_EQ(choose(stored, "A: 2"), 1U);
  EXPECT_EQ(choose(stored, "A: 3"), cache::kNoVariant);
  EXPECT_EQ(choose(stored, ""), cache::kNoVariant);
  EXPECT_EQ(choose({}, ""), cache::kNoVariant);
}

// RFC 9111 §4.1: what forgot its Vary does not stand before what has one.
TEST(Vary, OneWithVaryIsChosenBeforeAYoungerOneWithout) {
  const std::vector<Stored> stored{{"", "", 99, 9}, {"A", "A: 1", 10, 1}, {"A, B", "A: 1\nB: 1", 11, 1}};
  EXPECT_EQ(choose(stored, "A: 1"), 1U);
  EXPECT_EQ(choose(stored, "A: 1\nB: 1"), 2U);
  EXPECT_EQ(choose(stored, "A: 2"), 0U);
}

}  // namespace
}  // namespace gatelab::test
