// SPDX-License-Identifier: Apache-2.0
#include "harness/load/compare.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

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

// By number of the round; nullopt: it has no latency.
std::vector<std::optional<double>> logs_of(const std::vector<Round>& rounds, double quantile) {
  std::vector<std::optional<double>> out;
  for (const Round& r : rounds) {
    out.emplace_back();
    if (r.judged.latency.count() > 0) out.back() = std::log(std::max(1.0, static_cast<double>(r.judged.latency.at(quantile).count())));
  }
  return out;
}

std::vector<double> those_there(const std::vector<std::optional<double>>& values) {
  std::vector<double> out;
  for (const auto& v : values)
    if (v) out.push_back(*v);
  return out;
}

// Rounds that both have, each with the one of its number; `missing`: numbers of the others, as a clause.
std::vector<double> ratios_of(const std::vector<std::optional<double>>& base, const std::vector<std::optional<double>>& now, std::string& missing) {
  std::vector<double> out;
  std::string numbers;
  for (std::size_t i = 0; i < std::max(base.size(), now.size()); ++i) {
    const bool both = i < base.size() && i < now.size() && base[i] && now[i];
    if (both) out.push_back(*now[i] - *base[i]);
    else numbers += (numbers.empty() ? "" : ", ") + std::to_string(i + 1);
  }
  if (!numbers.empty()) missing = "; without round " + numbers + ", of which one side has no latency";
  return out;
}

// What a round has least of is how little its percentile rests on.
std::uint64_t fewest(const std::vector<Round>& rounds) noexcept {
  std::uint64_t out = UINT64_MAX;
  for (const Round& r : rounds)
    if (const std::uint64_t n = r.judged.latency.count(); n > 0) out = std::min(out, n);
  return rounds.empty() || out == UINT64_MAX ? 0 : out;
}

std::string range_of(const Comparison& c) {
  switch (c.verdict) {
    case Verdict::Fail: return ": slower, by " + percent(c.low - 1) + " at least";
    case Verdict::Pass: return ": not slower than the tolerance, by " + percent(c.high - 1) + " at most";
    default: return ": anything from " + percent(c.low - 1) + " to " + percent(c.high - 1) + "; more rounds tell";
  }
}

Comparison compare_at(double q, const Measured& base, const Measured& now, const Comparing& how, double each) {
  Comparison out;
  out.quantile = q;
  const auto a = logs_of(base.rounds, q), b = logs_of(now.rounds, q);
  const std::vector<double> old = those_there(a), fresh = those_there(b);
  std::string missing;
  const std::vector<double> ratios = how.paired ? ratios_of(a, b, missing) : std::vector<double>{};
  out.ratio = std::exp(how.paired ? mean_of(ratios) : mean_of(fresh) - mean_of(old));
  const std::string times = percentile_name(q) + " " + percent(out.ratio - 1);
  const std::uint64_t samples = std::min(fewest(base.rounds), fewest(now.rounds)), needed = samples_for(q, how.confidence);
  if (samples < needed) {
    const bool of_base = fewest(base.rounds) <= fewest(now.rounds);
    out.text = times + ": a round of " + (of_base ? "the base" : "this run") + " has " + std::to_string(samples) + " latencies, which say nothing of its " + percentile_name(q) + ": it takes " + std::to_string(needed);
    return out;
  }
  const auto bounds = how.paired ? mean_bounds(ratios, each) : unpaired(old, fresh, each);
  if (!bounds) {
    out.text = times + ": one round says nothing of how rounds differ: at least two of each, `--rounds 5`" + missing;
    return out;
  }
  out.low = std::exp(bounds->low);
  out.high = std::exp(bounds->high);
  out.verdict = out.low > 1 + how.tolerance ? Verdict::Fail : out.high <= 1 + how.tolerance ? Verdict::Pass : Verdict::Inconclusive;
  out.text = times + range_of(out) + missing;
  return out;
}

// The two bounds that face each other do not meet: both hold with the confidence that is asked for.
ComparedErrors compare_errors(const Measured& base, const Measured& now, double confidence) {
  const double each = 1 - (1 - confidence) / 2;
  const ErrorShare before = error_share(base.rounds, each), after = error_share(now.rounds, each);
  ComparedErrors out;
  out.base = before.value;
  out.now = after.value;
  const std::string both = "errors " + percent(after.value) + ", of the base " + percent(before.value);
  if (after.bounds.low > before.bounds.high) {
    out.verdict = Verdict::Fail;
    out.text = both + ": more";
  } else if (before.bounds.low > after.bounds.high) {
    out.verdict = Verdict::Invalid;
    out.text = both + ": fewer, so that the latencies are not those of the same requests";
  } else {
    out.text = both + ": no difference that the samples tell";
  }
  return out;
}

}  // namespace

Compared compare(const Measured& base, const Measured& now, const Comparing& how) {
  Compared out;
  out.tolerance = how.tolerance;
  Histogram before, after;
  for (const Round& r : base.rounds) before.merge(r.judged.latency);
  for (const Round& r : now.rounds) after.merge(r.judged.latency);
  out.superiority = superiority(before, after);
  out.verdict = Verdict::Pass;
  const double each = 1 - (1 - how.confidence) / static_cast<double>(std::max<std::size_t>(1, how.quantiles.size()));
  for (const double q : how.quantiles) {
    out.findings.push_back(compare_at(q, base, now, how, each));
    out.verdict = worse(out.verdict, out.findings.back().verdict);
  }
  out.errors = compare_errors(base, now, how.confidence);
  out.verdict = worse(out.verdict, out.errors.verdict);
  out.invalid = faults_of_generator(base.rounds, how.quantiles, how.confidence, base.model, base.connections);
  if (!out.invalid.empty()) out.verdict = Verdict::Invalid;
  return out;
}

}  // namespace gatelab::harness::load
