// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace gatelab {
namespace {

TEST(Random, DrawsOfOneOwnerDoNotDependOnThoseOfAnother) {
  const Random random(7);
  Dice alone = random.fork("segments", 3);
  const std::array<std::uint64_t, 3> want{alone.next(), alone.next(), alone.next()};
  // Another owner's draws, before and between, and forks made in another order.
  Dice other = random.fork("turns");
  for (int i = 0; i < 100; ++i) other.next();
  (void)random.fork("segments", 2).next();
  Dice again = random.fork("segments", 3);
  for (const std::uint64_t draw : want) {
    EXPECT_EQ(again.next(), draw);
    other.next();
  }
}

TEST(Random, SameSeedNameAndOrdinalAreTheSameDiceOnEveryMachine) {
  // Written down once: a change here changes every scenario's seeds.
  EXPECT_EQ(Random(1).fork("turns").next(), Random(1).fork("turns", 0).next());
  EXPECT_EQ(mix64(0), 0xe220a8397b1dcdafULL);
  EXPECT_EQ(Dice(0).next(), mix64(0x9e3779b97f4a7c15ULL));
}

TEST(Random, SeedNameAndOrdinalEachMakeOtherDice) {
  std::set<std::uint64_t> first;
  std::size_t dice = 0;
  for (const std::uint64_t seed : {1U, 2U, 3U})
    for (const char* name : {"a", "b", "turns", "segments", ""})
      for (std::uint64_t ordinal = 0; ordinal < 100; ++ordinal, ++dice) first.insert(Random(seed).fork(name, ordinal).next());
  EXPECT_EQ(first.size(), dice);
}

TEST(Dice, StayBelowAndReachEverySide) {
  Dice dice(5);
  std::array<int, 6> sides{};
  for (int i = 0; i < 60'000; ++i) ++sides.at(dice.below(6));
  for (const int count : sides) EXPECT_NEAR(count, 10'000, 500);
  EXPECT_EQ(dice.below(0), 0U);
  EXPECT_EQ(dice.below(1), 0U);
  for (int i = 0; i < 1'000; ++i) {
    const double unit = dice.unit();
    EXPECT_GE(unit, 0.0);
    EXPECT_LT(unit, 1.0);
  }
}

}  // namespace
}  // namespace gatelab
