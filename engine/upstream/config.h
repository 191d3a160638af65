// SPDX-License-Identifier: Apache-2.0
// `upstreams:` as values. Immutable once parsed; any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/reader.h"
#include "http/proxy_protocol.h"
#include "crypto/tls_context.h"
#include "http/uri.h"

namespace gatelab::upstream {

struct Target {
  std::string name;  // "primary"; the upstream's own name for the short form `url:`
  http::BaseUrl url;
  diag::Span span;
};

struct Timeouts {
  Duration connect = std::chrono::seconds(5);
  Duration response = std::chrono::seconds(30);  // from the request's last octet sent to the answer's head
  Duration idle = std::chrono::seconds(60);      // between octets of a body
  Duration total = std::chrono::seconds(120);    // the whole exchange
  struct Stream {
    Duration idle;                    // without an octet
    Duration total = Duration::max();
  };
  Stream stream{std::chrono::minutes(15)};  // answers that are events (text/event-stream), instead of idle and total
  Stream tunnel{std::chrono::minutes(5)};   // WebSockets, from their 101 on
};

// What becomes of Host on the way to the target.
struct HostPolicy {
  enum class Kind : std::uint8_t { Preserve, Target, Fixed } kind = Kind::Preserve;
  std::string fixed;
};

// Which fields say where a request came from.
enum class Forwarded : std::uint8_t { XForwarded, Rfc7239, Both, Off };

struct Config {
  std::string name;
  std::vector<Target> targets;   // this build: exactly one, or none when `mock` is set
  const config::Node* mock = nullptr;  // the stubs, owned by the model's tree; the harness reads them
  Timeouts timeouts;
  std::size_t keep_alive = 128;        // idle connections kept by each worker
  Duration keep_alive_idle = std::chrono::seconds(60);
  HostPolicy host;
  Forwarded forwarded = Forwarded::XForwarded;
  http::ProxyProtocol proxy_protocol = http::ProxyProtocol::None;  // said to the target before the first request
  const config::Node* tls_node = nullptr;             // what the file says; the gateway's room reads the files it names
  std::shared_ptr<const crypto::TlsContext> tls;      // of https targets
  std::string server_name;                            // whom a TLS handshake asks for
  std::string tls_scope;                              // of connections and sessions: others' are never used
  diag::Span span;
};

// `preserve`, `target`, or a host with an optional port. Reports.
HostPolicy parse_host_policy(const config::Node& node, diag::Sink& sink, const std::string& what);
// One entry of `upstreams:`. Reports; returns what could be read.
Config parse(std::string name, const diag::Span& name_span, const config::Node& node, diag::Sink& sink);

}  // namespace gatelab::upstream
