// SPDX-License-Identifier: Apache-2.0
// `trace:` of a configuration.
#include <algorithm>

#include "base/text.h"
#include "gateway/model_parts.h"
#include "http/hop.h"

namespace gatelab::gateway {
namespace {

bool is_loopback_url(const http::BaseUrl& url) {
  if (!url.socket.empty() || url.host == "localhost" || url.host.ends_with(".localhost")) return true;
  const auto ip = parse_ip(url.host);
  return ip && is_loopback(*ip);
}

bool is_target(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F && c != '#'; });
}

// Fields of the collector's own, tokens mostly: none of their values is ever printed.
void parse_headers(TraceConfig::Otlp& otlp, const config::Node& node, diag::Sink& sink) {
  if (node.kind != config::Kind::Map) return sink.error("wrong-type", node.span, "`headers` of `otlp` must be a map of names to values, not " + std::string(config::kind_name(node.kind)));
  for (const config::Entry& entry : node.entries) {
    entry.value->secret = true;
    const auto value = config::as_text(*entry.value, sink, "header `" + entry.key + "`");
    if (!http::is_token(entry.key)) sink.error("bad-header", entry.key_span, "`" + entry.key + "` can't be the name of a field");
    else if (http::is_gateways_own(entry.key) || iequals(entry.key, "Content-Type")) sink.error("bad-header", entry.key_span, "`" + entry.key + "` is the gateway's own to set");
    else if (value && !http::is_field_value(*value)) sink.error("bad-header-value", entry.value->span, "the value of `" + entry.key + "` can't be sent in a field: it has control characters, or spaces around it");
    else if (value) otlp.headers.emplace_back(entry.key, Secret(*value));
  }
}

// The upstream that spans go to. It is one like any other, and has a name that no other can have.
bool parse_url(TraceConfig::Otlp& otlp, const config::Node& url, const config::Node* tls, Model& model, diag::Sink& sink) {
  const auto text = config::as_text(url, sink, "`url` of `otlp`");
  if (!text) return false;
  const std::size_t scheme = text->find("://");
  const std::size_t path = scheme == std::string::npos ? std::string::npos : text->find('/', scheme + 3);
  auto base = http::parse_base_url(text->substr(0, path));
  if (!base || !base->socket.empty() || (path != std::string::npos && !is_target(text->substr(path)))) {
    sink.error("bad-url", url.span, "`" + *text + "` can't be where spans are sent to", "the collector's OTLP/HTTP door: http://127.0.0.1:4318/v1/traces");
    return false;
  }
  if (path == std::string::npos) sink.warning("no-path", url.span, "`" + *text + "` has no path: collectors take spans at /v1/traces", *text + "/v1/traces");
  if (base->scheme == "http" && !is_loopback_url(*base)) sink.warning("spans-in-plain", url.span, "spans are sent over plain HTTP to another machine: whoever stands in between reads them", "write https://");
  otlp.target = path == std::string::npos ? "/" : text->substr(path);
  upstream::Config config;
  config.name = std::string(kTraceUpstream);
  config.span = url.span;
  config.targets.push_back({config.name, std::move(*base), url.span});
  config.timeouts.connect = config.timeouts.response = config.timeouts.idle = config.timeouts.total = otlp.timeout;
  config.host.kind = upstream::HostPolicy::Kind::Target;
  config.forwarded = upstream::Forwarded::Off;
  config.keep_alive = 1;
  config.tls_node = tls;
  otlp.upstream = static_cast<std::int32_t>(model.upstreams.size());
  model.upstreams.push_back(std::move(config));
  return true;
}

std::optional<TraceConfig::Otlp> parse_otlp(const config::Node& node, Model& model, diag::Sink& sink) {
  config::Reader r(node, sink, "`otlp` of `trace`");
  TraceConfig::Otlp otlp;
  const config::Node* url = r.require("url");
  if (const config::Node* headers = r.get("headers")) parse_headers(otlp, *headers, sink);
  otlp.interval = r.duration("interval", otlp.interval);
  otlp.timeout = r.duration("timeout", otlp.timeout);
  otlp.retry_for = r.duration("retry_for", otlp.retry_for);
  otlp.queue = static_cast<std::size_t>(r.integer("queue", static_cast<std::int64_t>(otlp.queue), 1, 1'000'000));
  otlp.batch = static_cast<std::size_t>(r.integer("batch", static_cast<std::int64_t>(otlp.batch), 1, 10'000));
  const config::Node* tls = r.get("tls");
  if (r.valid() && otlp.batch > otlp.queue) sink.error("out-of-range", r.span_of("batch"), "a batch of " + std::to_string(otlp.batch) + " spans never comes together in a queue of " + std::to_string(otlp.queue), "batch: at most what the queue has");
  r.elsewhere("sample", "it stands under `trace`: who is asked what to keep is every service, whoever exports");
  r.elsewhere("protocol", "it is OTLP over HTTP with JSON");
  r.finish();
  if (!r.valid() || url == nullptr || !parse_url(otlp, *url, tls, model, sink)) return std::nullopt;
  return otlp;
}

}  // namespace

TraceConfig parse_trace(const config::Node& node, Model& model, diag::Sink& sink) {
  TraceConfig out;
  config::Reader r(node, sink, "`trace`");
  out.service = r.text("service", out.service);
  if (out.service.empty()) sink.error("bad-name", r.span_of("service"), "the name of a service is not empty");
  if (const config::Node* sample = r.get("sample")) out.rules.sample = config::as_share(*sample, sink, "`sample` of `trace`").value_or(out.rules.sample);
  out.rules.incoming = static_cast<observe::TraceRules::Incoming>(r.choice("incoming", 0, {"keep", "trusted", "restart"}));
  if (const config::Node* otlp = r.get("otlp")) out.otlp = parse_otlp(*otlp, model, sink);
  out.rules.exports = out.otlp.has_value();
  if (out.rules.incoming == observe::TraceRules::Incoming::Trusted && std::all_of(model.listeners.begin(), model.listeners.end(), [](const ListenerConfig& l) { return l.trusted_proxies.empty(); }))
    sink.warning("no-effect", r.span_of("incoming"), "no listener has `trusted_proxies`: every trace begins anew", "incoming: restart says so, trusted_proxies: [ … ] changes it");
  r.elsewhere("url", "it stands under `otlp`: otlp: { url: http://127.0.0.1:4318/v1/traces }");
  r.finish();
  return out;
}

}  // namespace gatelab::gateway
