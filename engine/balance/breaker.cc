// SPDX-License-Identifier: Apache-2.0
#include "balance/breaker.h"

#include <algorithm>

namespace gatelab::balance {

bool Breaker::admits(const BreakerRules& rules, Instant now) const noexcept {
  switch (state(now)) {
    case State::Closed: return true;
    case State::Open: return false;
    case State::HalfOpen: return state_ == State::Open || probes_ < rules.probes;
  }
  return false;
}

void Breaker::become(State state) noexcept {
  state_ = state;
  ++epoch_;
  failures_ = probes_ = good_ = 0;
}

Breaker::Permit Breaker::enter(Instant now) noexcept {
  if (state_ == State::Open && now >= until_) become(State::HalfOpen);
  const bool probe = state_ == State::HalfOpen;
  if (probe) ++probes_;
  return {epoch_, probe};
}

void Breaker::open(const BreakerRules& rules, Instant now) noexcept {
  Duration time = rules.open;
  for (std::uint32_t i = 0; i < opened_in_a_row_ && time < rules.max_open; ++i) time *= 2;
  ++opened_in_a_row_;
  become(State::Open);
  until_ = now + std::min(time, std::max(rules.open, rules.max_open));
}

bool Breaker::leave(const BreakerRules& rules, Permit permit, Verdict verdict, Instant now) noexcept {
  if (permit.epoch != epoch_) return false;
  if (permit.probe) --probes_;
  if (verdict == Verdict::None) return false;
  if (verdict == Verdict::Bad) {
    if (!permit.probe && ++failures_ < rules.failures) return false;
    open(rules, now);
    return true;
  }
  failures_ = 0;
  if (!permit.probe) {
    opened_in_a_row_ = 0;
    return false;
  }
  if (++good_ < rules.probes) return false;
  // The next failures may find it open for longer: it has to stay closed for a while to be trusted as at first.
  become(State::Closed);
  return true;
}

std::string_view name(Breaker::State state) noexcept {
  switch (state) {
    case Breaker::State::Closed: return "closed";
    case Breaker::State::Open: return "open";
    case Breaker::State::HalfOpen: return "half-open";
  }
  return "closed";
}

BreakerRules parse_breaker(const config::Node& node, diag::Sink& sink, const std::string& upstream) {
  BreakerRules rules;
  config::Reader r(node, sink, "`breaker` of upstream `" + upstream + "`");
  rules.failures = static_cast<std::uint32_t>(r.integer("failures", rules.failures, 1, 1'000'000));
  rules.open = r.duration("open", rules.open);
  rules.max_open = r.duration("max_open", std::max(rules.open, rules.max_open));
  rules.probes = static_cast<std::uint32_t>(r.integer("probes", rules.probes, 1, 1000));
  if (rules.max_open < rules.open) sink.error("out-of-range", r.span_of("max_open"), "`max_open` is less than `open`", "an open breaker stays open for `open`, then twice as long, up to `max_open`");
  if (const config::Node* on = r.get("on")) {
    rules.on = parse_outcomes(*on, sink, "`on` of `breaker`");
  } else {
    for (const Failure f : {Failure::Connect, Failure::Reset, Failure::Timeout, Failure::Malformed}) rules.on.add(f);
    rules.on.statuses.add(502, 504);
  }
  r.finish();
  return rules;
}

}  // namespace gatelab::balance
