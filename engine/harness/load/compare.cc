// SPDX-License-Identifier: Apache-2.0
#include "harness/load/compare.h"

#include <algorithm>
#include <cmath>

namespace gatelab::harness::load {
namespace {

std::optional<Bounds> unpaired(const std::vector<double>& base, const std::vector<double>& now, double confidence) noexcept {
  if (base.size() < 2 || now.size() < 2) return std::nullopt;
  const auto square = [](double x) { return x * x; };
  const auto n = static_cast<double>(base.size()), m = static_cast<double>(now.size());
  const double a = square(deviation_of(base)) / n, b = square(deviation_of(now)) / m, middle = mean_of(now) - mean_of(base);
  if (a + b == 0) return Bounds{middle, middle};
  const double freedom = square(a + b) / (square(a) / (n - 1) + square(b) / (m - 1));
  const double reach = student_quantile(confidence, freedom) * std::sqrt(a + b);
  return Bounds{middle - reach, middle + reach};
}

std::vector<double> logs_of(const std::vector<Round>& rounds, double quantile) {
  std::vector<double> out;
  for (const Round& r : rounds)
    if (r.judged.latency.count() > 0) out.push_back(std::log(std::max(1.0, static_cast<double>(r.judged.latency.at(quantile).count()))));
  return out;
}

}  // namespace

Compared compare(const std::vector<Round>& base, const std::vector<Round>& now, const std::vector<double>& quantiles, double tolerance, double confidence, bool paired) {
  Compared out;
  out.tolerance = tolerance;
  Histogram before, after;
  for (const Round& r : base) before.merge(r.judged.latency);
  for (const Round& r : now) after.merge(r.judged.latency);
  out.superiority = superiority(before, after);
  out.verdict = Verdict::Pass;
  const double each = 1 - (1 - confidence) / static_cast<double>(std::max<std::size_t>(1, quantiles.size()));
  for (const double q : quantiles) {
    Comparison one;
    one.quantile = q;
    const std::vector<double> a = logs_of(base, q), b = logs_of(now, q);
    std::optional<Bounds> bounds;
    std::vector<double> ratios;
    for (std::size_t i = 0; paired && i < std::min(a.size(), b.size()); ++i) ratios.push_back(b[i] - a[i]);
    bounds = paired ? mean_bounds(ratios, each) : unpaired(a, b, each);
    one.ratio = std::exp(paired ? mean_of(ratios) : mean_of(b) - mean_of(a));
    const std::string times = percentile_name(q) + " " + percent(one.ratio - 1);
    if (!bounds) {
      one.text = times + ": one round says nothing of how rounds differ: at least two of each, `--rounds 5`";
    } else {
      one.low = std::exp(bounds->low);
      one.high = std::exp(bounds->high);
      one.verdict = one.low > 1 + tolerance ? Verdict::Fail : one.high <= 1 + tolerance ? Verdict::Pass : Verdict::Inconclusive;
      one.text = times + (one.verdict == Verdict::Fail ? ": slower, by " + percent(one.low - 1) + " at least" : one.verdict == Verdict::Pass ? ": not slower than the tolerance, by " + percent(one.high - 1) + " at most" : ": anything from " + percent(one.low - 1) + " to " + percent(one.high - 1) + "; more rounds tell");
    }
    out.verdict = worse(out.verdict, one.verdict);
    out.findings.push_back(std::move(one));
  }
  return out;
}

}  // namespace gatelab::harness::load
