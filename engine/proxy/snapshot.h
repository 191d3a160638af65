// SPDX-License-Identifier: Apache-2.0
// What one worker knows of a configuration: plain pointers into the shared model and the worker's own upstreams. A worker
// publishes a new one by swapping its Pin; exchanges in flight keep theirs. Everything here is used on one thread, so the
// count of pins is a plain integer.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cidr.h"
#include "http/forwarded.h"
#include "crypto/tls_context.h"
#include "http/hop.h"
#include "http/parser.h"
#include "http/uri.h"
#include "observe/trace.h"
#include "policy/policy.h"
#include "proxy/forwarding.h"
#include "proxy/preface.h"
#include "route/table.h"
#include "upstream/upstream.h"

namespace gatelab::proxy {

// What a listener says about its connections. Immutable; connections keep the one that they were accepted with.
struct ListenerSettings {
  std::string name;
  AddressSet trusted_proxies;
  http::ForwardedStyle forwarded_style = http::ForwardedStyle::XForwarded;
  std::string request_id_name = "X-Request-Id";
  bool request_id_from_trusted = false;  // a trusted proxy's request id is kept
  http::PathOptions path;
  http::HopOptions hop;
  http::Limits limits;
  std::uint64_t max_body = 0;  // octets; 0: no limit
  ProxyMode proxy_protocol = ProxyMode::Off;
  std::uint32_t max_requests = 0;     // on one connection; 0: no limit
  std::uint64_t min_body_rate = 0;    // octets a second of a request's body; 0: none
  Duration header_timeout{};
  Duration idle_timeout{};
  Duration body_timeout{};
  std::shared_ptr<const crypto::TlsContext> tls;  // null: plain HTTP
  Duration handshake_timeout{};
};

struct Route {
  std::string_view name;
  std::string_view place;
  std::span<const policy::Policy* const> policies;
  std::int32_t upstream = -1;                  // index; -1: a policy answers
  bool websocket = true;                       // may be asked for
  bool caches = false;                         // one of the policies is a cache
  const upstream::HostPolicy* host = nullptr;  // null: the upstream's
  std::span<const std::pair<std::int32_t, upstream::Timeouts>> timeouts;  // by upstream; of others: the upstream's own
  PrefixRewrite rewrite;
  std::vector<std::string_view> secret_query;  // query parameters whose values are never logged
};

class Snapshot {
 public:
  std::shared_ptr<const void> owner;  // keeps the model alive that everything below points into
  const route::Table* table = nullptr;
  std::vector<Route> routes;
  Route no_route;
  std::vector<std::unique_ptr<upstream::Upstream>> upstreams;
  std::vector<std::string_view> secret_query;          // of all routes: what has none of its own hides them all
  std::vector<const policy::CachePlan*> caches;  // of all routes: what a change of a resource makes invalid
  observe::TraceRules trace_rules;
  const observe::TraceRules* trace = nullptr;  // null: tracing is off, and what requests say of it passes as any field
  std::uint64_t generation = 0;
  bool detailed = false;  // someone reads the decisions' details

 private:
  friend class Pin;
  std::uint32_t pins_ = 0;
};

class Pin {
 public:
  Pin() = default;
  explicit Pin(std::unique_ptr<Snapshot> snapshot) noexcept : snapshot_(snapshot.release()) { hold(); }
  Pin(const Pin& o) noexcept : snapshot_(o.snapshot_) { hold(); }
  Pin(Pin&& o) noexcept : snapshot_(std::exchange(o.snapshot_, nullptr)) {}
  Pin& operator=(Pin o) noexcept {
    std::swap(snapshot_, o.snapshot_);
    return *this;
  }
  ~Pin() {
    if (snapshot_ != nullptr && --snapshot_->pins_ == 0) delete snapshot_;
  }
  Snapshot* operator->() const noexcept { return snapshot_; }
  Snapshot& operator*() const noexcept { return *snapshot_; }
  explicit operator bool() const noexcept { return snapshot_ != nullptr; }

 private:
  void hold() noexcept {
    if (snapshot_ != nullptr) ++snapshot_->pins_;
  }
  Snapshot* snapshot_ = nullptr;
};

}  // namespace gatelab::proxy
