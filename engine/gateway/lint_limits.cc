// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>
#include <string>

#include "gateway/lint.h"

namespace gatelab::gateway {
namespace {

struct Rate : policy::PlainRate {
  const policy::Policy* policy = nullptr;
};

// No more requests than this get through `rate` in any stretch of time `during`.
double most_in(const Rate& rate, Duration during, bool same_windows) {
  const double windows = static_cast<double>(during.count()) / static_cast<double>(rate.per.count());
  if (rate.burst != rate.count) return static_cast<double>(rate.burst) + windows * static_cast<double>(rate.count);
  const auto whole = static_cast<double>((during.count() + rate.per.count() - 1) / rate.per.count());
  // A stretch that begins within a window meets one more, unless both begin with the clock.
  return static_cast<double>(rate.count) * (same_windows ? whole : whole + 1);
}

bool never_binds(const Rate& idle, const Rate& tight) {
  if (idle.burst != idle.count) {
    // Drop by drop: slower and with less at once.
    const bool slower = static_cast<double>(tight.count) * static_cast<double>(idle.per.count()) <= static_cast<double>(idle.count) * static_cast<double>(tight.per.count());
    return tight.burst != tight.count && tight.burst <= idle.burst && slower;
  }
  const auto longer = std::max(idle.per, tight.per), shorter = std::min(idle.per, tight.per);
  const bool same_windows = idle.aligned && tight.aligned && longer.count() % shorter.count() == 0;
  return static_cast<double>(idle.count) >= most_in(tight, idle.per, same_windows);
}

void report(const Rate& idle, const Rate& tight, diag::Sink& sink) {
  diag::Diagnostic d;
  d.severity = diag::Severity::Warning;
  d.id = "limit-never-binds";
  d.message = "the limit " + idle.text + " never refuses anything: " + tight.text + " by the same key lets no more through";
  d.span = idle.policy->span;
  if (tight.policy != idle.policy) d.related.push_back({tight.policy->span, "this one"});
  d.hint = "remove it, or make it smaller";
  sink.report(std::move(d));
}

bool stands_on(const RouteConfig& route, const policy::Policy& policy) {
  return std::any_of(route.policies.begin(), route.policies.end(), [&policy](const policy::Policy* p) { return p->id == policy.id; });
}

// A limit that stands on several routes counts all of them: it is idle only where the other one does so too.
bool goes_everywhere_with(const Model& model, const policy::Policy& idle, const policy::Policy& tight) {
  const auto fits = [&](const RouteConfig& route) { return !stands_on(route, idle) || stands_on(route, tight); };
  return fits(model.no_route) && std::all_of(model.routes.begin(), model.routes.end(), fits);
}

// Who waits between the two of them has been charged by the first, and perhaps gives up before the second.
bool somebody_may_wait(const RouteConfig& route) {
  return std::any_of(route.policies.begin(), route.policies.end(), [](const policy::Policy* p) { return p->kind() == "concurrency" || p->kind() == "load-shed"; });
}

std::vector<Rate> rates_of(const RouteConfig& route) {
  std::vector<Rate> rates;
  for (const policy::Policy* p : route.policies) {
    if (!p->is_certain()) continue;
    std::vector<policy::PlainRate> own;
    p->plain_rates(own);
    for (policy::PlainRate& one : own) rates.push_back({std::move(one), p});
  }
  return rates;
}

}  // namespace

void lint_limits(const Model& model, diag::Sink& sink) {
  std::set<std::pair<const policy::Policy*, std::string>> told;
  for (const RouteConfig& route : model.routes) {
    const std::vector<Rate> rates = rates_of(route);
    for (std::size_t i = 0; i < rates.size(); ++i)
      for (std::size_t k = 0; k < rates.size(); ++k) {
        const Rate &idle = rates[i], &tight = rates[k];
        // Of two that are alike the later one is idle.
        if (i == k || idle.key != tight.key || !never_binds(idle, tight) || (i < k && never_binds(tight, idle))) continue;
        if (idle.policy != tight.policy && (somebody_may_wait(route) || !goes_everywhere_with(model, *idle.policy, *tight.policy))) continue;
        if (told.emplace(idle.policy, idle.text).second) report(idle, tight, sink);
      }
  }
}

}  // namespace gatelab::gateway
