// SPDX-License-Identifier: Apache-2.0
// `fault`, as a step and in `during`: what a target is made to suffer.
#include <algorithm>

#include "base/text.h"
#include "http/fields.h"
#include "harness/scenario/parse_parts.h"

namespace gatelab::harness {
namespace {

using upstream::Fault;

void parse_when(Fault& fault, const config::Node& node, diag::Sink& sink) {
  std::string query;
  bool has_query = false;
  if (!parse_request_line(node, sink, fault.method, fault.path, query, has_query)) return;
  if (fault.path.find_first_of("{}") != std::string::npos) sink.error("bad-request", node.span, "a fault's path has no {segments}: it is what the target is asked for, or a prefix of it", "when: GET /orders/*");
  if (has_query) sink.error("bad-request", node.span, "a fault looks at method and path, not at `?" + query + "`", "when: GET /orders/*");
}

void parse_headers(Fault& fault, const config::Node& node, diag::Sink& sink) {
  if (node.kind != config::Kind::Map) return sink.error("wrong-type", node.span, "`headers` of `fault` must be a map of names to values", "headers: { Retry-After: 5 }");
  for (const config::Entry& e : node.entries) {
    if (!http::is_token(e.key) || !http::is_field_value(e.value->text)) sink.error("bad-header", e.key_span, "`" + e.key + "` can't be sent as a header");
    else fault.headers.emplace_back(e.key, e.value->text);
  }
}

// Keys that only some kinds read; with others they would silently do nothing.
void refuse_strangers(config::Reader& r, const Fault& fault, diag::Sink& sink) {
  struct Key {
    std::string_view key;
    std::vector<Fault::Kind> kinds;
  };
  using K = Fault::Kind;
  const Key keys[] = {{"rate", {K::Throttle}}, {"delay", {K::Refuse, K::Dns, K::Tls, K::Reset, K::Close, K::Garbage, K::Status, K::Slow, K::Drip}}, {"after", {K::Reset, K::Close, K::Truncate}}, {"status", {K::Status}}, {"headers", {K::Status}}, {"when", {K::Reset, K::Hang, K::Close, K::Truncate, K::Garbage, K::Status, K::Slow, K::Drip, K::Throttle, K::HalfOpen}}};
  for (const Key& key : keys)
    if (r.get(key.key) != nullptr && std::find(key.kinds.begin(), key.kinds.end(), fault.kind) == key.kinds.end())
      sink.error("two-places", r.key_span(key.key), "`" + std::string(key.key) + "` has no meaning for `kind: " + std::string(fault.word()) + "`", "leave it out");
  if (fault.kind == K::Throttle && fault.rate == 0) sink.error("missing-key", r.span(), "`kind: throttle` needs a `rate`", "rate: 10KiB/s");
  for (const K kind : {K::Slow, K::Drip})
    if (fault.kind == kind && fault.delay == Duration{}) sink.error("missing-key", r.span(), "`kind: " + std::string(fault.word()) + "` needs a `delay`", "delay: 200ms");
  if (fault.every > Duration{} && fault.lasts == Duration{}) sink.error("missing-key", r.key_span("every"), "`every` repeats what has an end: it needs `for`", "every: 10s, for: 1s");
  else if (fault.every > Duration{} && fault.every <= fault.lasts) sink.error("out-of-range", r.span_of("every"), "`every` is not longer than `for`: the fault would never pause", "leave `every` out, or make it longer");
  if (fault.share.millionths == 0) sink.error("out-of-range", r.span_of("share"), "a share of 0% meets nothing", "a larger one, or no fault");
  if (fault.after > 0 && fault.delay > Duration{}) sink.error("two-places", r.key_span("delay"), "what passes `after` octets is not delayed", "leave out one of the two");
}

}  // namespace

FaultStep parse_fault(const config::Node& node, const World& world, diag::Sink& sink) {
  FaultStep out;
  out.span = node.span;
  const std::size_t before = sink.errors();
  config::Reader r(node, sink, "`fault`");
  const auto target = r.text("target"), all = r.text("upstream");
  if (r.valid() && target.has_value() == all.has_value()) sink.error("missing-key", node.span, "a fault is of a `target` or of an `upstream`, one of them", "target: orders/primary");
  out.target = target ? *target : all.value_or("");
  out.target_span = r.span_of(target ? "target" : "upstream");
  if (target && target->find('/') == std::string::npos) sink.error("bad-name", out.target_span, "`" + *target + "` names no target", "target: UPSTREAM/TARGET, or upstream: " + *target);
  // Upstreams of the gateway's own have a slash in their names.
  const std::string upstream = world.mocks.count(out.target) > 0 ? out.target : out.target.substr(0, out.target.find('/'));
  if (!out.target.empty() && world.mocks.count(upstream) == 0 && !world.mocks.empty()) {
    std::vector<std::string_view> names;
    for (const auto& [name, stubs] : world.mocks) names.push_back(name);
    sink.no_such("mock", upstream, out.target_span, names);
  }
  out.clear = r.boolean("clear", false);
  out.fault.name = r.text("name", "");
  if (out.clear) {
    r.finish();
    return out;
  }
  const config::Node* kind = r.require("kind");
  const std::vector<std::string_view> kinds(Fault::kKinds.begin(), Fault::kKinds.end());
  if (kind != nullptr) out.fault.kind = static_cast<Fault::Kind>(config::as_choice(*kind, sink, "`kind` of `fault`", kinds).value_or(0));
  if (out.fault.name.empty()) out.fault.name = std::string(out.fault.word());
  if (const config::Node* share = r.get("share")) out.fault.share = config::as_share(*share, sink, "`share` of `fault`").value_or(out.fault.share);
  out.fault.count = static_cast<std::uint64_t>(r.integer("count", 0, 1, 1'000'000'000));
  out.fault.lasts = r.duration("for", out.fault.lasts);
  out.fault.every = r.duration("every", out.fault.every);
  out.fault.delay = r.duration("delay", out.fault.delay);
  if (const config::Node* rate = r.get("rate")) out.fault.rate = config::as_octet_rate(*rate, sink).value_or(1);
  out.fault.after = r.size("after", ByteSize{0}).bytes;
  out.fault.status = static_cast<std::uint16_t>(r.integer("status", out.fault.status, 200, 599));
  if (const config::Node* when = r.get("when")) parse_when(out.fault, *when, sink);
  if (const config::Node* headers = r.get("headers")) parse_headers(out.fault, *headers, sink);
  if (kind != nullptr && sink.errors() == before) refuse_strangers(r, out.fault, sink);
  r.finish();
  return out;
}

Status apply(const FaultStep& step, gateway::Gateway& gateway) { return step.clear ? gateway.clear_faults(step.target, step.fault.name) : gateway.fault(step.target, step.fault); }

std::vector<During> parse_during(const config::Node& node, const World& world, diag::Sink& sink) {
  std::vector<During> out;
  if (node.kind != config::Kind::List || node.items.empty()) {
    sink.error("wrong-type", node.span, "`during` must be a list of instants and faults", "during: [ { at: 1s, fault: { upstream: orders, kind: refuse } } ]");
    return out;
  }
  for (const config::Node& item : node.items) {
    config::Reader r(item, sink, "`during`");
    During one;
    one.span = item.span;
    const config::Node* at = r.require("at");
    const config::Node* fault = r.require("fault");
    if (at != nullptr) one.at = config::as_duration(*at, sink, "`at` of `during`").value_or(Duration{});
    if (fault != nullptr) one.fault = parse_fault(*fault, world, sink);
    r.finish();
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace gatelab::harness
