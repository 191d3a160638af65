// SPDX-License-Identifier: Apache-2.0
#include "harness/load/served.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/units.h"
#include "gateway/gateway.h"

namespace gatelab::harness::load {
namespace {

using Labels = std::map<std::string, std::string>;

std::uint64_t count(const observe::MetricsText& metrics, const char* name, const Labels& labels) {
  double value = 0;
  return metrics.value(name, labels, value) ? static_cast<std::uint64_t>(value) : 0;
}

// As metrics write it.
std::string bound_text(double seconds) {
  char digits[40];
  return {digits, std::to_chars(digits, digits + sizeof digits, seconds, std::chars_format::fixed).ptr};
}

Duration quantile(const observe::MetricsText& metrics, Labels labels, double q, std::uint64_t answers) {
  const auto rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(answers)));
  for (const double bound : observe::kLatencyBoundsSeconds) {
    labels["le"] = bound_text(bound);
    if (count(metrics, "gatelab_target_answer_seconds_bucket", labels) >= rank) return Duration{static_cast<std::int64_t>(bound * 1e9 + 0.5)};
  }
  return Duration::max();
}

std::string at_most(Duration d) {
  const Duration last{static_cast<std::int64_t>(observe::kLatencyBoundsSeconds.back() * 1e9)};
  return d == Duration::max() ? "> " + format(last) : "<= " + format(d);
}

}  // namespace

ServedAll served_by(const gateway::Gateway& gateway) {
  ServedAll out;
  const observe::MetricsText metrics = gateway.metrics();
  for (const gateway::TargetReport& target : gateway.targets()) {
    const Labels labels{{"upstream", target.upstream}, {"target", target.target}};
    Served one;
    one.target = target.upstream + "/" + target.target;
    one.answers = count(metrics, "gatelab_target_answer_seconds_count", labels);
    if (one.answers > 0) {
      one.p50 = quantile(metrics, labels, 0.5, one.answers);
      one.p99 = quantile(metrics, labels, 0.99, one.answers);
    }
    for (const observe::Reason& reason : observe::all_reasons()) {
      Labels failed = labels;
      failed["reason"] = reason.word;
      const std::uint64_t n = &reason == &observe::reason::kCompleted ? 0 : count(metrics, "gatelab_upstream_attempts_total", failed);
      if (n > 0) one.failures[std::string(reason.word)] = n;
    }
    out.targets.push_back(std::move(one));
  }
  out.retries = count(metrics, "gatelab_upstream_retries_total", {});
  out.hedges = count(metrics, "gatelab_upstream_hedges_total", {});
  return out;
}

std::string to_text(const ServedAll& all) {
  std::string out;
  for (const Served& one : all.targets) {
    out += std::string("  ") + (out.empty() ? "targets   " : "          ") + one.target + "  " + std::to_string(one.answers) + " answers";
    if (one.answers > 0) out += ", p50 " + at_most(one.p50) + ", p99 " + at_most(one.p99);
    for (const auto& [reason, n] : one.failures) out += ", " + std::to_string(n) + " " + reason;
    out += "\n";
  }
  if (out.empty()) return out;
  out += "            " + std::to_string(all.retries) + " retries";
  if (all.hedges > 0) out += ", " + std::to_string(all.hedges) + " hedges";
  return out + "\n";
}

}  // namespace gatelab::harness::load
