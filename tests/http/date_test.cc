// SPDX-License-Identifier: Apache-2.0
#include "http/date.h"

#include <gtest/gtest.h>

#include <string>

namespace gatelab::test {
namespace {

constexpr Instant kNow = Instant::from_seconds(1'767'225'600);  // 2026-01-01

// RFC 9110 §5.6.7: all three forms; RFC 9111 §4.2: case does not matter.
TEST(Date, ReadsTheThreeFormsInAnyCase) {
  struct Row {
    const char* text;
    std::int64_t seconds;
  };
  for (const Row& row : {
           Row{"Sun, 06 Nov 1994 08:49:37 GMT", 784'111'777},
           Row{"Sunday, 06-Nov-94 08:49:37 GMT", 784'111'777},
           Row{"Sun Nov  6 08:49:37 1994", 784'111'777},
           Row{"Wed Nov 16 08:49:37 1994", 784'975'777},
           Row{"sUN, 06 nOV 1994 08:49:37 gmt", 784'111'777},
           Row{"SUNDAY, 06-NOV-94 08:49:37 GMT", 784'111'777},
           Row{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
           Row{"Thu, 29 Feb 2024 23:59:59 GMT", 1'709'251'199},
           Row{"Tue, 29 Feb 2000 00:00:00 GMT", 951'782'400},
           Row{"Mon, 31 Dec 2012 23:59:60 GMT", 1'356'998'400},  // a leap second is the next one
           Row{"Mon, 06 Nov 1994 08:49:37 GMT", 784'111'777},    // it was a Sunday
       })
    EXPECT_EQ(http::parse_date(row.text, kNow), Instant::from_seconds(row.seconds)) << row.text;
}

// RFC 9110 §5.6.7: two digits are never more than fifty years ahead.
TEST(Date, TwoDigitsOfAYearAreAtMostFiftyYearsAhead) {
  EXPECT_EQ(http::parse_date("Sunday, 06-Nov-76 08:49:37 GMT", kNow), http::parse_date("Fri, 06 Nov 2076 08:49:37 GMT", kNow));
  EXPECT_EQ(http::parse_date("Sunday, 06-Nov-77 08:49:37 GMT", kNow), http::parse_date("Sun, 06 Nov 1977 08:49:37 GMT", kNow));
  EXPECT_EQ(http::parse_date("Sunday, 06-Nov-00 08:49:37 GMT", kNow), http::parse_date("Mon, 06 Nov 2000 08:49:37 GMT", kNow));
}

TEST(Date, WhatNoInstantCanHoldIsItsNearerEnd) {
  EXPECT_EQ(http::parse_date("Fri, 31 Dec 9999 23:59:59 GMT", kNow), Instant::max());
  EXPECT_EQ(http::parse_date("Wed, 31 Dec 1969 23:59:59 GMT", kNow), Instant{});
  EXPECT_EQ(http::parse_date("Mon, 01 Jan 0001 00:00:00 GMT", kNow), Instant{});
}

TEST(Date, EverythingElseIsNone) {
  for (const char* text : {"", "0", "-1", "Sun", "Sun,", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 EST",
                           "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
                           "Sun, 31 Apr 1994 08:49:37 GMT", "Sun, 29 Feb 1900 08:49:37 GMT", "Sun, 29 Feb 2023 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:00:61 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
                           "Xyz, 06 Nov 1994 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
                           "Sun Nov  6 08:49:37 1994 GMT", "Sun Nov 06  08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z",
                           "Sun, +6 Nov 1994 08:49:37 GMT"})
    EXPECT_EQ(http::parse_date(text, kNow), std::nullopt) << text;
}

TEST(Date, WhatIsWrittenIsReadAsTheSame) {
  for (std::int64_t seconds = 0; seconds < 7'000'000'000; seconds += 12'345'678) {
    char text[http::kDateOctets];
    http::write_date(Instant::from_seconds(seconds), text);
    EXPECT_EQ(http::parse_date({text, sizeof text}, kNow), Instant::from_seconds(seconds)) << std::string(text, sizeof text);
  }
}

}  // namespace
}  // namespace gatelab::test
