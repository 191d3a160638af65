// SPDX-License-Identifier: Apache-2.0
// `check`: what is looked at between requests.
#include "harness/scenario/parse_parts.h"

namespace gatelab::harness {

std::vector<Check> parse_checks(const config::Node& node, bool real, diag::Sink& sink) {
  std::vector<Check> out;
  if (node.kind != config::Kind::List || node.items.empty()) {
    sink.error("wrong-type", node.span, "`check` must be a list of checks", "check: [ { calls: orders, value: 2 } ]");
    return out;
  }
  for (const config::Node& item : node.items) {
    config::Reader r(item, sink, "`check`");
    Check check;
    check.span = item.span;
    if (auto calls = r.text("calls")) check.name = std::move(*calls);
    check.name_span = r.span_of("calls");
    if (auto metric = r.text("metric")) {
      check.what = Check::What::Metric;
      check.name = std::move(*metric);
    }
    if (const config::Node* labels = r.get("labels"))
      for (const config::Entry& e : labels->entries) check.labels[e.key] = e.value->text;
    constexpr std::pair<std::string_view, Check::What> kOfTargets[] = {{"breaker", Check::What::Breaker}, {"health", Check::What::Health}, {"probes", Check::What::Probes}, {"limit", Check::What::Limit}, {"cache", Check::What::Cache}};
    for (const auto& [key, what] : kOfTargets) {
      if (auto target = r.text(key)) {
        check.what = what;
        check.name = std::move(*target);
        check.name_span = r.span_of(key);
      }
    }
    if (const config::Node* log = r.get("log")) {
      check.what = Check::What::Log;
      check.name = "log";
      check.counts = config::as_choice(*log, sink, "`log`", {"lines", "count"}) == std::optional<std::size_t>(1);
      if (real) sink.error("real-time-field", log->span, "lines of the access log come when real time lets them, and this file declares mode real", "write modes: [sim]");
    }
    const bool state = check.what == Check::What::Breaker || check.what == Check::What::Health;
    const std::string_view value = state ? "state" : check.what == Check::What::Limit ? "remaining" : check.what == Check::What::Cache ? "entries" : "value";
    if (check.what == Check::What::Limit) check.key = r.text("key", "");
    r.require(value);
    check.value = matcher(r, value, state ? Dimension::Text : Dimension::Json, sink);
    r.finish();
    if (r.valid() && check.name.empty() && sink.errors() == 0) sink.error("missing-key", item.span, "a check names what it looks at: `calls`, `metric`, `breaker`, `health`, `probes`, `limit`, `cache` or `log`");
    out.push_back(std::move(check));
  }
  return out;
}

}  // namespace gatelab::harness
