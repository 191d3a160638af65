// SPDX-License-Identifier: Apache-2.0
#include "cache/freshness.h"

#include <gtest/gtest.h>

#include <string>

#include "cache/facts.h"
#include "support/field_lines.h"

namespace gatelab::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant kNow = Instant::from_seconds(1'767'225'600);  // Thu, 01 Jan 2026 00:00:00 GMT
const std::string kDate = "Date: Thu, 01 Jan 2026 00:00:00 GMT\n";

std::string lifetime(const std::string& lines, const cache::Rules& rules = {}, std::uint16_t status = 200) {
  Arena arena;
  const http::Fields fields = field_lines(lines, arena);
  const cache::Lifetime out = cache::freshness_lifetime(status, fields, cache::response_control(fields, rules.targets, arena), rules, kNow);
  return std::string(cache::word(out.source)) + " " + std::to_string(cache::floor_seconds(out.value));
}

struct Row {
  std::string lines, expected;
};

// RFC 9111 §4.2.1, §5.2.2.10, §5.3; RFC 9213 §2.2
TEST(Freshness, TheFirstRuleThatAppliesGivesTheLifetime) {
  for (const Row& row : {
           Row{"Cache-Control: s-maxage=30, max-age=60\nExpires: Thu, 01 Jan 2026 01:00:00 GMT", "s-maxage 30"},
           Row{"Cache-Control: max-age=60\nExpires: Thu, 01 Jan 2026 01:00:00 GMT", "max-age 60"},
           Row{"Cache-Control: public\nExpires: Thu, 01 Jan 2026 01:00:00 GMT", "expires 3600"},
           Row{"Expires: Thu, 01 Jan 2026 01:00:00 GMT\nCDN-Cache-Control: max-age=5\nCache-Control: s-maxage=7", "max-age 5"},
           Row{"Expires: Thu, 01 Jan 2026 01:00:00 GMT\nCDN-Cache-Control: none", "none 0"},
           Row{"Cache-Control: max-age=0\nLast-Modified: Wed, 31 Dec 2025 00:00:00 GMT", "max-age 0"},
           Row{"Cache-Control: max-age=x\nExpires: Thu, 01 Jan 2026 01:00:00 GMT", "max-age 0"},
           Row{"", "none 0"},
       })
    EXPECT_EQ(lifetime(row.lines), row.expected) << row.lines;
}

// RFC 9111 §5.3, §4.2, §4.2.1
TEST(Freshness, ExpiresIsHeldAgainstDateAndWhatCanNotBeReadIsLongOver) {
  for (const Row& row : {
           Row{kDate + "Expires: Thu, 01 Jan 2026 00:00:10 GMT", "expires 10"},
           Row{"Date: Thu, 01 Jan 2026 00:00:05 GMT\nExpires: Thu, 01 Jan 2026 00:00:10 GMT", "expires 5"},
           Row{"Expires: Thu, 01 Jan 2026 00:00:10 GMT", "expires 10"},                      // no Date: since it came
           Row{"Date: yesterday\nExpires: Thu, 01 Jan 2026 00:00:10 GMT", "expires 10"},
           Row{"Expires: Thursday, 01-Jan-26 00:00:10 GMT", "expires 10"},
           Row{"Expires: Thu Jan  1 00:00:10 2026", "expires 10"},
           Row{"Expires: thu, 01 jan 2026 00:00:10 gmt", "expires 10"},
           Row{"Expires: Wed, 31 Dec 2025 00:00:00 GMT", "expires 0"},
           Row{"Expires: 0", "expires 0"},
           Row{"Expires: -1", "expires 0"},
           Row{"Expires:", "expires 0"},
           Row{"Expires: Thu, 01 Jan 2026 00:00:10 PST", "expires 0"},
           Row{"Expires: Thu, 01 Jan 2026 00:00:10 GMT\nExpires: Thu, 01 Jan 2026 00:00:10 GMT", "expires 10"},
           Row{"Expires: Thu, 01 Jan 2026 00:00:10 GMT\nExpires: Thu, 01 Jan 2026 00:00:11 GMT", "expires 0"},
           Row{"Expires: 0\nLast-Modified: Wed, 31 Dec 2025 00:00:00 GMT", "expires 0"},     // §4.2.2: no heuristics beside it
           Row{"Expires: Fri, 31 Dec 9999 23:59:59 GMT", "expires 31536000"},                // Rules::max_ttl
       })
    EXPECT_EQ(lifetime(row.lines), row.expected) << row.lines;
}

// RFC 9111 §4.2.2
TEST(Freshness, HeuristicsAreATenthOfTheTimeSinceTheLastChange) {
  const std::string hour = kDate + "Last-Modified: Wed, 31 Dec 2025 23:00:00 GMT";
  EXPECT_EQ(lifetime(hour), "heuristic 360");
  EXPECT_EQ(lifetime("Last-Modified: Wed, 31 Dec 2025 23:00:00 GMT"), "heuristic 360");
  EXPECT_EQ(lifetime(kDate + "Last-Modified: Sun, 01 Jan 2006 00:00:00 GMT"), "heuristic 86400");  // the cap
  EXPECT_EQ(lifetime(kDate + "Last-Modified: Fri, 02 Jan 2026 00:00:00 GMT"), "heuristic 0");
  EXPECT_EQ(lifetime(kDate + "Last-Modified: soon"), "none 0");
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{200, 404, 501}) EXPECT_EQ(lifetime(hour, {}, status), "heuristic 360") << status;
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{302, 500, 299}) EXPECT_EQ(lifetime(hour, {}, status), "none 0") << status;
  EXPECT_EQ(lifetime(hour + "\nCache-Control: public", {}, 302), "heuristic 360");  // §5.2.2.9
  cache::Rules rules;
  rules.heuristic_share = Share{500'000};
  EXPECT_EQ(lifetime(hour, rules), "heuristic 1800");
  rules.heuristics = false;
  EXPECT_EQ(lifetime(hour, rules), "none 0");
}

