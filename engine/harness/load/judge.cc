// SPDX-License-Identifier: Apache-2.0
#include "harness/load/judge.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "base/units.h"

namespace gatelab::harness::load {
namespace {

constexpr double kLate = 1e6, kLateShare = 0.1;  // nanoseconds; of the latency at the same percentile
constexpr double kInTime = 0.99;
constexpr double kBusy = 0.95;

std::string digits(double value, const char* unit) {
  std::array<char, 48> out{};
  const int places = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  std::snprintf(out.data(), out.size(), "%.*f%s", places, value, unit);
  return out.data();
}

std::string_view sign(Threshold::Op op) noexcept {
  switch (op) {
    case Threshold::Op::Lt: return "<";
    case Threshold::Op::Le: return "<=";
    case Threshold::Op::Gt: return ">";
    case Threshold::Op::Ge: return ">=";
  }
  return "";
}

bool holds(Threshold::Op op, double value, double bound) noexcept {
  switch (op) {
    case Threshold::Op::Lt: return value < bound;
    case Threshold::Op::Le: return value <= bound;
    case Threshold::Op::Gt: return value > bound;
    case Threshold::Op::Ge: return value >= bound;
  }
  return false;
}

// The truth lies between `low` and `high`.
Verdict against(const Threshold& t, double low, double high) noexcept {
  const bool at_low = holds(t.op, low, t.bound), at_high = holds(t.op, high, t.bound);
  return at_low && at_high ? Verdict::Pass : !at_low && !at_high ? Verdict::Fail : Verdict::Inconclusive;
}

bool upper(Threshold::Op op) noexcept { return op == Threshold::Op::Lt || op == Threshold::Op::Le; }

// That the plan was kept is no pass where no request succeeded: only a bound of errors speaks of that. Who only measures may
// measure refusals, but not what was never sent.
bool is_vacuous(const std::vector<Round>& rounds, const std::vector<Threshold>& thresholds) noexcept {
  const bool bounded = std::any_of(thresholds.begin(), thresholds.end(), [](const Threshold& t) { return t.what == Threshold::What::Errors; });
  const auto is_nothing = [&](const Round& r) { return thresholds.empty() ? r.judged.sent == 0 : r.judged.failed() >= r.judged.sent + r.judged.unsent; };
  return !bounded && std::all_of(rounds.begin(), rounds.end(), is_nothing);
}

Finding of_quantile(const Threshold& t, const std::vector<Round>& rounds, double confidence) {
  Finding out{t};
  std::vector<const Histogram*> samples;
  for (const Round& r : rounds) samples.push_back(t.what == Threshold::What::Latency ? &r.judged.latency : &r.judged.service);
  const QuantileEstimate e = estimate_quantile(samples, t.quantile, confidence);
  out.value = static_cast<double>(e.value.count());
  if (!e.enough) {
    out.needed = e.needed;
    out.text = percentile_name(t.quantile) + " of " + std::to_string(e.samples) + " requests says nothing: it takes " + std::to_string(e.needed);
    return out;
  }
  out.low = static_cast<double>(e.low.count());
  out.high = static_cast<double>(e.high.count());
  out.verdict = against(t, out.low, out.high);
  out.text = brief(e.value) + (out.verdict == Verdict::Inconclusive ? ", may be anything from " + brief(e.low) + " to " + brief(e.high) : (out.verdict == Verdict::Pass) == upper(t.op) ? ", at most " + brief(e.high) : ", at least " + brief(e.low));
  return out;
}

Finding of_errors(const Threshold& t, const std::vector<Round>& rounds, double confidence) {
  Finding out{t};
  const auto [bad, all, value, bounds] = error_share(rounds, confidence);
  out.value = value;
  const std::string found = percent(value) + " (" + std::to_string(bad) + " of " + std::to_string(all) + ")";
  if (all == 0) {
    out.text = "no request was sent";
    return out;
  }
  if (t.bound <= 0) {
    // No sample shows that there are none at all: this is of the sample.
    out.low = out.high = out.value;
    out.verdict = holds(t.op, out.value, t.bound) ? Verdict::Pass : Verdict::Fail;
    out.text = found;
    return out;
  }
  out.low = bounds.low;
  out.high = bounds.high;
  out.verdict = against(t, out.low, out.high);
  out.text = found;
  if (out.verdict == Verdict::Inconclusive) {
    out.text += ", may be up to " + percent(out.high);
    if (bad == 0) out.needed = samples_for_share(t.bound, confidence);
    if (bad == 0) out.text += ": it takes " + std::to_string(out.needed) + " requests without an error";
  } else {
    out.text += (out.verdict == Verdict::Pass) == upper(t.op) ? ", at most " + percent(out.high) : ", at least " + percent(out.low);
  }
  return out;
}

Finding of_rate(const Threshold& t, const std::vector<Round>& rounds) {
  Finding out{t};
  std::uint64_t planned = 0, in_time = 0;
  for (const Round& r : rounds) {
    planned += r.judged.planned;
    in_time += r.judged.in_time;
  }
  out.text = "no request was planned";
  if (planned == 0) return out;
  out.value = out.low = out.high = static_cast<double>(in_time) / static_cast<double>(planned);
  out.verdict = against(t, out.value, out.value);
  out.text = percent(out.value) + " of the planned requests were sent in time";
  return out;
}

// Of what the generator had too little, for a message.
std::string missing(const std::vector<Round>& rounds, std::uint32_t connections) {
  Resources all;
  for (const Round& r : rounds) {
    all.waits += r.resources.waits;
    all.descriptors += r.resources.descriptors;
    all.thread = std::max(all.thread, r.resources.thread);
  }
  if (all.descriptors > 0) return "the system refused " + std::to_string(all.descriptors) + " connections for want of descriptors, ports or memory: raise `ulimit -n`, or spread the load over --shard";
  if (all.waits > 0) return "all " + std::to_string(connections) + " connections were in use " + std::to_string(all.waits) + " times: allow more with `connections`, or what answers is too slow for the rate";
  if (all.thread > kBusy) return "its busiest thread was at " + percent(all.thread) + ": more `threads`, or --shard over several machines";
  return "neither connections nor its own threads were short (" + percent(all.thread) + " busy): the machine gave it no time, as other programs need its processors";
}

// Requests without an answer have no latency: percentiles pass without them.
std::string unbounded_errors(const std::vector<Round>& rounds, const std::vector<Threshold>& thresholds, double confidence) {
  const bool bounded = thresholds.empty() || std::any_of(thresholds.begin(), thresholds.end(), [](const Threshold& t) { return t.what == Threshold::What::Errors; });
  const ErrorShare errors = error_share(rounds, confidence);
  return bounded || errors.bad == 0 ? "" : std::to_string(errors.bad) + " of " + std::to_string(errors.all) + " requests failed, and nothing bounds `errors`";
}

}  // namespace

std::string brief(double ns) {
  if (ns < 1000) return digits(ns, "ns");
  if (ns < 999.5e3) return digits(ns / 1e3, "µs");
  if (ns < 999.5e6) return digits(ns / 1e6, "ms");
  return digits(ns / 1e9, "s");
}
std::string brief(Duration d) { return brief(static_cast<double>(d.count())); }

std::string percent(double share) {
  std::array<char, 48> out{};
  std::snprintf(out.data(), out.size(), "%.4g%%", share * 100);
  return out.data();
}

std::optional<double> parse_percentile(std::string_view text) {
  if (!text.starts_with('p') || text.size() < 2) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || value <= 0 || value >= 100) return std::nullopt;
  return value / 100;
}

