// SPDX-License-Identifier: Apache-2.0
// How the highest rate that holds is looked for.
#include "harness/load/search.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace gatelab::harness::load {
namespace {

std::vector<double> walk(RateSearch& search, double limit) {
  std::vector<double> out;
  while (const auto rate = search.next()) {
    out.push_back(*rate);
    search.tell(*rate <= limit);
  }
  return out;
}

TEST(LoadSearch, DoublesThenHalvesTheGap) {
  RateSearch search(100);
  EXPECT_EQ(walk(search, 275), (std::vector<double>{100, 200, 400, 283, 238, 260, 271}));
  EXPECT_TRUE(search.found());
  EXPECT_EQ(search.good(), 271);
  EXPECT_EQ(search.bad(), 283);
}

TEST(LoadSearch, HalvesUntilSomethingHolds) {
  RateSearch search(1000);
  EXPECT_EQ(walk(search, 100), (std::vector<double>{1000, 500, 250, 125, 62, 88, 105, 96, 100}));
  EXPECT_EQ(search.good(), 100);
}

// Whatever the limit and the beginning, the rate that holds is within the resolution or a whole request of the one that does not.
TEST(LoadSearch, NoRateIsJudgedTwiceAndTheGapEndsAtTheResolution) {
  for (const double first : {0.3, 0.5, 1.0, 1.5, 2.0, 2.7, 3.0, 7.0, 100.0, 12345.0})
    for (const double limit : {0.4, 1.0, 1.9, 2.0, 3.0, 4.0, 5.0, 19.0, 20.0, 21.0, 99.0, 1000.0, 54321.0}) {
      RateSearch search(first);
      const std::vector<double> tried = walk(search, limit);
      EXPECT_EQ(std::set<double>(tried.begin(), tried.end()).size(), tried.size()) << first << " " << limit;
      EXPECT_LE(tried.size(), 25U) << first << " " << limit;
      if (search.good() == 0) {
        EXPECT_LT(limit, 1) << first;
        continue;
      }
      EXPECT_TRUE(search.found()) << first << " " << limit;
      EXPECT_LE(search.good(), limit);
      EXPECT_GT(search.bad(), limit);
      EXPECT_TRUE(search.bad() / search.good() <= 1.05 || search.bad() - search.good() <= 1) << first << " " << limit << ": " << search.good() << " to " << search.bad();
    }
}

TEST(LoadSearch, WhatAlwaysHoldsEndsWithoutABoundFromAbove) {
  RateSearch search(1);
  EXPECT_EQ(walk(search, 1e300).size(), static_cast<std::size_t>(RateSearch::kMostSteps));
  EXPECT_FALSE(search.found());
  EXPECT_EQ(search.bad(), 0);
  RateSearch never(8);
  EXPECT_EQ(walk(never, 0), (std::vector<double>{8, 4, 2, 1}));
  EXPECT_EQ(never.good(), 0);
}

}  // namespace
}  // namespace gatelab::harness::load
