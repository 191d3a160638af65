// SPDX-License-Identifier: Apache-2.0
#include "upstream/config.h"

#include <utility>

namespace gatelab::upstream {
namespace {

std::optional<Target> parse_target(std::string name, const config::Node& url, diag::Sink& sink, const std::string& what) {
  const auto text = config::as_text(url, sink, what);
  if (!text) return std::nullopt;
  auto parsed = http::parse_base_url(*text);
  if (!parsed) {
    sink.error(parsed.error().id, url.span, parsed.error().message);
    return std::nullopt;
  }
  Target target;
  target.name = std::move(name);
  target.url = std::move(*parsed);
  target.span = url.span;
  return target;
}

void parse_targets(Config& config, const config::Node& node, diag::Sink& sink) {
  const std::string what = "`targets` of upstream `" + config.name + "`";
  if (node.kind != config::Kind::Map || node.entries.empty())
    return sink.error("wrong-type", node.span, what + " must be a map of names to targets", "targets: { primary: { url: http://127.0.0.1:9001 } }");
  for (const config::Entry& entry : node.entries) {
    config::Reader r(*entry.value, sink, "target `" + entry.key + "`");
    const config::Node* url = r.require("url");
    r.not_supported("weight", "this build forwards to one target");
    r.not_supported("tier", "this build forwards to one target");
    r.finish();
    if (url == nullptr) continue;
    if (auto target = parse_target(entry.key, *url, sink, "`url` of target `" + entry.key + "`")) config.targets.push_back(std::move(*target));
  }
  if (node.entries.size() > 1)
    sink.error("not-supported", node.entries[1].key_span, "a second target of upstream `" + config.name + "` is not supported yet", "balancing between targets comes later");
}

void parse_stream(Timeouts::Stream& stream, const config::Node& node, diag::Sink& sink, const std::string& what) {
  config::Reader r(node, sink, what);
  stream.idle = r.duration("idle", stream.idle);
  stream.total = r.duration("total", stream.total);
  r.finish();
}

void parse_timeouts(Timeouts& timeouts, const config::Node& node, diag::Sink& sink, const std::string& name) {
  config::Reader r(node, sink, "`timeouts` of upstream `" + name + "`");
  timeouts.connect = r.duration("connect", timeouts.connect);
  timeouts.response = r.duration("response", timeouts.response);
  timeouts.idle = r.duration("idle", timeouts.idle);
  timeouts.total = r.duration("total", timeouts.total);
  if (const config::Node* stream = r.get("stream")) parse_stream(timeouts.stream, *stream, sink, "`stream` of " + r.what());
  if (const config::Node* tunnel = r.get("tunnel")) parse_stream(timeouts.tunnel, *tunnel, sink, "`tunnel` of " + r.what());
  r.finish();
}

}  // namespace

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
  if (const config::Node* keep = r.get("keep_alive")) {
    config::Reader k(*keep, sink, "`keep_alive` of " + what);
    config.keep_alive = static_cast<std::size_t>(k.integer("connections", static_cast<std::int64_t>(config.keep_alive), 0, 65'536));
    config.keep_alive_idle = k.duration("idle", config.keep_alive_idle);
    k.finish();
  }
  if (const config::Node* host = r.get("host")) config.host = parse_host_policy(*host, sink, "`host` of " + what);
  config.forwarded = static_cast<Forwarded>(r.choice("forwarded", 0, {"x-forwarded", "rfc7239", "both", "off"}));
  config.proxy_protocol = static_cast<http::ProxyProtocol>(r.choice("proxy_protocol", 0, {"off", "v1", "v2"}));
  for (const std::string_view key : {"balance", "retry", "breaker", "health", "limits", "mirror"}) r.not_supported(key, "this build forwards to one target over HTTP/1.1");
  config.tls_node = r.get("tls");
  r.elsewhere("timeout", "write timeouts: { response: 5s }");
  r.finish();
  return config;
}

}  // namespace gatelab::upstream