std::string percentile_name(double quantile) {
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "p%.10g", quantile * 100);
  return out.data();
}

Result<std::vector<Threshold>> parse_thresholds(std::string_view text) {
  std::vector<Threshold> out;
  const auto bad = [](std::string_view one, const std::string& why) { return fail("bad-threshold", "`" + std::string(one) + "`: " + why + "; write 'p99<50ms,errors<0.1%,rate>=99%'"); };
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view one = trim_ows(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    if (one.empty()) continue;
    const std::size_t at = one.find_first_of("<>");
    if (at == std::string_view::npos) return bad(one, "it has no < or >");
    const bool equal = at + 1 < one.size() && one[at + 1] == '=';
    const std::string_view what = trim_ows(one.substr(0, at)), bound = trim_ows(one.substr(at + (equal ? 2 : 1)));
    Threshold t;
    t.op = one[at] == '<' ? equal ? Threshold::Op::Le : Threshold::Op::Lt : equal ? Threshold::Op::Ge : Threshold::Op::Gt;
    const bool service = what.starts_with("service.");
    if (const auto quantile = parse_percentile(service ? what.substr(8) : what)) {
      t.what = service ? Threshold::What::Service : Threshold::What::Latency;
      t.quantile = *quantile;
      const auto duration = parse_duration(bound);
      if (!duration) return bad(one, duration.error().message);
      t.bound = static_cast<double>(duration->count());
    } else if (what == "errors" || what == "rate") {
      t.what = what == "errors" ? Threshold::What::Errors : Threshold::What::Rate;
      const auto share = parse_share(bound);
      if (!share) return bad(one, share.error().message);
      t.bound = share->fraction();
    } else {
      return bad(one, "there are p50, p99.9 and so on, service.p99, errors and rate");
    }
    t.text = std::string(what) + " " + std::string(sign(t.op)) + " " + std::string(bound);
    out.push_back(std::move(t));
  }
  return out;
}

