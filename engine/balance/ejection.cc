// SPDX-License-Identifier: Apache-2.0
#include "balance/ejection.h"

#include <algorithm>

namespace gatelab::balance {

void ResultWindow::roll(Duration window, Instant now) noexcept {
  const std::int64_t index = now.ns / window.count();
  if (index == index_) return;
  before_ = index == index_ + 1 ? current_ : Part{};
  current_ = {};
  index_ = index;
}

void ResultWindow::add(Duration window, bool bad, Duration took, Instant now) noexcept {
  roll(window, now);
  ++current_.results;
  current_.bad += bad ? 1 : 0;
  current_.took += static_cast<double>(took.count());
}

ResultWindow::Sum ResultWindow::sum(Duration window, Instant now) const noexcept {
  ResultWindow at = *this;
  at.roll(window, now);
  const double left = 1 - static_cast<double>(now.ns % window.count()) / static_cast<double>(window.count());
  const auto weighed = [left](double current, double before) { return current + left * before; };
  return {weighed(at.current_.results, at.before_.results), weighed(at.current_.bad, at.before_.bad), weighed(at.current_.took, at.before_.took)};
}

std::string_view Ejection::add(const EjectionRules& rules, bool bad, Duration took, std::optional<Duration> others, Instant now) noexcept {
  in_a_row_ = bad ? in_a_row_ + 1 : 0;
  if (rules.error_share) errors_.add(rules.error_share->window, bad, took, now);
  // What fails at once must not look fast.
  if (rules.latency && !bad) latencies_.add(rules.latency->window, bad, took, now);
  if (ejected(now)) return {};
  if (rules.consecutive != 0 && in_a_row_ >= rules.consecutive) return "consecutive-failures";
  if (rules.error_share && bad) {
    const ResultWindow::Sum sum = errors_.sum(rules.error_share->window, now);
    if (sum.results >= rules.error_share->min && sum.bad >= rules.error_share->share.fraction() * sum.results) return "error-share";
  }
  if (!rules.latency || !others) return {};
  const std::optional<Duration> own = average(rules, now);
  if (!own || *own < rules.latency->least) return {};
  return static_cast<double>(own->count()) > rules.latency->factor * static_cast<double>(others->count()) ? "latency" : std::string_view();
}

std::optional<Duration> Ejection::average(const EjectionRules& rules, Instant now) const noexcept {
  if (!rules.latency) return std::nullopt;
  const ResultWindow::Sum sum = latencies_.sum(rules.latency->window, now);
  if (sum.results < rules.latency->min) return std::nullopt;
  return Duration{static_cast<std::int64_t>(sum.took / sum.results)};
}

void Ejection::eject(const EjectionRules& rules, Instant now) noexcept {
  // Who was good for long enough begins again with the shortest time.
  if (times_ > 0 && now - until_ > rules.max_time) times_ = 0;
  ++times_;
  until_ = now + std::min(rules.time * times_, std::max(rules.time, rules.max_time));
  in_a_row_ = 0;
  errors_ = {};
  latencies_ = {};
}

std::size_t may_eject(const EjectionRules& rules, std::size_t targets) noexcept {
  if (targets < 2) return 0;
  const auto share = static_cast<std::size_t>(rules.max_ejected.fraction() * static_cast<double>(targets));
  return std::min(std::max<std::size_t>(share, rules.max_ejected.millionths > 0 ? 1 : 0), targets - 1);
}

namespace {

void parse_window(EjectionWindow& window, config::Reader& r) {
  window.min = static_cast<std::uint32_t>(r.integer("min", window.min, 1, 1'000'000));
  window.window = r.duration("window", window.window);
}

Share parse_share(config::Reader& r, std::string_view key, Share otherwise) {
  const config::Node* node = r.get(key);
  return node == nullptr ? otherwise : config::as_share(*node, r.sink(), "`" + std::string(key) + "` of " + r.what()).value_or(otherwise);
}

}  // namespace

EjectionRules parse_ejection(const config::Node& node, diag::Sink& sink, const std::string& upstream) {
  EjectionRules rules;
  config::Reader r(node, sink, "`ejection` of upstream `" + upstream + "`");
  rules.consecutive = static_cast<std::uint32_t>(r.integer("consecutive", rules.consecutive, 0, 1'000'000));
  if (const config::Node* share = r.get("error_share")) {
    config::Reader s(*share, sink, "`error_share` of " + r.what());
    rules.error_share.emplace();
    rules.error_share->share = parse_share(s, "share", rules.error_share->share);
    parse_window(*rules.error_share, s);
    s.finish();
  }
  if (const config::Node* latency = r.get("latency")) {
    config::Reader l(*latency, sink, "`latency` of " + r.what());
    rules.latency.emplace();
    if (const config::Node* factor = l.get("factor")) rules.latency->factor = config::as_number(*factor, sink, "`factor` of " + l.what()).value_or(3);
    if (rules.latency->factor <= 1) sink.error("out-of-range", l.span_of("factor"), "`factor` must be more than 1", "factor: 3 ejects who takes three times as long as the others");
    rules.latency->least = l.duration("least", rules.latency->least);
    parse_window(*rules.latency, l);
    l.finish();
  }
  rules.time = r.duration("for", rules.time);
  rules.max_time = r.duration("max_for", std::max(rules.time, rules.max_time));
  rules.max_ejected = parse_share(r, "max_ejected", rules.max_ejected);
  if (const config::Node* on = r.get("on")) {
    rules.on = parse_outcomes(*on, sink, "`on` of `ejection`");
  } else {
    for (const Failure f : {Failure::Connect, Failure::Reset, Failure::Timeout, Failure::Malformed}) rules.on.add(f);
    rules.on.statuses.add(500, 599);
  }
  if (r.valid() && rules.consecutive == 0 && !rules.error_share && !rules.latency)
    sink.error("missing-key", r.span(), r.what() + " ejects for nothing", "consecutive: 5, error_share: { share: 50% } or latency: { factor: 3 }");
  r.finish();
  return rules;
}

}  // namespace gatelab::balance
