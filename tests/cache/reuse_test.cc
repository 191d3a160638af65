// SPDX-License-Identifier: Apache-2.0
#include "cache/reuse.h"

#include <gtest/gtest.h>

#include <string>

#include "support/field_lines.h"

namespace gatelab::test {
namespace {

using std::chrono::seconds;

constexpr Instant kNow = Instant::from_seconds(1'767'225'600);

std::string decision(const cache::Reuse& reuse) {
  constexpr std::string_view kUses[] = {"hit", "stale-while-revalidate", "revalidate", "miss", "504"};
  return std::string(kUses[static_cast<std::size_t>(reuse.use)]) + " " + std::string(cache::word(reuse.why));
}

struct Row {
  std::string control;   // the stored response's
  std::int64_t age;      // seconds
  std::string asked;     // the request's Cache-Control
  std::string expected;
};

cache::Facts stored(const std::string& control, Arena& arena, const cache::Rules& rules) {
  const http::Fields fields = field_lines("Cache-Control: " + control, arena);
  return cache::facts_of(200, fields, cache::response_control(fields, {}, arena), rules, {kNow, kNow});
}

cache::RequestDirectives asked(const std::string& control, Arena& arena) {
  return cache::request_directives(field_lines(control.empty() ? "" : "Cache-Control: " + control, arena));
}

void all_hold(std::initializer_list<Row> rows, const cache::Rules& rules = {}) {
  for (const Row& row : rows) {
    Arena arena;
    const cache::Facts facts = stored(row.control, arena, rules);
    EXPECT_EQ(decision(cache::reuse(&facts, asked(row.asked, arena), rules, kNow + seconds(row.age))), row.expected)
        << row.control << " after " << row.age << " s | " << row.asked;
  }
}

// RFC 9111 §4, §4.2
TEST(Reuse, FreshIsAHitAndStaleIsValidated) {
  all_hold({
      {"max-age=60", 0, "", "hit fresh"},
      {"max-age=60", 59, "", "hit fresh"},
      {"max-age=60", 60, "", "revalidate stale"},
      {"max-age=60", 61, "", "revalidate stale"},
      {"max-age=0", 0, "", "revalidate stale"},
      {"public", 0, "", "revalidate stale"},
  });
  EXPECT_EQ(decision(cache::reuse(nullptr, {}, {}, kNow)), "miss not-stored");
}

// RFC 9111 §4
TEST(Reuse, OnlyGetAndHeadAreAnsweredFromWhatIsStored) {
  for (const auto method : {http::Method::Get, http::Method::Head}) EXPECT_TRUE(cache::is_answered(method));
  for (const auto method : {http::Method::Post, http::Method::Put, http::Method::Patch, http::Method::Delete, http::Method::Options, http::Method::Trace, http::Method::Connect,
                            http::Method::Other})
    EXPECT_FALSE(cache::is_answered(method));
}

// RFC 9111 §5.2.1.1
TEST(Reuse, MaxAgeOfARequestLimitsTheAge) {
  all_hold({
      {"max-age=60", 10, "max-age=10", "hit fresh"},
      {"max-age=60", 11, "max-age=10", "revalidate request-max-age"},
      {"max-age=60", 1, "max-age=0", "revalidate request-max-age"},
      {"max-age=60", 61, "max-age=100", "revalidate stale"},
      {"max-age=60", 61, "max-age=100, max-stale", "hit max-stale"},
      {"max-age=60", 61, "max-age=10, max-stale", "revalidate request-max-age"},
      {"max-age=60, stale-while-revalidate=60", 61, "max-age=100", "revalidate stale"},  // wants nothing stale
  });
}

// RFC 9111 §5.2.1.2
TEST(Reuse, MaxStaleTakesStaleOnesUpToItsLimit) {
  all_hold({
      {"max-age=60", 70, "max-stale=10", "hit max-stale"},
      {"max-age=60", 71, "max-stale=10", "revalidate stale"},
      {"max-age=60", 1'000'000'000, "max-stale", "hit max-stale"},
      {"max-age=60", 70, "max-stale=x", "revalidate stale"},
      {"max-age=60", 10, "max-stale", "hit fresh"},
  });
}

// RFC 9111 §5.2.1.3
TEST(Reuse, MinFreshWantsWhatWillStayFresh) {
  all_hold({
      {"max-age=60", 40, "min-fresh=20", "hit fresh"},
      {"max-age=60", 41, "min-fresh=20", "revalidate request-min-fresh"},
      {"max-age=60", 0, "min-fresh=61", "revalidate request-min-fresh"},
      {"max-age=60", 61, "min-fresh=1, max-stale", "revalidate request-min-fresh"},
  });
}

// RFC 9111 §5.2.1.4, §5.4, §5.2.1.5
TEST(Reuse, NoCacheOfARequestValidatesAndNoStoreDoesNot) {
  all_hold({
      {"max-age=60", 1, "no-cache", "revalidate request-no-cache"},
      {"max-age=60", 1, "no-cache, max-stale", "revalidate request-no-cache"},
      {"max-age=60", 1, "no-store", "hit fresh"},
  });
}

// RFC 9111 §5.2.1.7
TEST(Reuse, OnlyIfCachedNeverGoesUpstream) {
  all_hold({
      {"max-age=60", 1, "only-if-cached", "hit fresh"},
      {"max-age=60", 61, "only-if-cached", "504 stale"},
      {"max-age=60", 61, "only-if-cached, max-stale", "hit max-stale"},
      {"max-age=60", 1, "only-if-cached, no-cache", "504 request-no-cache"},
      {"max-age=60, stale-while-revalidate=60", 61, "only-if-cached", "stale-while-revalidate stale-while-revalidate"},
  });
  Arena arena;
  EXPECT_EQ(decision(cache::reuse(nullptr, asked("only-if-cached", arena), {}, kNow)), "504 not-stored");
}

// RFC 9111 §5.2.2.2, §5.2.2.8, §5.2.2.10, §4.2.4
TEST(Reuse, StaleOnesAreForbiddenByMustRevalidateProxyRevalidateAndSMaxage) {
  for (const char* control : {"max-age=60, must-revalidate", "max-age=60, proxy-revalidate", "s-maxage=60", "s-maxage=60, max-age=6000"})
    all_hold({
        {control, 59, "", "hit fresh"},
        {control, 60, "", "revalidate must-revalidate"},
        {control, 61, "max-stale", "revalidate must-revalidate"},
        {std::string(control) + ", stale-while-revalidate=100, stale-if-error=100", 61, "", "revalidate must-revalidate"},
    });
  cache::Rules rules;
  rules.stale_beside_s_maxage = true;
  all_hold({{"s-maxage=60, stale-while-revalidate=30", 61, "", "stale-while-revalidate stale-while-revalidate"},
            {"s-maxage=60, stale-while-revalidate=30, proxy-revalidate", 61, "", "revalidate must-revalidate"},
            {"s-maxage=60", 61, "max-stale", "revalidate must-revalidate"}},
           rules);
}

// RFC 9111 §5.2.2.4
TEST(Reuse, NoCacheOfAResponseValidatesAlwaysAndWithNamesNever) {
  all_hold({
      {"max-age=60, no-cache", 1, "", "revalidate no-cache"},
      {"max-age=60, no-cache", 1, "max-stale", "revalidate no-cache"},
      {"max-age=60, no-cache, stale-while-revalidate=60", 61, "", "revalidate no-cache"},
      {"max-age=60, no-cache=\"set-cookie\"", 1, "", "hit fresh"},
  });
}

// RFC 8246 §2
TEST(Reuse, ImmutableNeedsNoValidationOnReloadWhileItIsFresh) {
  all_hold({
      {"max-age=60, immutable", 10, "max-age=0", "hit fresh"},
      {"max-age=60, immutable", 10, "no-cache", "revalidate request-no-cache"},
      {"max-age=60, immutable", 61, "max-age=0", "revalidate request-max-age"},
      {"max-age=60, immutable", 61, "", "revalidate stale"},
  });
}

// RFC 5861 §3
TEST(Reuse, StaleWhileRevalidateServesForItsWindow) {
  const std::string control = "max-age=600, stale-while-revalidate=30";
  all_hold({
      {control, 599, "", "hit fresh"},
      {control, 600, "", "stale-while-revalidate stale-while-revalidate"},
      {control, 630, "", "stale-while-revalidate stale-while-revalidate"},
      {control, 631, "", "revalidate stale"},
      {control, 610, "no-cache", "revalidate request-no-cache"},
      {"max-age=600, stale-while-revalidate=x", 600, "", "revalidate stale"},
  });
  cache::Rules rules;
  rules.stale_while_revalidate = seconds(5);
  all_hold({{"max-age=600", 605, "", "stale-while-revalidate stale-while-revalidate"},
            {"max-age=600", 606, "", "revalidate stale"},
            {"max-age=600, stale-while-revalidate=0", 605, "", "revalidate stale"},
            {"max-age=600, must-revalidate", 605, "", "revalidate must-revalidate"}},
           rules);
}

// RFC 9111 §4.4
TEST(Reuse, AnInvalidatedResponseIsValidatedWhateverElseIsSaid) {
  Arena arena;
  cache::Facts facts = stored("max-age=60, stale-while-revalidate=60, stale-if-error=60", arena, {});
  facts.invalid = true;
  for (const char* control : {"", "max-stale"}) EXPECT_EQ(decision(cache::reuse(&facts, asked(control, arena), {}, kNow)), "revalidate invalidated") << control;
  EXPECT_FALSE(cache::may_serve_on_error(facts, {}, {}, kNow));
}

TEST(Reuse, RulesCanMakeClientsWordsMeanNothing) {
  cache::Rules deaf;
  deaf.obey_clients = false;
  all_hold({{"max-age=60", 1, "no-cache", "hit fresh"}, {"max-age=60", 1, "max-age=0", "hit fresh"}, {"max-age=60", 61, "max-stale", "revalidate stale"},
            {"max-age=60", 61, "only-if-cached", "revalidate stale"}},
           deaf);
}

// RFC 9111 §5.1, RFC 9211 §2.4
TEST(Reuse, TellsAgeAndTimeToLive) {
  Arena arena;
  const cache::Facts facts = stored("max-age=60", arena, {});
  const cache::Reuse fresh = cache::reuse(&facts, {}, {}, kNow + seconds(10)), stale = cache::reuse(&facts, {}, {}, kNow + seconds(70));
  EXPECT_EQ(fresh.age, seconds(10));
  EXPECT_EQ(fresh.ttl, seconds(50));
  EXPECT_EQ(stale.ttl, seconds(-10));
}

// RFC 5861 §4
TEST(StaleIfError, ServesForItsWindowUnlessStaleOnesAreForbidden) {
  struct Case {
    std::string control;
    std::int64_t age;
    std::string asked;
    bool expected;
  };
  for (const Case& row : {
           Case{"max-age=600, stale-if-error=1200", 900, "", true},
           Case{"max-age=600, stale-if-error=1200", 1800, "", true},
           Case{"max-age=600, stale-if-error=1200", 1801, "", false},
           Case{"max-age=600, stale-if-error=1200", 10, "", true},  // it is fresh
           Case{"max-age=600, stale-if-error=1200", 10, "max-age=0", true},
           Case{"max-age=600", 601, "", false},
           Case{"max-age=600", 601, "stale-if-error=60", true},
           Case{"max-age=600", 661, "stale-if-error=60", false},
           Case{"max-age=600, stale-if-error=10", 661, "stale-if-error=61", true},
           Case{"max-age=600, stale-if-error=1200", 900, "no-cache", false},
           Case{"max-age=600, stale-if-error=1200, must-revalidate", 900, "", false},  // RFC 9111 §5.2.2.2
           Case{"max-age=600, stale-if-error=1200, proxy-revalidate", 900, "", false},
           Case{"s-maxage=600, stale-if-error=1200", 900, "", false},
           Case{"max-age=600, stale-if-error=1200, no-cache", 10, "", false},
           Case{"max-age=600, must-revalidate", 900, "stale-if-error=1200", false},
           Case{"max-age=600, stale-if-error=x", 600, "", false},
       }) {
    Arena arena;
    EXPECT_EQ(cache::may_serve_on_error(stored(row.control, arena, {}), asked(row.asked, arena), {}, kNow + seconds(row.age)), row.expected)
        << row.control << " after " << row.age << " s | " << row.asked;
  }
  cache::Rules rules;
  rules.stale_if_error = seconds(60);
  Arena arena;
  EXPECT_TRUE(cache::may_serve_on_error(stored("max-age=600", arena, rules), {}, rules, kNow + seconds(660)));
  EXPECT_FALSE(cache::may_serve_on_error(stored("max-age=600, stale-if-error=0", arena, rules), {}, rules, kNow + seconds(601)));
}

// RFC 5861 §4: "a 500, 502, 503 or 504".
TEST(StaleIfError, IsForTheErrorsThatTheRfcNames) {
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{500, 502, 503, 504}) EXPECT_TRUE(cache::is_stale_if_error(status));
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{200, 304, 404, 429, 501, 505, 599}) EXPECT_FALSE(cache::is_stale_if_error(status));
}

}  // namespace
}  // namespace gatelab::test
