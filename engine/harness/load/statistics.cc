// SPDX-License-Identifier: Apache-2.0
#include "harness/load/statistics.h"

#include <algorithm>
#include <cmath>
#include <math.h>  // lgamma_r

namespace gatelab::harness::load {
namespace {

// The continued fraction of the incomplete beta function (Lentz's method), for x < (a + 1) / (a + b + 2). It takes about
// sqrt(max(a, b)) steps.
double beta_fraction(double a, double b, double x) noexcept {
  constexpr double kTiny = 1e-300, kEnough = 1e-13;
  double c = 1, d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::abs(d) < kTiny ? kTiny : d);
  double h = d;
  for (int m = 1; m < 100'000; ++m) {
    const double two = 2.0 * m;
    const double even = m * (b - m) * x / ((a + two - 1) * (a + two));
    d = 1 + even * d;
    c = 1 + even / c;
    d = 1 / (std::abs(d) < kTiny ? kTiny : d);
    c = std::abs(c) < kTiny ? kTiny : c;
    h *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + two) * (a + two + 1));
    d = 1 + odd * d;
    c = 1 + odd / c;
    d = 1 / (std::abs(d) < kTiny ? kTiny : d);
    c = std::abs(c) < kTiny ? kTiny : c;
    h *= d * c;
    if (std::abs(d * c - 1) < kEnough) break;
  }
  return h;
}

// std::lgamma writes the sign of gamma to a global, and is a race between threads.
double log_gamma(double x) noexcept {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

// Where a function that grows with x passes `level`.
template <class F>
double passes(double low, double high, double level, F&& f) {
  for (int i = 0; i < 200 && high - low > 1e-15 * std::max(1.0, high); ++i) {
    const double middle = (low + high) / 2;
    (f(middle) < level ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

double incomplete_beta(double a, double b, double x) noexcept {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double binomial_up_to(std::uint64_t k, std::uint64_t n, double p) noexcept {
  if (k >= n) return 1;
  return incomplete_beta(static_cast<double>(n - k), static_cast<double>(k) + 1, 1 - p);
}

double student_quantile(double level, double freedom) noexcept {
  return passes(0, 1e6, level, [freedom](double t) { return 1 - incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2; });
}

Bounds share_bounds(std::uint64_t k, std::uint64_t n, double confidence) noexcept {
  if (n == 0) return {0, 1};
  const auto bad = static_cast<double>(k), all = static_cast<double>(n);
  Bounds out{0, 1};
  if (k > 0) out.low = passes(0, 1, 1 - confidence, [&](double p) { return incomplete_beta(bad, all - bad + 1, p); });
  if (k < n) out.high = passes(0, 1, confidence, [&](double p) { return incomplete_beta(bad + 1, all - bad, p); });
  return out;
}

std::optional<Ranks> quantile_ranks(std::uint64_t n, double quantile, double confidence) noexcept {
  if (n < samples_for(quantile, confidence)) return std::nullopt;
  Ranks out;
  // The truth is not above the rank'th smallest if at most rank - 1 of the sample are below it.
  std::uint64_t low = 1, high = n;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (binomial_up_to(middle - 1, n, quantile) >= confidence) high = middle;
    else low = middle + 1;
  }
  out.high = low;
  // And not below it if at least `rank` of the sample are.
  low = 0, high = n;
  while (low < high) {
    const std::uint64_t middle = low + (high - low + 1) / 2;
    if (1 - binomial_up_to(middle - 1, n, quantile) >= confidence) low = middle;
    else high = middle - 1;
  }
  out.low = low;
  return out;
}

std::uint64_t samples_for(double quantile, double confidence) noexcept {
  if (quantile <= 0) return 1;
  return static_cast<std::uint64_t>(std::ceil(std::log(1 - confidence) / std::log(quantile) - 1e-9));
}

std::uint64_t samples_for_share(double share, double confidence) noexcept { return samples_for(1 - share, confidence); }

double mean_of(const std::vector<double>& values) noexcept {
  double sum = 0;
  for (const double v : values) sum += v;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

double deviation_of(const std::vector<double>& values) noexcept {
  if (values.size() < 2) return 0;
  const double mean = mean_of(values);
  double sum = 0;
  for (const double v : values) sum += (v - mean) * (v - mean);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

std::optional<Bounds> mean_bounds(const std::vector<double>& rounds, double confidence) noexcept {
  if (rounds.size() < 2) return std::nullopt;
  const auto n = static_cast<double>(rounds.size());
  const double reach = student_quantile(confidence, n - 1) * deviation_of(rounds) / std::sqrt(n), mean = mean_of(rounds);
  return Bounds{mean - reach, mean + reach};
}

QuantileEstimate estimate_quantile(const std::vector<const Histogram*>& rounds, double quantile, double confidence) {
  QuantileEstimate out;
  Histogram all;
  for (const Histogram* round : rounds) all.merge(*round);
  out.samples = all.count();
  out.needed = samples_for(quantile, confidence);
  out.value = all.at(quantile);
  const auto ranks = quantile_ranks(all.count(), quantile, confidence);
  if (!ranks) return out;
  out.enough = true;
  out.low = ranks->low == 0 ? Duration{} : all.at_rank(ranks->low);
  out.high = all.at_rank(ranks->high);
  // Requests of one round are no independent draws: what slows one slows its neighbours. Rounds that differ by more than
  // the samples explain say so.
  std::vector<double> of_rounds;
  for (const Histogram* round : rounds)
    if (round->count() > 0) of_rounds.push_back(static_cast<double>(round->at(quantile).count()));
  if (const auto spread = mean_bounds(of_rounds, confidence)) {
    out.low = std::min(out.low, Duration{std::max<std::int64_t>(0, std::llround(spread->low))});
    out.high = std::max(out.high, Duration{std::llround(spread->high)});
  }
  return out;
}

double superiority(const Histogram& a, const Histogram& b) {
  if (a.count() == 0 || b.count() == 0) return 0.5;
  std::vector<std::pair<std::size_t, std::uint64_t>> in_a;
  a.each([&in_a](Duration, std::size_t i, std::uint64_t n) { in_a.emplace_back(i, n); });
  double wins = 0, below = 0;
  std::size_t at = 0;
  b.each([&](Duration, std::size_t i, std::uint64_t n) {
    while (at < in_a.size() && in_a[at].first < i) below += static_cast<double>(in_a[at++].second);
    const double ties = at < in_a.size() && in_a[at].first == i ? static_cast<double>(in_a[at].second) : 0;
    wins += (below + ties / 2) * static_cast<double>(n);
  });
  return wins / static_cast<double>(a.count()) / static_cast<double>(b.count());
}

}  // namespace gatelab::harness::load
