// SPDX-License-Identifier: Apache-2.0
// Durations, sizes, rates, shares and instants: exact to the last digit or refused, and what is printed is read again.
#include "base/units.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

#include "base/random.h"

namespace gatelab {
namespace {

using namespace std::chrono_literals;

TEST(Durations, AreExactToTheNanosecond) {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"0s", 0}, {"1ns", 1}, {"1us", 1'000}, {"1ms", 1'000'000}, {"1s", 1'000'000'000}, {"1m", 60'000'000'000},
      {"1h", 3'600'000'000'000}, {"1d", 86'400'000'000'000}, {"1.5s", 1'500'000'000}, {"1m30s", 90'000'000'000},
      {"0.000000001s", 1}, {"0.1s", 100'000'000}, {"0.3s", 300'000'000}, {"1h0.5s", 3'600'500'000'000},
      {"9223372036854775807ns", INT64_MAX}, {"106751d23h47m16.854775807s", INT64_MAX}, {"007s", 7'000'000'000},
  };
  for (const auto& [text, ns] : cases) {
    const auto got = parse_duration(text);
    ASSERT_TRUE(got) << text << ": " << got.error().message;
    EXPECT_EQ(got->count(), ns) << text;
  }
}

TEST(Durations, AreRefusedWhenTheyAreNotExactOrHaveNoUnit) {
  for (const char* text : {"", "5", "s", "5 s", " 5s", "5s ", "5S", "5sec", "5mm", "1.s", ".5s", "1..5s", "1.5", "1s5", "-1s", "+1s", "1e3s", "0x5s",
                           "0.5ns", "0.0000000001s", "1.0000000001s", "9223372036854775808ns", "106752d", "99999999999999999999d",
                           "9223372036854775807ns1ns", "1s\n", "５s"}) {
    const auto got = parse_duration(text);
    ASSERT_FALSE(got) << text << " was read as " << format(*got);
    EXPECT_EQ(got.error().id, "bad-duration");
    EXPECT_NE(got.error().message.find("`" + std::string(text) + "`"), std::string::npos) << got.error().message;
  }
}

TEST(Durations, HaveASignOnlyWhereItIsAllowed) {
  EXPECT_FALSE(parse_duration("-1m"));
  EXPECT_EQ(parse_duration("-1m", Sign::Allowed)->count(), -60'000'000'000);
  EXPECT_EQ(format(Duration(-90s)), "-1m30s");
  for (const char* text : {"-", "--1s", "1s-1s"}) EXPECT_FALSE(parse_duration(text, Sign::Allowed)) << text;
}

TEST(Durations, ArePrintedInTheShortestFormThatIsReadAgain) {
  const std::pair<Duration, const char*> cases[] = {{0s, "0s"}, {1500ms, "1.5s"}, {90s, "1m30s"}, {1us, "1us"}, {1234567ns, "1.234567ms"}, {24h, "1d"},
                                                   {25h + 1ns, "1d1h1ns"}, {3600s + 500ms, "1h500ms"}};
  for (const auto& [duration, text] : cases) EXPECT_EQ(format(duration), text);
  Dice dice(1);
  for (int i = 0; i < 20'000; ++i) {
    const Duration d{static_cast<std::int64_t>(dice.next() >> (1 + dice.below(62)))};
    const auto again = parse_duration(format(d));
    ASSERT_TRUE(again) << format(d);
    ASSERT_EQ(*again, d) << format(d);
  }
}

TEST(Sizes, AreExactToTheByte) {
  const std::pair<const char*, std::uint64_t> cases[] = {
      {"0B", 0}, {"1B", 1}, {"64KiB", 65'536}, {"1kB", 1'000}, {"1MiB", 1'048'576}, {"2MB", 2'000'000}, {"1.5KiB", 1'536}, {"0.5kB", 500}, {"1GiB", 1ULL << 30},
      {"1GB", 1'000'000'000}, {"1TiB", 1ULL << 40}, {"1TB", 1'000'000'000'000}, {"9223372036854775807B", INT64_MAX},
  };
  for (const auto& [text, bytes] : cases) {
    const auto got = parse_size(text);
    ASSERT_TRUE(got) << text << ": " << got.error().message;
    EXPECT_EQ(got->bytes, bytes) << text;
    EXPECT_EQ(parse_size(format(*got))->bytes, bytes) << format(*got);
  }
}

TEST(Sizes, AreRefusedWhenTheyAreNotWholeOrTheUnitIsUnknown) {
  for (const char* text : {"", "64", "64K", "64k", "64kib", "64KB", "64 KiB", "KiB", "-1B", "0.5B", "1.0001kB", "9223372036854775808B", "8388608TiB", "1KiB1B",
                           "99999999999999999999B", "1PiB"}) {
    const auto got = parse_size(text);
    ASSERT_FALSE(got) << text << " was read as " << got->bytes;
    EXPECT_EQ(got.error().id, "bad-size") << text;
  }
}

TEST(Rates, AreACountAndATime) {
  const std::tuple<const char*, std::uint64_t, Duration, const char*> cases[] = {
      {"100/m", 100, 60s, "100/m"}, {"1/s", 1, 1s, "1/s"}, {"5/10s", 5, 10s, "5/10s"}, {"7/d", 7, 24h, "7/d"}, {"3/h", 3, 1h, "3/h"}, {"2/1m30s", 2, 90s, "2/1m30s"},
      {"18446744073709551615/s", UINT64_MAX, 1s, "18446744073709551615/s"},
  };
  for (const auto& [text, count, per, printed] : cases) {
    const auto got = parse_rate(text);
    ASSERT_TRUE(got) << text;
    EXPECT_EQ(got->count, count) << text;
    EXPECT_EQ(got->per, per) << text;
    EXPECT_EQ(format(*got), printed);
  }
  for (const char* text : {"", "100", "/m", "100/", "0/m", "-1/m", "1.5/m", "1/0s", "1/x", "1/-5s", "18446744073709551616/s", "1/m/m", "1 /m", "100/m ", "1/5"})
    EXPECT_FALSE(parse_rate(text)) << text;
}

TEST(Shares, AreExactInMillionths) {
  const std::pair<const char*, std::uint32_t> cases[] = {{"0%", 0}, {"0.0001%", 1}, {"0.5%", 5'000}, {"20%", 200'000}, {"33.3333%", 333'333}, {"100%", 1'000'000}, {"100.0000%", 1'000'000}};
  for (const auto& [text, millionths] : cases) {
    const auto got = parse_share(text);
    ASSERT_TRUE(got) << text;
    EXPECT_EQ(got->millionths, millionths) << text;
    EXPECT_EQ(parse_share(format(*got))->millionths, millionths);
  }
  for (const char* text : {"", "%", "20", "0.2", "-1%", "100.0001%", "0.00001%", "101%", "20 %", "20%%", "1e1%", "18446744073709551616%"})
    EXPECT_FALSE(parse_share(text)) << text;
}

TEST(Instants, AreRfc3339WithAZone) {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"1970-01-01T00:00:00Z", 0}, {"2026-01-01T00:00:00Z", 1'767'225'600'000'000'000}, {"2024-02-29T12:00:00Z", 1'709'208'000'000'000'000},
      {"2026-01-01t01:30:00.5+01:30", 1'767'225'600'500'000'000}, {"2025-12-31T23:00:00-01:00", 1'767'225'600'000'000'000}, {"1970-01-01T00:00:00.000000001Z", 1},
  };
  for (const auto& [text, ns] : cases) {
    const auto got = parse_instant(text);
    ASSERT_TRUE(got) << text << ": " << got.error().message;
    EXPECT_EQ(got->ns, ns) << text;
  }
  for (const char* text : {"", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00.Z",
                           "2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00ZZ", "1969-12-31T23:59:59Z",
                           "2262-01-01T00:00:00Z", "1970-01-01T00:00:00+00:01"})
    EXPECT_FALSE(parse_instant(text)) << text;
}

TEST(Instants, ArePrintedInUtcAndReadAgainDayByDay) {
  EXPECT_EQ(format(Instant::from_seconds(1'767'225'600)), "2026-01-01T00:00:00.000Z");
  for (std::int64_t day = 0; day < 106'000; ++day) {
    const Instant t = Instant::from_seconds(day * 86'400 + day % 86'400);
    ASSERT_EQ(parse_instant(format(t))->ns, t.ns) << format(t);
  }
}

TEST(Instants, EndInNeverInsteadOfOverflowing) {
  EXPECT_EQ(Instant::from_seconds(1) + Duration::max(), Instant::max());
  EXPECT_EQ(Instant::max() + 1ns, Instant::max());
}

}  // namespace
}  // namespace gatelab
