// SPDX-License-Identifier: Apache-2.0
// `upstreams:` as values. Immutable once parsed; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "balance/balancer.h"
#include "balance/hedge.h"
#include "base/time.h"
#include "config/reader.h"
#include "http/proxy_protocol.h"
#include "crypto/tls_context.h"
#include "http/uri.h"
#include "upstream/addresses.h"
#include "upstream/target_state.h"

namespace gatelab::upstream {

struct TargetConfig {
  std::string name;  // "primary"; the upstream's own name for the short form `url:`
  http::BaseUrl url;
  diag::Span span;
  std::uint32_t weight = 1;  // 0: nothing new goes there
  std::uint32_t tier = 0;    // used when those below it have nobody who is available
  std::string server_name;   // whom a TLS handshake asks for; empty: no TLS
  std::shared_ptr<TargetState> state;  // null: nothing has to be known of it
};

// Where it is, and how it is spoken to: "http://127.0.0.1:9001", "unix:/run/orders.sock".
std::string place_of(const TargetConfig& target);

// A health check names itself by User-Agent: origins may want to leave it out of their logs, mocks answer it by themselves.
inline constexpr std::string_view kCheckAgent = "gatelab-health";

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
  std::string header;  // that tells a target how long its answer is waited for, in milliseconds; empty: none does
};

// What becomes of Host on the way to the target.
struct HostPolicy {
  enum class Kind : std::uint8_t { Preserve, Target, Fixed } kind = Kind::Preserve;
  std::string fixed;
};

// Which fields say where a request came from.
enum class Forwarded : std::uint8_t { XForwarded, Rfc7239, Both, Off };

// A cookie that brings a client back to the target that it had before.
struct Sticky {
  std::string cookie;
  Duration ttl{};  // 0: as long as the browser runs
};

struct Limits {
  std::uint32_t requests = 0;  // at once, of each target; 0: no limit
  std::uint32_t pending = 0;   // of all workers, that may wait for one to end
  Duration pending_wait = std::chrono::seconds(1);
  std::uint32_t retries = 0;   // at once, of the upstream; 0: no limit
};

inline constexpr std::size_t kMaxTargets = 256;

struct Config {
  std::string name;
  std::vector<TargetConfig> targets;   // in the order of the file; none when `mock` is set
  balance::BalanceRules balance;
  balance::RetryRules retry;
  std::optional<balance::HedgeRules> hedge;
  std::optional<balance::BreakerRules> breaker;
  std::optional<balance::EjectionRules> ejection;
  std::optional<balance::HealthRules> health;
  std::optional<Sticky> sticky;
  Limits limits;
  std::shared_ptr<UpstreamState> state = std::make_shared<UpstreamState>();
  const config::Node* mock = nullptr;  // the stubs, owned by the model's tree; the harness reads them
  Timeouts timeouts;
  NameRules names;
  std::size_t keep_alive = 128;        // idle connections kept by each worker
  Duration keep_alive_idle = std::chrono::seconds(60);
  HostPolicy host;
  Forwarded forwarded = Forwarded::XForwarded;
  http::ProxyProtocol proxy_protocol = http::ProxyProtocol::None;  // said to the target before the first request
  const config::Node* tls_node = nullptr;             // what the file says; the gateway's room reads the files it names
  std::shared_ptr<const crypto::TlsContext> tls;      // of https targets
  std::string tls_scope;                              // of connections and sessions: others' are never used
  diag::Span span;

  TargetRules rules() const noexcept { return {breaker ? &*breaker : nullptr, ejection ? &*ejection : nullptr, limits.requests}; }
  // Whether something has to be known of its targets at all.
  bool keeps_state() const noexcept { return targets.size() > 1 || breaker || ejection || health || limits.requests != 0; }
};

// A route's `timeouts`: what it leaves out is as the upstream has it. Reports.
Timeouts parse_own_timeouts(const Timeouts& of_upstream, const config::Node& node, diag::Sink& sink, const std::string& what);
// `preserve`, `target`, or a host with an optional port. Reports.
HostPolicy parse_host_policy(const config::Node& node, diag::Sink& sink, const std::string& what);
// One entry of `upstreams:`. Reports; returns what could be read.
Config parse(std::string name, const diag::Span& name_span, const config::Node& node, diag::Sink& sink);

}  // namespace gatelab::upstream
