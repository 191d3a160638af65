// SPDX-License-Identifier: Apache-2.0
// The pure parts of the load: histograms, the plan, and what may be said of a sample.
#include <gtest/gtest.h>

#include <math.h>  // signgam

#include <algorithm>
#include <cmath>
#include <vector>

#include "harness/load/histogram.h"
#include "harness/load/plan.h"
#include "harness/load/statistics.h"

namespace gatelab::harness::load {
namespace {

using namespace std::chrono_literals;

TEST(Histogram, QuantilesAgreeWithTheSortedValuesToThreeDigits) {
  Dice dice = Random(7).fork("values");
  std::vector<std::int64_t> values;
  Histogram h;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(static_cast<std::int64_t>(std::exp(dice.unit() * 28)));
    h.add(Duration{values.back()});
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.0001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(q * 20'000 - 1e-6));
    const auto exact = static_cast<double>(values[rank - 1]);
    EXPECT_NEAR(static_cast<double>(h.at(q).count()), exact, exact * 0.001 + 1) << q;
  }
  EXPECT_EQ(h.min().count(), values.front());
  EXPECT_EQ(h.max().count(), values.back());
}

TEST(Histogram, PartsMergeToTheWhole) {
  Histogram whole, odd, even;
  for (int i = 0; i < 5'000; ++i) {
    whole.add(Duration{i * 997});
    (i % 2 == 0 ? even : odd).add(Duration{i * 997});
  }
  even.merge(odd);
  EXPECT_TRUE(even == whole);
  odd.add(1ms);
  EXPECT_FALSE(odd == even);
}

TEST(Histogram, ComesBackFromItsClassesAndRefusesWhatNoHistogramHolds) {
  Histogram h, again;
  for (int i = 1; i < 3'000; ++i) h.add(Duration{i * 12'345});
  h.each([&again](Duration, std::size_t index, std::uint64_t n) { EXPECT_TRUE(again.restore(index, n)); });
  EXPECT_TRUE(again.restore_limits(h.min(), h.max()));
  EXPECT_TRUE(again == h);
  EXPECT_FALSE(again.restore(33 * 1024, 1));
  EXPECT_FALSE(again.restore_limits(h.min() * 2, h.max()));
}

TEST(Histogram, TakesWhatIsOutsideItsRangeAsItsEnds) {
  Histogram h;
  h.add(-5ms);
  h.add(100h);
  EXPECT_EQ(h.min(), Duration{});
  EXPECT_EQ(h.max(), Histogram::kMost);
  EXPECT_EQ(h.count(), 2U);
}

TEST(Histogram, PercentileTextHasHdrHistogramsShape) {
  Histogram h;
  for (int i = 1; i <= 4; ++i) h.add(i * 1ms);
  // A class is told by its highest value: that of 2 ms ends at 1,954 · 1,024 ns.
  EXPECT_EQ(h.percentile_text().substr(0, h.percentile_text().find('#')),
            "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
            "       1.000 0.000000000000          1           1.00\n"
            "       1.000 0.100000000000          1           1.11\n"
            "       1.000 0.200000000000          1           1.25\n"
            "       2.001 0.300000000000          2           1.43\n"
            "       2.001 0.400000000000          2           1.67\n"
            "       2.001 0.500000000000          2           2.00\n"
            "       3.000 0.550000000000          3           2.22\n"
            "       3.000 0.600000000000          3           2.50\n"
            "       3.000 0.650000000000          3           2.86\n"
            "       3.000 0.700000000000          3           3.33\n"
            "       3.000 0.750000000000          3           4.00\n"
            "       4.000 1.000000000000          4\n");
  EXPECT_NE(h.percentile_text().find("Total count    =            4]"), std::string::npos);
}

std::vector<Arrival> all(const Curve& curve, Spacing spacing, Part part = {}, std::uint64_t seed = 3) {
  Arrivals arrivals(curve, spacing, Random(seed), part);
  std::vector<Arrival> out;
  while (const auto next = arrivals.next()) out.push_back(*next);
  return out;
}

TEST(Plan, EvenArrivalsAreAsFarApartAsTheRateSays) {
  const auto arrivals = all(Curve({{500, 500, 10s}}), Spacing::Even);
  ASSERT_EQ(arrivals.size(), 5'000U);
  for (std::size_t i = 0; i < arrivals.size(); ++i) EXPECT_NEAR(static_cast<double>(arrivals[i].at.count()), static_cast<double>(i) * 2e6, 2);
}

TEST(Plan, RampsAndHoldsSendTheAreaUnderTheRate) {
  const Curve curve({{0, 500, 10s}, {500, 500, 30s}});
  EXPECT_DOUBLE_EQ(curve.total(), 17'500);
  const auto even = all(curve, Spacing::Even);
  EXPECT_EQ(even.size(), 17'500U);
  // Half way up the ramp a quarter of its requests are out.
  EXPECT_EQ(std::count_if(even.begin(), even.end(), [](const Arrival& a) { return a.at < 5s; }), 625);
  // A Poisson process has about as many: four standard deviations.
  EXPECT_NEAR(static_cast<double>(all(curve, Spacing::Poisson).size()), 17'500, 4 * std::sqrt(17'500));
}

TEST(Plan, PoissonGapsAreExponential) {
  const auto arrivals = all(Curve({{1'000, 1'000, 50s}}), Spacing::Poisson);
  std::vector<double> gaps;
  for (std::size_t i = 1; i < arrivals.size(); ++i) gaps.push_back(static_cast<double>((arrivals[i].at - arrivals[i - 1].at).count()) / 1e6);
  EXPECT_NEAR(mean_of(gaps), 1, 0.02);
  EXPECT_NEAR(deviation_of(gaps), 1, 0.03);
  EXPECT_NEAR(static_cast<double>(std::count_if(gaps.begin(), gaps.end(), [](double g) { return g > 1; })) / static_cast<double>(gaps.size()), std::exp(-1), 0.01);
}

TEST(Plan, PartsTogetherAreTheWhole) {
  const Curve curve({{0, 200, 3s}, {200, 50, 2s}});
  std::vector<Arrival> together;
  for (std::uint32_t i = 0; i < 3; ++i)
    for (const Arrival& a : all(curve, Spacing::Poisson, {i, 3})) together.push_back(a);
  std::sort(together.begin(), together.end(), [](const Arrival& a, const Arrival& b) { return a.ordinal < b.ordinal; });
  const auto whole = all(curve, Spacing::Poisson);
  ASSERT_EQ(together.size(), whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_EQ(together[i].at, whole[i].at);
  EXPECT_NE(all(curve, Spacing::Poisson, {}, 4).front().at, whole.front().at);
}

TEST(Plan, UsersAreThereWhileTheLevelIsAboveTheirNumber) {
  const Curve curve({{0, 10, 10s}, {10, 10, 5s}, {10, 0, 10s}});
  const auto fifth = curve.above(4);
  ASSERT_EQ(fifth.size(), 1U);
  EXPECT_EQ(fifth[0].begin, 4s);
  EXPECT_EQ(fifth[0].end, 21s);
  EXPECT_TRUE(curve.above(10).empty());
}

TEST(Plan, TheMixKeepsItsWeights) {
  const Mix mix({9, 1});
  int second = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) second += static_cast<int>(mix.choose(Random(1), i));
  EXPECT_NEAR(second, 1'000, 120);
}

// From tables of the binomial, Student's t and Clopper-Pearson.
TEST(Statistics, AgreesWithTables) {
  EXPECT_NEAR(binomial_up_to(2, 10, 0.5), 0.0546875, 1e-12);
  EXPECT_NEAR(binomial_up_to(9, 10, 0.5), 1 - std::pow(0.5, 10), 1e-12);
  EXPECT_NEAR(student_quantile(0.95, 4), 2.131847, 1e-5);
  EXPECT_NEAR(student_quantile(0.975, 10), 2.228139, 1e-5);
  EXPECT_NEAR(share_bounds(0, 100, 0.95).high, 1 - std::pow(0.05, 0.01), 1e-9);
  EXPECT_NEAR(share_bounds(5, 100, 0.95).high, 0.102253, 1e-5);
  EXPECT_NEAR(share_bounds(5, 100, 0.95).low, 0.019910, 1e-5);
}

// The C library's signgam is one for all threads.
TEST(Statistics, WritesNothingThatThreadsShare) {
  for (const double a : {0.5, 2.0, 300.0}) {
    signgam = -7;
    EXPECT_GT(incomplete_beta(a, 3, 0.5), 0);
    EXPECT_EQ(signgam, -7) << a;
  }
}

TEST(Statistics, SaysHowManySamplesAPercentileNeeds) {
  EXPECT_EQ(samples_for(0.99, 0.95), 299U);
  EXPECT_EQ(samples_for(0.999, 0.95), 2'995U);
  EXPECT_FALSE(quantile_ranks(298, 0.99, 0.95));
  ASSERT_TRUE(quantile_ranks(299, 0.99, 0.95));
  EXPECT_EQ(quantile_ranks(299, 0.99, 0.95)->high, 299U);
}

// Each bound may miss the truth in one of twenty samples.
TEST(Statistics, BoundsOfAQuantileHoldAsOftenAsTheySay) {
  const double truth = -std::log(0.1);  // p90 of an exponential
  int missed_low = 0, missed_high = 0;
  for (std::uint64_t run = 0; run < 1'000; ++run) {
    Dice dice = Random(run + 1).fork("sample");
    Histogram h;
    for (int i = 0; i < 400; ++i) h.add(Duration{std::llround(-std::log1p(-dice.unit()) * 1e9)});
    const QuantileEstimate e = estimate_quantile({&h}, 0.9, 0.95);
    ASSERT_TRUE(e.enough);
    missed_low += static_cast<double>(e.low.count()) > truth * 1.001e9 ? 1 : 0;
    missed_high += static_cast<double>(e.high.count()) < truth * 0.999e9 ? 1 : 0;
  }
  EXPECT_LE(missed_low, 75);
  EXPECT_LE(missed_high, 75);
  EXPECT_GE(missed_low + missed_high, 20);  // nor are they wider than they have to be
}

TEST(Statistics, RoundsThatDifferWidenTheBounds) {
  Histogram calm, busy;
  for (int i = 0; i < 5'000; ++i) {
    calm.add(1ms + Duration{i * 10});
    busy.add(3ms + Duration{i * 10});
  }
  const QuantileEstimate same = estimate_quantile({&calm, &calm, &calm}, 0.5, 0.95), differ = estimate_quantile({&calm, &busy, &calm}, 0.5, 0.95);
  EXPECT_LT(same.high - same.low, 10us);
  EXPECT_GT(differ.high - differ.low, 1ms);
}

TEST(Statistics, SuperiorityIsAHalfWithoutADifference) {
  Histogram a, b;
  for (int i = 0; i < 1'000; ++i) {
    a.add(Duration{i});
    b.add(Duration{i + 500});
  }
  EXPECT_NEAR(superiority(a, a), 0.5, 1e-12);
  EXPECT_GT(superiority(a, b), 0.8);
  EXPECT_NEAR(superiority(a, b) + superiority(b, a), 1, 1e-12);
}

}  // namespace
}  // namespace gatelab::harness::load