std::string_view name(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::Pass: return "pass";
    case Verdict::Fail: return "fail";
    case Verdict::Inconclusive: return "inconclusive";
    case Verdict::Invalid: return "invalid";
  }
  return "";
}

Verdict worse(Verdict a, Verdict b) noexcept {
  const auto rank = [](Verdict v) { return v == Verdict::Pass ? 0 : v == Verdict::Inconclusive ? 1 : v == Verdict::Fail ? 2 : 3; };
  return rank(a) < rank(b) ? b : a;
}

std::vector<std::string> faults_of_generator(const std::vector<Round>& rounds, const std::vector<double>& quantiles, double confidence, Model model, std::uint32_t connections) {
  std::vector<std::string> out;
  Histogram late, latency;
  std::uint64_t planned = 0, in_time = 0, unsent = 0;
  double thread = 0;
  for (const Round& r : rounds) {
    late.merge(r.judged.late);
    latency.merge(r.judged.latency);
    planned += r.judged.planned;
    in_time += r.judged.in_time;
    unsent += r.judged.unsent;
    thread = std::max(thread, r.resources.thread);
  }
  if (std::any_of(rounds.begin(), rounds.end(), [](const Round& r) { return r.cut; })) {
    out.push_back("it was stopped before its end");
    return out;
  }
  if (planned == 0) {
    out.push_back("no request was planned that counts: the run is too short for its rate, or all of it is warm-up");
    return out;
  }
  for (const double q : quantiles) {
    // What a handful decides says nothing of the generator either.
    if (latency.count() < samples_for(q, confidence)) continue;
    const auto behind = static_cast<double>(late.at(q).count()), seen = static_cast<double>(latency.at(q).count());
    if (behind <= kLate || behind <= kLateShare * seen) continue;
    out.push_back("the generator was late: " + percentile_name(q) + " of its lateness is " + brief(behind) + ", of the latency " + brief(seen) + "; " + missing(rounds, connections));
    break;
  }
  const double share = static_cast<double>(in_time) / static_cast<double>(planned);
  if (model == Model::Open && share < kInTime) out.push_back("the rate was not reached: " + percent(share) + " of " + std::to_string(planned) + " planned requests were sent in time; " + missing(rounds, connections));
  if (unsent > 0) out.push_back(std::to_string(unsent) + " of " + std::to_string(planned) + " planned requests were never sent; " + missing(rounds, connections));
  if (thread > kBusy && out.empty()) out.push_back("the generator was saturated: " + missing(rounds, connections));
  return out;
}

ErrorShare error_share(const std::vector<Round>& rounds, double confidence) {
  ErrorShare out;
  std::vector<double> shares;
  for (const Round& r : rounds) {
    const std::uint64_t failed = r.judged.failed(), all = std::max(r.judged.sent + r.judged.unsent, failed);
    out.bad += failed;
    out.all += all;
    if (all > 0) shares.push_back(static_cast<double>(failed) / static_cast<double>(all));
  }
  if (out.all == 0) return out;
  out.value = static_cast<double>(out.bad) / static_cast<double>(out.all);
  out.bounds = share_bounds(out.bad, out.all, confidence);
  if (const auto spread = out.bad > 0 ? mean_bounds(shares, confidence) : std::nullopt) {
    out.bounds.low = std::min(out.bounds.low, std::max(0.0, spread->low));
    out.bounds.high = std::max(out.bounds.high, std::min(1.0, spread->high));
  }
  return out;
}

Judgement judge(const std::vector<Round>& rounds, const std::vector<Threshold>& thresholds, double confidence, Model model, std::uint32_t connections) {
  Judgement out;
  out.verdict = Verdict::Pass;
  for (const Threshold& t : thresholds) {
    if (t.what == Threshold::What::Errors) out.findings.push_back(of_errors(t, rounds, confidence));
    else if (t.what == Threshold::What::Rate) out.findings.push_back(of_rate(t, rounds));
    else out.findings.push_back(of_quantile(t, rounds, confidence));
    out.verdict = worse(out.verdict, out.findings.back().verdict);
  }
  if (out.verdict == Verdict::Pass && is_vacuous(rounds, thresholds)) out.verdict = Verdict::Inconclusive;
  std::vector<double> quantiles;
  for (const Threshold& t : thresholds)
    if (t.what == Threshold::What::Latency || t.what == Threshold::What::Service) quantiles.push_back(t.quantile);
  if (quantiles.empty()) quantiles.push_back(0.99);
  out.invalid = faults_of_generator(rounds, quantiles, confidence, model, connections);
  if (!out.invalid.empty()) out.verdict = Verdict::Invalid;
  out.hint = unbounded_errors(rounds, thresholds, confidence);
  return out;
}

}  // namespace gatelab::harness::load