TEST(Freshness, LocalConfigurationSpeaksWhereTheResponseIsSilent) {
  cache::Rules rules;
  rules.default_ttl = seconds(30);
  rules.status_ttl = {{404, seconds(5)}, {503, seconds(2)}};
  const std::string modified = kDate + "Last-Modified: Wed, 31 Dec 2025 23:00:00 GMT";
  EXPECT_EQ(lifetime(modified, rules), "default-ttl 30");
  EXPECT_EQ(lifetime("", rules, 404), "status-ttl 5");
  EXPECT_EQ(lifetime("", rules, 503), "status-ttl 2");
  EXPECT_EQ(lifetime("", rules, 502), "none 0");
  EXPECT_EQ(lifetime("Cache-Control: max-age=7", rules, 404), "max-age 7");
  EXPECT_EQ(lifetime("Expires: 0", rules), "expires 0");
  rules.max_ttl = seconds(20);
  EXPECT_EQ(lifetime("", rules), "default-ttl 20");
  EXPECT_EQ(lifetime("Cache-Control: max-age=99999999999", rules), "max-age 20");
}

// RFC 9111 §5.1
TEST(Age, TheFirstMemberCountsIfItIsANumber) {
  for (const auto& [lines, expected] : std::initializer_list<std::pair<std::string, Duration>>{
           {"", {}},
           {"Age: 5", seconds(5)},
           {"Age: 5, 7", seconds(5)},
           {"Age: 5\nAge: 7", seconds(5)},
           {"Age: x, 7", {}},
           {"Age: -5", {}},
           {"Age: 5.5", {}},
           {"Age: \"5\"", {}},
           {"Age:", {}},
           {"Age: 99999999999999999999", cache::kForever},
       }) {
    Arena arena;
    EXPECT_EQ(cache::age_value(field_lines(lines, arena)), expected) << lines;
  }
}

// RFC 9111 §4.2.3
TEST(Age, IsTheLargerOfWhatTheDateAndWhatTheFieldSay) {
  struct Sum {
    std::string lines;
    Duration since_date, delay, expected;
  };
  for (const Sum& row : {
           Sum{kDate, seconds(0), seconds(0), seconds(0)},
           Sum{kDate, seconds(10), seconds(0), seconds(10)},                  // apparent_age
           Sum{kDate, seconds(-10), seconds(0), seconds(0)},                  // a date that is ahead is no age
           Sum{kDate + "Age: 7", seconds(10), seconds(0), seconds(10)},
           Sum{kDate + "Age: 17", seconds(10), seconds(0), seconds(17)},
           Sum{kDate + "Age: 7", seconds(10), seconds(5), seconds(12)},       // relative to when the request was sent
           Sum{kDate, seconds(0), milliseconds(300), milliseconds(300)},
           Sum{"Age: 7", seconds(10), seconds(1), seconds(8)},                // no Date: the time it came
           Sum{kDate + "Age: 2147483648", seconds(10), seconds(5), cache::kForever},
       }) {
    Arena arena;
    const Instant response_time = kNow + row.since_date;
    const cache::Times times{response_time + -row.delay, response_time};
    EXPECT_EQ(cache::corrected_initial_age(field_lines(row.lines, arena), times), row.expected) << row.lines;
  }
}

// RFC 9111 §4.2.3, §4.2: fresh while the lifetime is more than the age.
TEST(Age, GrowsWhileAResponseResides) {
  Arena arena;
  const http::Fields fields = field_lines(kDate + "Age: 10\nCache-Control: max-age=60", arena);
  const cache::Facts facts = cache::facts_of(200, fields, cache::response_control(fields, {}, arena), {}, {kNow, kNow + seconds(2)});
  EXPECT_EQ(facts.initial_age, seconds(12));
  EXPECT_EQ(cache::current_age(facts, kNow + seconds(2)), seconds(12));
  EXPECT_EQ(cache::current_age(facts, kNow + seconds(32)), seconds(42));
  EXPECT_TRUE(cache::is_fresh(facts, kNow + seconds(49)));
  EXPECT_FALSE(cache::is_fresh(facts, kNow + seconds(50)));
  EXPECT_EQ(cache::time_to_live(facts, kNow + seconds(55)), seconds(-5));
  EXPECT_EQ(cache::current_age(facts, kNow), seconds(12));  // a clock that went back makes nothing younger
  EXPECT_EQ(cache::current_age(facts, Instant::max()), cache::kForever);
}

TEST(Age, AnExpiredResponseIsStaleFromThatMomentOn) {
  cache::Facts facts{.response_time = kNow, .lifetime = seconds(60)};
  cache::expire(facts, kNow + seconds(20));
  EXPECT_EQ(cache::time_to_live(facts, kNow + seconds(20)), seconds(0));
  EXPECT_EQ(cache::time_to_live(facts, kNow + seconds(25)), seconds(-5));
  cache::expire(facts, kNow + seconds(30));  // no second life
  EXPECT_EQ(cache::time_to_live(facts, kNow + seconds(25)), seconds(-5));
}

TEST(Seconds, AreRoundedDownOnBothSidesOfZero) {
  EXPECT_EQ(cache::floor_seconds(milliseconds(1999)), 1);
  EXPECT_EQ(cache::floor_seconds(milliseconds(0)), 0);
  EXPECT_EQ(cache::floor_seconds(milliseconds(-1)), -1);
  EXPECT_EQ(cache::floor_seconds(milliseconds(-1000)), -1);
}

}  // namespace
}  // namespace gatelab::test
