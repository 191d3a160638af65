// SPDX-License-Identifier: Apache-2.0
#include "gateway/model_issuers.h"

#include <algorithm>
#include <utility>

namespace gatelab::gateway {
namespace {

bool is_loopback(const http::BaseUrl& url) {
  if (!url.socket.empty() || url.host == "localhost" || url.host.ends_with(".localhost")) return true;
  const auto ip = parse_ip(url.host);
  return ip && is_loopback(*ip);
}

// Path and query as they go into a request line.
bool is_target(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F && c != '#'; });
}

// The upstream of one key set. Whoever answers for it decides who may call: nobody must be able to stand in between.
std::optional<upstream::Config> upstream_of(const std::string& issuer, const config::Node& url, const config::Node& keys, Duration timeout, diag::Sink& sink) {
  const auto text = config::as_text(url, sink, "`jwks_url` of issuer `" + issuer + "`");
  if (!text) return std::nullopt;
  const std::size_t scheme = text->find("://");
  const std::size_t path = scheme == std::string::npos ? std::string::npos : text->find('/', scheme + 3);
  auto base = http::parse_base_url(text->substr(0, path));
  const bool fine = base && base->socket.empty() && (path == std::string::npos || is_target(text->substr(path)));
  if (!fine) {
    sink.error("bad-url", url.span, "`" + *text + "` can't be where a key set is fetched from", "write https://host[:port]/path, or http:// for a service on this machine");
    return std::nullopt;
  }
  if (base->scheme == "http" && !is_loopback(*base))
    sink.warning("keys-in-plain", url.span, "the keys of issuer `" + issuer + "` are fetched over plain HTTP: whoever stands in between can make tokens", "write https://");
  upstream::Config config;
  config.name = std::string(kIssuerUpstream) + issuer;
  config.span = url.span;
  config.targets.push_back({config.name, std::move(*base), url.span});
  config.timeouts.connect = config.timeouts.response = config.timeouts.idle = config.timeouts.total = timeout;
  config.host.kind = upstream::HostPolicy::Kind::Target;
  config.forwarded = upstream::Forwarded::Off;
  config.keep_alive = 1;
  config.tls_node = keys.find("tls");
  return config;
}

}  // namespace

policy::Issuers parse_issuers(const config::Node* node, const ModelInput& input, Model& model, ModelFiles& files, diag::Sink& sink) {
  const auto read = [&files](const config::Node& path, const std::string& what) { return files.read(path, what); };
  const auto upstream = [&model, &sink](const std::string& issuer, const config::Node& url, const config::Node& keys, Duration timeout) -> std::optional<std::int32_t> {
    auto config = upstream_of(issuer, url, keys, timeout, sink);
    if (!config) return std::nullopt;
    model.upstreams.push_back(std::move(*config));
    return static_cast<std::int32_t>(model.upstreams.size()) - 1;
  };
  return policy::parse_issuers(node, {*input.states, read, upstream, input.issuer_keys, input.local_key, sink});
}

}  // namespace gatelab::gateway
