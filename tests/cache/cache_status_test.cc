// SPDX-License-Identifier: Apache-2.0
#include "cache/cache_status.h"

#include <gtest/gtest.h>

#include <string>

#include "http/structured.h"
#include "support/field_lines.h"

namespace gatelab::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string text_of(const cache::CacheStatus& status) {
  Arena arena;
  return std::string(cache::cache_status(status, arena));
}

// RFC 9211 §2 and its examples in §3
TEST(CacheStatus, SaysHowTheRequestWasHandled) {
  using enum cache::Forward;
  EXPECT_EQ(text_of({}), "gatelab;hit");
  EXPECT_EQ(text_of({.ttl = seconds(376)}), "gatelab;hit;ttl=376");
  EXPECT_EQ(text_of({.ttl = seconds(-412)}), "gatelab;hit;ttl=-412");
  EXPECT_EQ(text_of({.ttl = milliseconds(-100)}), "gatelab;hit;ttl=-1");
  EXPECT_EQ(text_of({.forward = UriMiss}), "gatelab;fwd=uri-miss");
  EXPECT_EQ(text_of({.forward = Stale, .status = 304}), "gatelab;fwd=stale;fwd-status=304");
  EXPECT_EQ(text_of({.forward = UriMiss, .collapsed = true}), "gatelab;fwd=uri-miss;collapsed");
  EXPECT_EQ(text_of({.forward = UriMiss, .collapsed = false}), "gatelab;fwd=uri-miss;collapsed=?0");
  EXPECT_EQ(text_of({.forward = VaryMiss, .status = 200, .ttl = seconds(60), .stored = true, .detail = "stale-while-revalidate"}),
            "gatelab;fwd=vary-miss;fwd-status=200;ttl=60;stored;detail=stale-while-revalidate");
  EXPECT_EQ(text_of({.forward = Bypass}), "gatelab;fwd=bypass");
  EXPECT_EQ(text_of({.forward = Method}), "gatelab;fwd=method");
  EXPECT_EQ(text_of({.forward = Miss}), "gatelab;fwd=miss");
  EXPECT_EQ(text_of({.forward = Request}), "gatelab;fwd=request");
  EXPECT_EQ(text_of({.forward = Partial}), "gatelab;fwd=partial");
}

// RFC 9211 §2.1 to §2.6
TEST(CacheStatus, SaysOfAHitNothingThatIsOfAForward) {
  EXPECT_EQ(text_of({.status = 200, .stored = true, .collapsed = true}), "gatelab;hit");
}

// RFC 9211 §2: a String or a Token
TEST(CacheStatus, NamesAndWordsThatAreNoTokensAreStrings) {
  EXPECT_EQ(text_of({.cache = "edge 1"}), "\"edge 1\";hit");
  EXPECT_EQ(text_of({.cache = "1st"}), "\"1st\";hit");
  EXPECT_EQ(text_of({.cache = "a.example"}), "a.example;hit");
  EXPECT_EQ(text_of({.detail = "two words"}), "gatelab;hit;detail=\"two words\"");
}

// RFC 9211 §2.7
TEST(CacheStatus, AKeyIsAStringOfVisibleOctets) {
  EXPECT_EQ(text_of({.key = "s4:http/a\"b\\"}), "gatelab;hit;key=\"s4:http/a\\\"b\\\\\"");
  EXPECT_EQ(text_of({.key = "\xc3\xa9\t"}), "gatelab;hit;key=\"%C3%A9%09\"");
  EXPECT_EQ(text_of({.key = std::string(cache::kMaxKey + 1, 'k')}), "gatelab;hit");
}

TEST(CacheStatus, IsReadAsAStructuredField) {
  Arena arena;
  const std::string text = "Other;hit, " + text_of({.cache = "edge 1", .forward = cache::Forward::Stale, .status = 200, .ttl = seconds(-5), .stored = true, .collapsed = false, .key = "k;\"", .detail = "x"});
  const auto list = http::structured::parse_list(text, arena);
  ASSERT_TRUE(list && list->members.size() == 2);
  const auto parameters = list->members[1].item.parameters;
  EXPECT_EQ(http::structured::find(parameters, "ttl")->number, -5);
  EXPECT_EQ(http::structured::find(parameters, "key")->text, "k;\"");
}

// RFC 9211 §2: the last member is the cache closest to the user, and what is there stays.
TEST(CacheStatus, IsAddedBehindThoseOfOtherCaches) {
  Arena arena;
  http::Fields fields = field_lines("Cache-Status: Origin;hit\nA: b", arena);
  cache::add_cache_status(fields, {});
  EXPECT_EQ(lines_of(fields), "Cache-Status: Origin;hit\nA: b\nCache-Status: gatelab;hit");
}

// RFC 9211 §2.2
TEST(CacheStatus, VerdictsHaveTheirReasonForGoingForward) {
  using enum cache::Why;
  EXPECT_EQ(cache::forward_of(NotStored), cache::Forward::UriMiss);
  for (const auto why : {RequestNoCache, RequestMaxAge, RequestMinFresh}) EXPECT_EQ(cache::forward_of(why), cache::Forward::Request);
  for (const auto why : {Stale, MustRevalidate, Invalidated, NoCache}) EXPECT_EQ(cache::forward_of(why), cache::Forward::Stale);
}

// RFC 9111 §4, §5.1
TEST(Age, IsWrittenInWholeSecondsInPlaceOfAnyOther) {
  Arena arena;
  http::Fields fields = field_lines("Age: 1\nA: b\nAge: 2", arena);
  cache::set_age(fields, milliseconds(61'999));
  EXPECT_EQ(lines_of(fields), "A: b\nAge: 61");
  cache::set_age(fields, cache::kForever);
  EXPECT_EQ(lines_of(fields), "A: b\nAge: 2147483648");
  cache::set_age(fields, Duration{});
  EXPECT_EQ(lines_of(fields), "A: b\nAge: 0");
}

}  // namespace
}  // namespace gatelab::test
