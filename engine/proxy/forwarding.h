// SPDX-License-Identifier: Apache-2.0
// What a target is told of a request's way: path, Host, X-Forwarded-*, Forwarded, X-Request-Id (docs/forwarding.md). Pure;
// views live in the exchange's arena or the configuration.
#pragma once

#include <string>
#include <string_view>

#include "base/arena.h"
#include "http/forwarded.h"
#include "http/message.h"
#include "upstream/config.h"

namespace gatelab::proxy {

// `from` at a path's beginning becomes `to`, both canonical and without a slash at their end; "" is the root.
struct PrefixRewrite {
  bool on = false;
  std::string_view from, to;
};

// Only whole segments are replaced. The result is canonical as `path` is, begins with exactly one slash, and never leaves
// `to`; a path that does not begin with `from` comes back as it is.
std::string_view rewrite_path(std::string_view path, const PrefixRewrite& rewrite, Arena& arena) noexcept;
bool has_prefix(std::string_view path, std::string_view prefix) noexcept;

struct Told {
  std::string_view path;        // as it is sent
  std::string_view host;        // Host
  std::string_view authority;   // as the client named it
  std::string_view scheme;      // the client's
  std::string_view request_id;
  std::string_view request_id_name;
  std::string_view via;
  std::string_view prefix;      // that was taken off the path; empty: none
  std::string_view asked_method, asked_uri;  // of a call on a request's behalf: what that asks for
  std::string_view peer_scheme; // of the connection that the request came on
  std::string_view client_certificate;  // DER in base64; empty: none, or not for targets
  std::string_view traceparent, tracestate;  // empty: none, or those that came pass as they are
  std::string_view timeout_name;  // of the field that says how long the answer is waited for; empty: none
  Duration timeout{};
  const http::Origin* origin = nullptr;
  Address peer;
  std::uint16_t port = 0;       // the client connected to; 0: not known
  bool websocket = false;       // an upgrade is offered
  upstream::Forwarded forwarded = upstream::Forwarded::XForwarded;
};

// Host by policy: the client's, the target's, or a fixed one. A request without Host (HTTP/1.0) gets the target's.
std::string_view choose_host(const upstream::HostPolicy& policy, std::string_view client, std::string_view target) noexcept;

class HeadText;
// Most octets that write_told() can need.
std::size_t told_octets(const Told& told) noexcept;
// The fields themselves. Copies that came with the request must have been left out.
void write_told(HeadText& out, const Told& told) noexcept;

}  // namespace gatelab::proxy
