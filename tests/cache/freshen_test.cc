// SPDX-License-Identifier: Apache-2.0
#include "cache/freshen.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "cache/validators.h"
#include "support/field_lines.h"

namespace gatelab::test {
namespace {

using std::chrono::seconds;

constexpr Instant kNow = Instant::from_seconds(1'767'225'600);  // Thu, 01 Jan 2026 00:00:00 GMT

// The indices of those that are freshened. Each stored response is a second younger than the one before it.
std::string selected(const std::string& not_modified, const std::vector<std::string>& stored) {
  Arena arena;
  std::vector<http::Fields> fields;
  for (const std::string& one : stored) fields.push_back(field_lines(one, arena));
  std::vector<cache::Candidate> candidates;
  for (const http::Fields& one : fields) candidates.push_back({&one, Instant::from_seconds(static_cast<std::int64_t>(candidates.size())), kNow});
  std::array<bool, 8> chosen{};
  cache::select_for_update(field_lines(not_modified, arena), candidates, std::span(chosen).first(candidates.size()), kNow);
  std::string out;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (chosen[i]) out += std::to_string(i);
  return out;
}

const std::string kModified = "Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT";
const std::string kDate = "Date: Thu, 01 Jan 2026 00:00:00 GMT";

// RFC 9111 §4.3.4, the first rule
TEST(Freshen, AStrongValidatorFreshensAllThatHaveItAndNothingElse) {
  EXPECT_EQ(selected("ETag: \"a\"", {"ETag: \"a\"", "ETag: \"b\"", "ETag: \"a\"", "ETag: W/\"a\"", ""}), "02");
  EXPECT_EQ(selected("ETag: \"c\"", {"ETag: \"a\"", "ETag: \"b\""}), "");
  EXPECT_EQ(selected("ETag: \"a\"", {""}), "");
  EXPECT_EQ(selected("ETag: \"a\"", {kModified}), "");
  EXPECT_EQ(selected(kModified + "\n" + kDate, {kModified + "\n" + kDate, kModified + "\n" + kDate, kDate}), "01");
}

// RFC 9111 §4.3.4, the second rule
TEST(Freshen, AWeakValidatorFreshensTheMostRecentThatMatches) {
  EXPECT_EQ(selected("ETag: W/\"a\"", {"ETag: W/\"a\"", "ETag: \"a\"", "ETag: W/\"b\""}), "1");
  EXPECT_EQ(selected("ETag: W/\"c\"", {"ETag: W/\"a\""}), "");
  EXPECT_EQ(selected(kModified, {kModified, kModified, ""}), "1");
  EXPECT_EQ(selected("ETag: W/\"a\"\n" + kModified, {kModified}), "");
}

// RFC 9111 §4.3.4, the third rule
TEST(Freshen, WithoutValidatorsTheOnlyOneThatHasNoneIsFreshened) {
  EXPECT_EQ(selected("", {""}), "0");
  EXPECT_EQ(selected("", {"", ""}), "");
  EXPECT_EQ(selected("", {"ETag: \"a\""}), "");
  EXPECT_EQ(selected("", {kModified}), "");
  EXPECT_EQ(selected("", {}), "");
}

cache::Freshened freshened(const std::string& stored, const std::string& newer, Arena& arena, const cache::Rules& rules = {}) {
  return cache::freshen(200, field_lines(stored, arena), field_lines(newer, arena), rules, {kNow + seconds(100), kNow + seconds(100)}, arena);
}

std::string lines(const std::string& stored, const std::string& newer, const cache::Rules& rules = {}) {
  Arena arena;
  return lines_of(freshened(stored, newer, arena, rules).fields);
}

// RFC 9111 §3.2
TEST(Freshen, FieldsOfTheNewerResponseReplaceThoseOfTheirName) {
  EXPECT_EQ(lines(kDate + "\nA: 1\nB: 2\na: 3", "Date: Thu, 01 Jan 2026 00:01:40 GMT\nA: 4\nA: 5\nC: 6"), "B: 2\nDate: Thu, 01 Jan 2026 00:01:40 GMT\nA: 4\nA: 5\nC: 6");
  EXPECT_EQ(lines(kDate + "\nContent-Type: text/a", kDate + "\nContent-Type: text/b"), kDate + "\nContent-Type: text/b");
}

// RFC 9111 §3.2, §3.1
TEST(Freshen, WhatBelongsToTheContentOrIsNotKeptIsNotReplaced) {
  const std::string stored = kDate + "\nContent-Encoding: gzip\nA: 1";
  EXPECT_EQ(lines(stored, kDate + "\nContent-Encoding: br\nContent-Length: 0\nContent-Range: bytes 0-1/2\nAge: 5\nSet-Cookie: a\nProxy-Authenticate: x"),
            "Content-Encoding: gzip\nA: 1\n" + kDate);
  EXPECT_EQ(lines(kDate, kDate + "\nContent-Encoding: br"), kDate);
  EXPECT_EQ(lines(kDate + "\nCache-Control: private=\"x\"", kDate + "\nX: 1\nY: 2"), "Cache-Control: private=\"x\"\n" + kDate + "\nY: 2");
  EXPECT_EQ(lines(kDate + "\nX: 1", kDate + "\nCache-Control: no-cache=\"x\""), kDate + "\nCache-Control: no-cache=\"x\"");
}

// RFC 9110 §6.6.1: else what was just validated would be as old as what it was made from.
TEST(Freshen, ANewerResponseWithoutDateGetsTheTimeItCame) {
  Arena arena;
  const cache::Freshened out = freshened(kDate + "\nCache-Control: max-age=60", "A: b", arena);
  EXPECT_EQ(lines_of(out.fields), "Cache-Control: max-age=60\nA: b\nDate: Thu, 01 Jan 2026 00:01:40 GMT");
  EXPECT_EQ(out.facts.initial_age, seconds(0));
}

// RFC 9111 §4.2.3: the age is since the last validation.
TEST(Freshen, LifetimeAndAgeAreThoseOfTheOutcome) {
  Arena arena;
  const std::string stored = kDate + "\nCache-Control: max-age=60\nETag: \"a\"";
  const cache::Freshened same = freshened(stored, "Date: Thu, 01 Jan 2026 00:01:40 GMT\nAge: 7", arena);
  EXPECT_EQ(same.facts.lifetime, seconds(60));
  EXPECT_EQ(same.facts.initial_age, seconds(7));
  EXPECT_EQ(same.facts.response_time, kNow + seconds(100));
  EXPECT_TRUE(same.facts.has_validator);
  const cache::Freshened other = freshened(stored, "Date: Thu, 01 Jan 2026 00:01:40 GMT\nCache-Control: max-age=5, no-cache", arena);
  EXPECT_EQ(other.facts.lifetime, seconds(5));
  EXPECT_TRUE(other.facts.no_cache);
  EXPECT_TRUE(freshened(stored, "Cache-Control: no-store", arena).control.directives.no_store);
}

TEST(Freshen, DoneTwiceWithTheSameAnswerIsAsDoneOnce) {
  const std::string newer = kDate + "\nB: 2\nA: 3\nA: 4";
  const std::string once = lines(kDate + "\nA: 1\nCache-Control: max-age=60", newer);
  EXPECT_EQ(once, "Cache-Control: max-age=60\n" + newer);
  EXPECT_EQ(lines(once, newer), once);
}

// RFC 9111 §4.3.2: the 304 was for the cache's tag; the client's own condition is held against the outcome.
TEST(Freshen, AClientThatNamedAnotherTagGetsTheStoredResponse) {
  Arena arena;
  const cache::Freshened out = freshened(kDate + "\nETag: \"a\"", "ETag: \"a\"", arena);
  EXPECT_EQ(cache::evaluate(field_lines("If-None-Match: \"b\"", arena), out.fields, out.facts), cache::Condition::Send);
  EXPECT_EQ(cache::evaluate(field_lines("If-None-Match: \"b\", \"a\"", arena), out.fields, out.facts), cache::Condition::NotModified);
}

// RFC 9111 §4.3.5
TEST(Freshen, AHeadThatTellsOfAnotherRepresentationMakesTheStoredOneStale) {
  struct Case {
    std::string head, stored;
    cache::HeadEffect effect;
    std::optional<std::uint64_t> length{};
  };
  using enum cache::HeadEffect;
  for (const Case& row : {
           Case{"", "", Freshen},
           Case{"A: b", "ETag: \"a\"", Freshen},
           Case{"ETag: \"a\"", "ETag: \"a\"", Freshen},
           Case{"ETag: \"a\"", "ETag: \"b\"", Expire},
           Case{"ETag: W/\"a\"", "ETag: \"a\"", Expire},
           Case{"ETag: \"a\"", "", Expire},
           Case{"ETag: a", "ETag: a", Expire},
           Case{kModified, kModified, Freshen},
           Case{kModified, "Last-Modified: Wednesday, 31-Dec-25 00:00:00 GMT", Freshen},
           Case{kModified, "Last-Modified: Tue, 30 Dec 2025 00:00:00 GMT", Expire},
           Case{"ETag: \"a\"\n" + kModified, "ETag: \"a\"", Expire},
           Case{"", "", Freshen, 10},
           Case{"", "", Expire, 11},
           Case{"", "", Expire, 0},
           Case{"ETag: \"a\"", "ETag: \"a\"", Freshen, 10},
           Case{"ETag: \"a\"", "ETag: \"a\"", Expire, 11},
       }) {
    Arena arena;
    EXPECT_EQ(cache::head_effect(field_lines(row.head, arena), row.length, field_lines(row.stored, arena), 10, kNow), row.effect) << row.head << " | " << row.stored;
  }
}

}  // namespace
}  // namespace gatelab::test
