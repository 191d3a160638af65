// SPDX-License-Identifier: Apache-2.0
#include "calendar/period.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/units.h"

namespace gatelab::test {
namespace {

using namespace std::chrono_literals;
using calendar::Bounds;
using calendar::Period;
using calendar::Zone;

struct Row {
  const char* zone;
  Period period;
  const char *now, *begin, *end;
};

// Ends by hand, from the offsets that the tz database documents: UTC+1 and +2, -5 and -4, -10 and +14.
constexpr Row kRows[] = {
    {"UTC", Period::Hour, "2026-03-01T12:34:56.789Z", "2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"},
    {"UTC", Period::Day, "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"},
    {"UTC", Period::Day, "2026-03-01T23:59:59.999Z", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"},
    {"UTC", Period::Week, "2026-03-01T12:00:00Z", "2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z"},  // a Sunday
    {"UTC", Period::Week, "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"},  // a Monday
    {"UTC", Period::Week, "2025-12-31T12:00:00Z", "2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z"},  // over the year's end
    {"UTC", Period::Month, "2026-02-28T23:59:59Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"},
    {"UTC", Period::Month, "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
    {"UTC", Period::Month, "2100-02-28T12:00:00Z", "2100-02-01T00:00:00Z", "2100-03-01T00:00:00Z"},  // no leap year
    {"UTC", Period::Month, "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
    // Clocks are put forward: 23 hours.
    {"Europe/Berlin", Period::Day, "2026-03-28T23:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
    {"Europe/Berlin", Period::Day, "2026-03-29T21:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
    {"Europe/Berlin", Period::Hour, "2026-03-29T00:59:59Z", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"},
    {"Europe/Berlin", Period::Hour, "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"},
    // And back: 25, of which two hours have the same name.
    {"Europe/Berlin", Period::Day, "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
    {"Europe/Berlin", Period::Hour, "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"},
    {"Europe/Berlin", Period::Hour, "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"},
    {"Europe/Berlin", Period::Week, "2026-03-29T12:00:00Z", "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"},
    {"Europe/Berlin", Period::Month, "2026-03-01T00:00:00Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"},
    {"Europe/Berlin", Period::Month, "2026-10-31T22:59:59Z", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"},
    {"Europe/Berlin", Period::Month, "2028-02-29T22:59:59Z", "2028-01-31T23:00:00Z", "2028-02-29T23:00:00Z"},
    {"America/New_York", Period::Day, "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"},
    {"America/New_York", Period::Day, "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},
    {"America/New_York", Period::Month, "2026-03-01T04:59:59Z", "2026-02-01T05:00:00Z", "2026-03-01T05:00:00Z"},
    // Clocks that are put forward at midnight: the day begins at one.
    {"America/Sao_Paulo", Period::Day, "2017-10-15T02:59:59Z", "2017-10-14T03:00:00Z", "2017-10-15T03:00:00Z"},
    {"America/Sao_Paulo", Period::Day, "2017-10-15T03:00:00Z", "2017-10-15T03:00:00Z", "2017-10-16T02:00:00Z"},
    // A country that went over the date line: it had no 30 December 2011.
    {"Pacific/Apia", Period::Day, "2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"},
    {"Pacific/Apia", Period::Day, "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"},
    {"Pacific/Apia", Period::Month, "2011-12-31T09:59:59Z", "2011-12-01T10:00:00Z", "2011-12-31T10:00:00Z"},
    // Half an hour of daylight saving: what is left of an hour is one of its own.
    {"Australia/Lord_Howe", Period::Hour, "2026-04-04T14:59:59Z", "2026-04-04T14:00:00Z", "2026-04-04T15:00:00Z"},
    {"Australia/Lord_Howe", Period::Hour, "2026-04-04T15:00:00Z", "2026-04-04T15:00:00Z", "2026-04-04T15:30:00Z"},
    {"Australia/Lord_Howe", Period::Hour, "2026-04-04T15:30:00Z", "2026-04-04T15:30:00Z", "2026-04-04T16:30:00Z"},
    {"Asia/Kolkata", Period::Hour, "2026-01-01T00:00:00Z", "2025-12-31T23:30:00Z", "2026-01-01T00:30:00Z"},
};

TEST(Period, BeginsAndEndsAsItsZonesCalendarSays) {
  for (const Row& row : kRows) {
    const auto zone = calendar::load_zone(row.zone);
    ASSERT_TRUE(zone) << zone.error().message;
    for (const char* text : {row.now, row.begin, row.end}) ASSERT_TRUE(parse_instant(text)) << text;
    const Bounds got = calendar::period_of(row.period, **zone, *parse_instant(row.now));
    EXPECT_EQ(format(got.begin), format(*parse_instant(row.begin))) << row.zone << " " << row.now;
    EXPECT_EQ(format(got.end), format(*parse_instant(row.end))) << row.zone << " " << row.now;
  }
}

TEST(Period, BeforeTheEpochIsNoOtherThanAfterIt) {
  const Bounds got = calendar::period_of(Period::Month, *calendar::utc(), Instant{-1});
  EXPECT_EQ(got.begin, Instant::from_seconds(-31 * 86'400));
  EXPECT_EQ(got.end, Instant{});
}

// Whatever instant one asks of: it lies in its period, and the next one begins where this one ends.
void expect_partition(const Zone& zone, Period period, Instant from, Instant until) {
  for (Instant now = from; now < until;) {
    const Bounds here = calendar::period_of(period, zone, now);
    ASSERT_TRUE(here.contains(now)) << zone.name() << " " << format(now);
    for (const Instant inside : {here.begin, Instant{(here.begin.ns / 2 + here.end.ns / 2)}, here.end + -1ns}) {
      const Bounds same = calendar::period_of(period, zone, inside);
      ASSERT_EQ(same.begin, here.begin) << zone.name() << " " << format(inside);
      ASSERT_EQ(same.end, here.end) << zone.name() << " " << format(inside);
    }
    now = here.end;
  }
}

TEST(Period, FollowsThePeriodBeforeWithoutAGap) {
  const Instant from = *parse_instant("2009-12-20T11:00:00Z"), until = *parse_instant("2031-01-01T00:00:00Z");
  for (const char* name : {"Europe/Berlin", "America/New_York", "Pacific/Apia", "America/St_Johns", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Gaza"})
    for (const Period period : {Period::Day, Period::Week, Period::Month}) expect_partition(**calendar::load_zone(name), period, from, until);
  expect_partition(**calendar::load_zone("Australia/Lord_Howe"), Period::Hour, from, *parse_instant("2011-01-01T00:00:00Z"));
}

// Clocks that go back over midnight show yesterday's last minutes again, and today has begun all the same.
TEST(Period, OfAClockThatGoesBackOverMidnightIsNotBegunTwice) {
  const std::int64_t midnight = 86'400 * 10;
  const Zone zone("Test/Back", 0, {{midnight + 60, -3600}});  // at 00:01 it is 23:01 again
  const Bounds today = calendar::period_of(Period::Day, zone, Instant::from_seconds(midnight + 120));
  EXPECT_EQ(today.begin, Instant::from_seconds(midnight));
  EXPECT_EQ(today.end, Instant::from_seconds(midnight + 86'400 + 3600));
  expect_partition(zone, Period::Day, Instant::from_seconds(midnight - 86'400), Instant::from_seconds(midnight + 4 * 86'400));
}

TEST(Zones, AreFoundByTheirNamesAndByNothingElse) {
  for (const char* good : {"UTC", "Europe/Berlin", "Etc/GMT+5"}) EXPECT_TRUE(calendar::load_zone(good)) << good;
  for (const char* bad : {"", "europe/berlin", "Europe/Berlin ", "Europe", "../../etc/passwd", "Europe/../Europe/Berlin", "/usr/share/zoneinfo/UTC", "CEST"}) {
    const auto zone = calendar::load_zone(bad);
    ASSERT_FALSE(zone) << bad;
    EXPECT_EQ(zone.error().id, "unknown-time-zone") << bad;
  }
  const auto names = calendar::zone_names();
  EXPECT_GT(names.size(), 300U);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
}

}  // namespace
}  // namespace gatelab::test
