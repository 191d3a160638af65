// SPDX-License-Identifier: Apache-2.0
#include "upstream/config.h"

#include <utility>

#include "http/chars.h"
#include "http/hop.h"

namespace gatelab::upstream {
namespace {

std::optional<TargetConfig> parse_target(std::string name, const config::Node& url, diag::Sink& sink, const std::string& what) {
  const auto text = config::as_text(url, sink, what);
  if (!text) return std::nullopt;
  auto parsed = http::parse_base_url(*text);
  if (!parsed) {
    sink.error(parsed.error().id, url.span, parsed.error().message);
    return std::nullopt;
  }
  TargetConfig target;
  target.name = std::move(name);
  target.url = std::move(*parsed);
  target.span = url.span;
  return target;
}

void parse_targets(Config& config, const config::Node& node, diag::Sink& sink) {
  const std::string what = "`targets` of upstream `" + config.name + "`";
  if (node.kind != config::Kind::Map || node.entries.empty())
    return sink.error("wrong-type", node.span, what + " must be a map of names to targets", "targets: { primary: { url: http://127.0.0.1:9001 } }");
  if (node.entries.size() > kMaxTargets)
    return sink.error("out-of-range", node.span, what + " are " + std::to_string(node.entries.size()) + ", at most " + std::to_string(kMaxTargets) + " can be", "split them over several upstreams");
  for (const config::Entry& entry : node.entries) {
    config::Reader r(*entry.value, sink, "target `" + entry.key + "`");
    const config::Node* url = r.require("url");
    const auto weight = static_cast<std::uint32_t>(r.integer("weight", 1, 0, 1'000'000));
    const auto tier = static_cast<std::uint32_t>(r.integer("tier", 0, 0, 100));
    r.finish();
    if (entry.key.empty() || entry.key.find('/') != std::string::npos)
      sink.error("bad-name", entry.key_span, "`" + entry.key + "` can't be a target's name: logs and faults speak of " + config.name + "/NAME", "a word such as primary");
    if (url == nullptr) continue;
    auto target = parse_target(entry.key, *url, sink, "`url` of target `" + entry.key + "`");
    if (!target) continue;
    target->weight = weight;
    target->tier = tier;
    if (!config.targets.empty() && (config.targets.front().url.scheme == "https") != (target->url.scheme == "https"))
      sink.error("mixed-schemes", url->span, "target `" + entry.key + "` is " + target->url.scheme + ", target `" + config.targets.front().name + "` is " + config.targets.front().url.scheme, "the targets of an upstream speak the same");
    config.targets.push_back(std::move(*target));
  }
  std::uint64_t weights = 0;
  for (const TargetConfig& target : config.targets) weights += target.weight;
  if (!config.targets.empty() && weights == 0) sink.error("out-of-range", node.span, what + " have no weight: nobody would get a request", "weight: 1");
}

void parse_limits(Limits& limits, const config::Node& node, diag::Sink& sink, const std::string& name) {
  config::Reader r(node, sink, "`limits` of upstream `" + name + "`");
  limits.requests = static_cast<std::uint32_t>(r.integer("requests", limits.requests, 1, 1'000'000));
  limits.pending = static_cast<std::uint32_t>(r.integer("pending", limits.pending, 0, 1'000'000));
  limits.pending_wait = r.duration("pending_wait", limits.pending_wait);
  limits.retries = static_cast<std::uint32_t>(r.integer("retries", limits.retries, 1, 1'000'000));
  for (const std::string_view key : {"pending", "pending_wait"})
    if (limits.requests == 0 && r.get(key) != nullptr) sink.error("missing-key", r.key_span(key), "nobody waits where `requests` has no limit: `" + std::string(key) + "` has no meaning", "limits: { requests: 100, pending: 50 }");
  r.finish();
}

Sticky parse_sticky(const config::Node& node, diag::Sink& sink, const std::string& name) {
  Sticky sticky;
  config::Reader r(node, sink, "`sticky` of upstream `" + name + "`");
  r.require("cookie");
  sticky.cookie = r.text("cookie", "");
  if (r.get("cookie") != nullptr && (sticky.cookie.empty() || !http::all(sticky.cookie, http::kToken))) sink.error("bad-name", r.span_of("cookie"), "`" + sticky.cookie + "` is no name of a cookie", "cookie: served_by");
  sticky.ttl = r.duration("ttl", sticky.ttl);
  r.finish();
  return sticky;
}

void parse_stream(Timeouts::Stream& stream, const config::Node& node, diag::Sink& sink, const std::string& what) {
  config::Reader r(node, sink, what);
  stream.idle = r.duration("idle", stream.idle);
  stream.total = r.duration("total", stream.total);
  r.finish();
}

// Those of one exchange.
void parse_waits(Timeouts& timeouts, config::Reader& r) {
  timeouts.response = r.duration("response", timeouts.response);
  timeouts.idle = r.duration("idle", timeouts.idle);
  timeouts.total = r.duration("total", timeouts.total);
  if (const config::Node* stream = r.get("stream")) parse_stream(timeouts.stream, *stream, r.sink(), "`stream` of " + r.what());
  if (const config::Node* tunnel = r.get("tunnel")) parse_stream(timeouts.tunnel, *tunnel, r.sink(), "`tunnel` of " + r.what());
}

void parse_timeouts(Timeouts& timeouts, const config::Node& node, diag::Sink& sink, const std::string& name) {
  config::Reader r(node, sink, "`timeouts` of upstream `" + name + "`");
  timeouts.connect = r.duration("connect", timeouts.connect);
  parse_waits(timeouts, r);
  timeouts.header = r.text("header", "");
  if (r.get("header") != nullptr && (timeouts.header.empty() || !http::all(timeouts.header, http::kToken))) sink.error("bad-name", r.span_of("header"), "`" + timeouts.header + "` is no name of a header", "header: X-Timeout-Ms");
  else if (http::has_a_meaning(timeouts.header)) sink.error("bad-header", r.span_of("header"), "`" + timeouts.header + "` has a meaning already and can't say how long a try may take", "a name of its own, such as X-Timeout-Ms");
  r.finish();
}

// A mock is one target, and always well.
void parse_resilience(Config& config, config::Reader& r, diag::Sink& sink) {
  if (const config::Node* balance = r.get("balance")) config.balance = balance::parse_balance(*balance, sink, config.name);
  if (const config::Node* retry = r.get("retry")) config.retry = balance::parse_retry(*retry, sink, config.name);
  if (const config::Node* hedge = r.get("hedge")) config.hedge = balance::parse_hedge(*hedge, sink, config.name);
  if (const config::Node* breaker = r.get("breaker")) config.breaker = balance::parse_breaker(*breaker, sink, config.name);
  if (const config::Node* ejection = r.get("ejection")) config.ejection = balance::parse_ejection(*ejection, sink, config.name);
  if (const config::Node* health = r.get("health")) config.health = balance::parse_health(*health, sink, config.name);
  if (const config::Node* sticky = r.get("sticky")) config.sticky = parse_sticky(*sticky, sink, config.name);
  if (config.hedge && config.sticky) sink.error("two-places", r.key_span("hedge"), "`hedge` would send to another target what `sticky` holds at one", "leave out one of the two");
  if (const config::Node* limits = r.get("limits")) parse_limits(config.limits, *limits, sink, config.name);
  if (config.ejection && config.targets.size() == 1)
    sink.warning("ejects-nobody", r.key_span("ejection"), "upstream `" + config.name + "` has one target, and the last one is never ejected", "a second target, or a `breaker`");
  r.elsewhere("mirror", "it is a policy of a route: policies: [ { mirror: { upstream: … } } ]");
}

}  // namespace

std::string place_of(const TargetConfig& target) { return target.url.socket.empty() ? target.url.scheme + "://" + target.url.authority : "unix:" + target.url.socket; }

Timeouts parse_own_timeouts(const Timeouts& of_upstream, const config::Node& node, diag::Sink& sink, const std::string& what) {
  config::Reader r(node, sink, "`timeouts` of " + what);
  Timeouts timeouts = of_upstream;
  parse_waits(timeouts, r);
  for (const std::string_view key : {"connect", "header"}) r.elsewhere(key, "it stands under the upstream's `timeouts`: connections and targets belong to all of its routes");
  r.finish();
  return timeouts;
}

HostPolicy parse_host_policy(const config::Node& node, diag::Sink& sink, const std::string& what) {
  HostPolicy policy;
  const auto text = config::as_text(node, sink, what);
  if (!text || *text == "preserve") return policy;
  if (*text == "target") {
    policy.kind = HostPolicy::Kind::Target;
    return policy;
  }
  policy.kind = HostPolicy::Kind::Fixed;
  policy.fixed = *text;
  if (!http::parse_authority(*text)) sink.error("bad-host", node.span, "`" + *text + "` can't be a Host", "preserve, target, or a host such as api.internal:8080");
  return policy;
}

Config parse(std::string name, const diag::Span& name_span, const config::Node& node, diag::Sink& sink) {
  Config config;
  config.name = std::move(name);
  config.span = name_span;
  const std::string what = "upstream `" + config.name + "`";
  config::Reader r(node, sink, what);
  const config::Node* url = r.get("url");
  const config::Node* targets = r.get("targets");
  config.mock = r.get("mock");
  const int ways = (url != nullptr) + (targets != nullptr) + (config.mock != nullptr);
  if (r.valid() && ways != 1)
    sink.error(ways == 0 ? "missing-key" : "two-places", name_span, what + (ways == 0 ? " has no target" : " has more than one of `url`, `targets` and `mock`"),
               "write url: http://127.0.0.1:9001, or mock: [ … ] to answer from the configuration itself");
  if (url != nullptr)
    if (auto target = parse_target(config.name, *url, sink, "`url` of " + what)) config.targets.push_back(std::move(*target));
  if (targets != nullptr) parse_targets(config, *targets, sink);
  if (const config::Node* timeouts = r.get("timeouts")) parse_timeouts(config.timeouts, *timeouts, sink, config.name);
  if (const config::Node* dns = r.get("dns")) config.names = parse_names(*dns, sink, config.name);
  if (const config::Node* keep = r.get("keep_alive")) {
    config::Reader k(*keep, sink, "`keep_alive` of " + what);
    config.keep_alive = static_cast<std::size_t>(k.integer("connections", static_cast<std::int64_t>(config.keep_alive), 0, 65'536));
    config.keep_alive_idle = k.duration("idle", config.keep_alive_idle);
    k.finish();
  }
  if (const config::Node* host = r.get("host")) config.host = parse_host_policy(*host, sink, "`host` of " + what);
  config.forwarded = static_cast<Forwarded>(r.choice("forwarded", 0, {"x-forwarded", "rfc7239", "both", "off"}));
  config.proxy_protocol = static_cast<http::ProxyProtocol>(r.choice("proxy_protocol", 0, {"off", "v1", "v2"}));
  parse_resilience(config, r, sink);
  config.tls_node = r.get("tls");
  r.elsewhere("timeout", "write timeouts: { response: 5s }");
  r.finish();
  return config;
}

}  // namespace gatelab::upstream
