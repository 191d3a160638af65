// SPDX-License-Identifier: Apache-2.0
// `listeners:` of a configuration.
#include "gateway/model_parts.h"

#include <algorithm>

namespace gatelab::gateway {
namespace {

void parse_request_id(ListenerConfig& out, const config::Node& node, diag::Sink& sink) {
  config::Reader r(node, sink, "`request_id` of listener `" + out.name + "`");
  out.request_id_name = r.text("header", out.request_id_name);
  out.request_id_from_trusted = r.choice("from_client", 0, {"never", "trusted"}) == 1;
  r.finish();
  const http::FieldId id = http::field_id(out.request_id_name);
  if (!http::is_token(out.request_id_name) || (id != http::FieldId::Other && id != http::FieldId::XRequestId))
    sink.error("bad-header", r.span_of("header"), "`" + out.request_id_name + "` can't carry a request id", "a name of its own, such as X-Request-Id");
  if (out.request_id_from_trusted && out.trusted_proxies.empty())
    sink.error("nobody-trusted", r.span_of("from_client"), "listener `" + out.name + "` trusts nobody's request id", "trusted_proxies: [10.0.0.0/8]");
}

// Who may say where a request came from, and in which words.
void parse_trust(ListenerConfig& out, config::Reader& r, diag::Sink& sink) {
  for (const auto& range : r.texts("trusted_proxies"))
    if (const Status added = out.trusted_proxies.add(range.value); !added) sink.error(added.error().id, range.span, added.error().message);
  out.forwarded_style = static_cast<http::ForwardedStyle>(r.choice("trusted_fields", 0, {"x-forwarded", "rfc7239"}));
  if (r.valid() && r.get("trusted_fields") != nullptr && r.get("trusted_proxies") == nullptr)
    sink.error("nobody-trusted", r.span_of("trusted_fields"), r.what() + " trusts nobody's fields", "trusted_proxies: [10.0.0.0/8]");
  if (const config::Node* id = r.get("request_id")) parse_request_id(out, *id, sink);
}

// Where it listens, and how the file of a unix socket is protected.
void parse_place(ListenerConfig& out, config::Reader& r, diag::Sink& sink) {
  const config::Node* node = r.require("address");
  const config::Node* mode = r.get("mode");
  const auto text = node == nullptr ? std::nullopt : config::as_text(*node, sink, "`address` of " + r.what());
  if (!text) return;
  auto endpoint = parse_endpoint(*text);
  if (!endpoint) return sink.error(endpoint.error().id, node->span, "`address` of " + r.what() + ": " + endpoint.error().message);
  out.endpoint = std::move(*endpoint);
  if (mode == nullptr) return;
  const std::string& octal = mode->text;
  if (out.endpoint.kind != Endpoint::Kind::Unix) return sink.error("no-effect", mode->span, "`mode` protects the file of a unix socket, and " + format(out.endpoint) + " has none");
  if (octal.size() < 3 || octal.size() > 4 || octal.find_first_not_of("01234567") != std::string::npos || (octal.size() == 4 && octal[0] != '0'))
    return sink.error("bad-mode", mode->span, "`" + octal + "` is no mode of a file", "three octal digits, such as 0660");
  out.endpoint.mode = static_cast<std::uint32_t>(std::stoul(octal, nullptr, 8));
}

// Two sockets that the system would not have side by side: the same address, or a port of every address and one of them.
bool overlap(const Endpoint& a, const Endpoint& b) {
  if (same_place(a, b)) return true;
  if (a.kind != Endpoint::Kind::Ip || b.kind != Endpoint::Kind::Ip || a.address.port != b.address.port) return false;
  const auto any = [](const Endpoint& e) { return e.address.ip.octets == IpAddress{}.octets; };
  if (a.both || b.both) return true;
  return a.address.ip.family == b.address.ip.family && (any(a) || any(b));
}

void parse_limits(ListenerConfig& out, config::Reader& r, diag::Sink& sink) {
  out.max_connections = static_cast<std::uint32_t>(r.integer("max_connections", out.max_connections, 1, 1'000'000));
  out.max_connections_per_client = static_cast<std::uint32_t>(r.integer("max_connections_per_client", 0, 1, 1'000'000));
  out.max_requests = static_cast<std::uint32_t>(r.integer("max_requests_per_connection", 0, 1, 1'000'000'000));
  if (out.max_connections_per_client > out.max_connections)
    sink.warning("no-effect", r.span_of("max_connections_per_client"), r.what() + " takes " + std::to_string(out.max_connections) + " connections in all: no client comes to " + std::to_string(out.max_connections_per_client));
  if (const config::Node* rate = r.get("min_body_rate")) out.min_body_rate = config::as_octet_rate(*rate, sink).value_or(0);
}

// A PROXY header is believed from trusted peers alone: from anyone it would be a way to be whoever one likes.
void parse_proxy_protocol(ListenerConfig& out, config::Reader& r, diag::Sink& sink) {
  out.proxy_protocol = static_cast<proxy::ProxyMode>(r.choice("proxy_protocol", 0, {"off", "optional", "required"}));
  if (out.proxy_protocol != proxy::ProxyMode::Off && out.trusted_proxies.empty())
    sink.error("nobody-trusted", r.span_of("proxy_protocol"), r.what() + " trusts nobody's PROXY header", "trusted_proxies: [10.0.0.0/8]");
}

ListenerConfig parse_listener(const config::Node& node, diag::Sink& sink) {
  ListenerConfig out;
  const config::Node* given = node.kind == config::Kind::Map ? node.find("name") : nullptr;
  config::Reader r(node, sink, given == nullptr ? "listener" : "listener `" + given->text + "`");
  out.span = node.span;
  r.require("name");
  out.name = r.text("name", "");
  parse_place(out, r, sink);
  if (r.get("address") != nullptr) out.span = r.span_of("address");
  out.path.encoded_slash = static_cast<http::EncodedSlash>(r.choice("encoded_slash", 0, {"reject", "keep"}));
  out.path.duplicate_slash = static_cast<http::DuplicateSlash>(r.choice("duplicate_slash", 0, {"keep", "merge", "reject"}));
  out.path.forward_path = static_cast<http::ForwardPath>(r.choice("forward_path", 0, {"canonical", "original"}));
  parse_trust(out, r, sink);
  out.hop.underscore_fields = static_cast<http::UnderscoreFields>(r.choice("underscore_fields", 0, {"drop", "keep", "reject"}));
  out.hop.forward_trace = r.choice("trace", 0, {"reject", "forward"}) == 1;
  out.max_body = r.size("max_body", {}).bytes;
  parse_proxy_protocol(out, r, sink);
  parse_limits(out, r, sink);
  out.header_timeout = r.duration("header_timeout", out.header_timeout);
  out.idle_timeout = r.duration("idle_timeout", out.idle_timeout);
  out.body_timeout = r.duration("body_timeout", out.body_timeout);
  const auto head = r.size("max_head", {out.limits.head_octets}).bytes;
  if (head < 1024 || head > 1024 * 1024) sink.error("out-of-range", r.span_of("max_head"), "`max_head` must be from 1KiB to 1MiB, not " + format(ByteSize{head}));
  else out.limits.head_octets = static_cast<std::uint32_t>(head);
  out.limits.target_octets = std::min(out.limits.target_octets, out.limits.head_octets);
  out.limits.fields = static_cast<std::uint32_t>(r.integer("max_fields", out.limits.fields, 1, 10'000));
  r.not_supported("http", "this build listens for HTTP/1.1");
  out.tls_node = r.get("tls");
  r.elsewhere("port", "write address: 127.0.0.1:8080");
  r.finish();
  return out;
}

}  // namespace

Address parse_required_address(config::Reader& r, diag::Sink& sink) {
  const config::Node* node = r.require("address");
  if (node == nullptr) return {};
  return config::as_address(*node, sink, "`address` of " + r.what()).value_or(Address{});
}

std::vector<ListenerConfig> parse_listeners(const config::Node* list, diag::Sink& sink) {
  std::vector<ListenerConfig> out;
  if (list == nullptr) return out;
  if (list->kind != config::Kind::List) {
    sink.error("wrong-type", list->span, "`listeners` must be a list, not " + std::string(config::kind_name(list->kind)), "listeners: [ { name: plain, address: 127.0.0.1:8080 } ]");
    return out;
  }
  if (list->items.empty()) sink.error("no-listeners", list->span, "there is no listener: nobody could connect");
  for (const config::Node& node : list->items) {
    ListenerConfig listener = parse_listener(node, sink);
    for (const ListenerConfig& other : out) {
      if (!listener.name.empty() && other.name == listener.name) sink.error("duplicate-name", node.find("name")->span, "there is a listener `" + listener.name + "` already");
      const bool anything = listener.endpoint.kind == Endpoint::Kind::Ip && listener.endpoint.address.port == 0;
      if (!anything && overlap(other.endpoint, listener.endpoint)) sink.error("duplicate-address", listener.span, "the listener `" + other.name + "` has the address " + format(listener.endpoint) + " already");
    }
    out.push_back(std::move(listener));
  }
  return out;
}

}  // namespace gatelab::gateway
