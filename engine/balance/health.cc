// SPDX-License-Identifier: Apache-2.0
#include "balance/health.h"

#include "http/chars.h"
#include "http/uri.h"

namespace gatelab::balance {

bool Health::checked(const HealthRules& rules, bool good) noexcept {
  if (state_ == State::Unknown && good) state_ = State::Healthy;
  if (good == (state_ != State::Unhealthy)) {
    in_a_row_ = 0;
    return false;
  }
  if (++in_a_row_ < (good ? rules.healthy : rules.unhealthy)) return false;
  in_a_row_ = 0;
  state_ = good ? State::Healthy : State::Unhealthy;
  return true;
}

std::string_view name(Health::State state) noexcept {
  switch (state) {
    case Health::State::Unknown: return "unknown";
    case Health::State::Healthy: return "healthy";
    case Health::State::Unhealthy: return "unhealthy";
  }
  return "unknown";
}

Duration next_check(const HealthRules& rules, Dice& dice) noexcept {
  const auto most = static_cast<std::uint64_t>(static_cast<double>(rules.every.count()) * rules.jitter.fraction());
  return rules.every + Duration{static_cast<std::int64_t>(dice.below(most + 1))};
}

HealthRules parse_health(const config::Node& node, diag::Sink& sink, const std::string& upstream) {
  HealthRules rules;
  config::Reader r(node, sink, "`health` of upstream `" + upstream + "`");
  rules.tcp = r.boolean("tcp", false);
  rules.path = r.text("path", rules.path);
  if (!rules.path.starts_with('/') || !http::all(rules.path, http::kQuery))
    sink.error("bad-path", r.span_of("path"), "`" + rules.path + "` is no path", "path: /healthz");
  rules.method = r.text("method", rules.method);
  if (rules.method != "GET" && rules.method != "HEAD" && rules.method != "OPTIONS")
    sink.error("bad-choice", r.span_of("method"), "a health check changes nothing: its method can't be `" + rules.method + "`", "GET, HEAD or OPTIONS");
  rules.host = r.text("host", "");
  if (!rules.host.empty() && !http::parse_authority(rules.host)) sink.error("bad-host", r.span_of("host"), "`" + rules.host + "` can't be a Host");
  if (const config::Node* status = r.get("status")) rules.status = parse_statuses(*status, sink, "`status` of `health`");
  else rules.status.add(200, 299);
  rules.body = r.text("body", "");
  rules.every = r.duration("every", rules.every);
  rules.timeout = r.duration("timeout", rules.timeout);
  rules.healthy = static_cast<std::uint32_t>(r.integer("healthy", rules.healthy, 1, 1000));
  rules.unhealthy = static_cast<std::uint32_t>(r.integer("unhealthy", rules.unhealthy, 1, 1000));
  if (const config::Node* jitter = r.get("jitter")) rules.jitter = config::as_share(*jitter, sink, "`jitter` of `health`").value_or(rules.jitter);
  if (rules.tcp)
    for (const std::string_view key : {"path", "method", "host", "status", "body"})
      if (r.get(key) != nullptr) sink.error("two-places", r.key_span(key), "`tcp: true` only connects: `" + std::string(key) + "` has no place beside it", "leave out one of the two");
  if (rules.method == "HEAD" && !rules.body.empty()) sink.error("two-places", r.key_span("body"), "an answer to HEAD has no body to look into", "method: GET");
  r.finish();
  return rules;
}

}  // namespace gatelab::balance
