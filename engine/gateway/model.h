// SPDX-License-Identifier: Apache-2.0
// The checked configuration: what passes build_model() starts (sockets aside). Immutable once built and shared by all
// workers as shared_ptr<const Model>; it owns the located tree, so spans and views into it live as long as it does.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/endpoint.h"
#include "config/reader.h"
#include "base/cidr.h"
#include "http/forwarded.h"
#include "crypto/tls_context.h"
#include "http/hop.h"
#include "http/parser.h"
#include "http/uri.h"
#include "io/environment.h"
#include "observe/log_shape.h"
#include "observe/trace.h"
#include "policy/catalog.h"
#include "policy/issuers.h"
#include "proxy/preface.h"
#include "route/table.h"
#include "upstream/config.h"

namespace gatelab::gateway {

struct ListenerConfig {
  std::string name;
  Endpoint endpoint;
  http::PathOptions path;
  http::HopOptions hop;
  http::Limits limits;
  AddressSet trusted_proxies;
  http::ForwardedStyle forwarded_style = http::ForwardedStyle::XForwarded;
  std::string request_id_name = "X-Request-Id";
  bool request_id_from_trusted = false;
  std::uint64_t max_body = 0;             // octets; 0: no limit
  std::uint32_t max_connections = 10'000;
  std::uint32_t max_connections_per_client = 0;  // 0: no limit of its own
  std::uint32_t max_requests = 0;                // on one connection; 0: no limit
  std::uint64_t min_body_rate = 0;               // octets a second; 0: none
  proxy::ProxyMode proxy_protocol = proxy::ProxyMode::Off;
  Duration header_timeout = std::chrono::seconds(10);   // first octet to the end of the head
  Duration idle_timeout = std::chrono::seconds(75);     // between requests
  Duration body_timeout = std::chrono::seconds(30);     // between octets of a request's body, and of writes to the client
  const config::Node* tls_node = nullptr;               // what the file says
  std::shared_ptr<const crypto::TlsContext> tls;        // null: plain
  Duration handshake_timeout = std::chrono::seconds(10);
  diag::Span span;
};

struct AdminConfig {
  Address address;
  Secret token;  // for changes; empty: changes are refused unless a token is made at start
};

struct LogConfig {
  enum class To : std::uint8_t { Off, Stdout, Stderr, File } to = To::Off;
  std::string path;
  std::shared_ptr<const observe::LogShape> shape = std::make_shared<const observe::LogShape>();  // never null
  std::vector<std::string> secret_query;  // parameters whose values no line and no trace shows; `*`: all
};

struct TraceConfig {
  observe::TraceRules rules;
  std::string service = "gatelab";  // as the collector knows it
  struct Otlp {
    std::int32_t upstream = -1;
    std::string target;             // path and query
    std::vector<std::pair<std::string, Secret>> headers;
    Duration interval = std::chrono::seconds(5);
    Duration timeout = std::chrono::seconds(10);   // of one request
    Duration retry_for = std::chrono::minutes(1);  // how long one batch is tried again
    std::size_t queue = 4096, batch = 512;         // spans
  };
  std::optional<Otlp> otlp;         // nullopt: contexts are passed on, and no spans are made
};

// Where counts are kept from one run to the next.
struct StateConfig {
  std::string path;   // relative to the working directory
  std::string place;  // gateway.yaml:5
  diag::Span span;
};

struct RouteConfig {
  std::string name;
  std::string place;
  diag::Span span;  // of its name
  std::vector<const policy::Policy*> policies;  // top-level ones and its own, in walking order; owned by Model
  std::vector<std::string> skipped;             // kinds or ids named by `skip`
  std::int32_t upstream = -1;                   // index; -1: a policy answers
  bool websocket = true;                        // clients may ask for one
  std::optional<upstream::HostPolicy> host;     // instead of the upstream's
  std::vector<std::pair<std::int32_t, upstream::Timeouts>> timeouts;  // instead of these upstreams' own
  std::optional<std::pair<std::string, std::string>> rewrite;  // a prefix of the path, and what it becomes
};

inline constexpr std::string_view kIssuerUpstream = "issuers/", kTraceUpstream = "trace/otlp";
// Not one of the file's `upstreams`, whose names have no slash.
inline bool is_own_upstream(std::string_view name) noexcept { return name.find('/') != std::string_view::npos; }

struct Model {
  diag::SourcePtr source;
  std::unique_ptr<config::Node> tree;
  std::vector<ListenerConfig> listeners;
  std::optional<AdminConfig> admin;
  LogConfig log;
  std::optional<TraceConfig> trace;
  std::optional<StateConfig> state;
  policy::Consumers consumers;
  policy::Issuers issuers;
  // As the file has them, then those that key sets are fetched from, "issuers/NAME", and where spans go, "trace/otlp".
  std::vector<upstream::Config> upstreams;
  std::vector<RouteConfig> routes;
  RouteConfig no_route;  // "(none)": top-level policies still run
  std::unique_ptr<route::Table> table;
  std::vector<std::unique_ptr<policy::Policy>> policies;  // all of them
  std::vector<std::string> files;  // certificates, keys and the like: what was read besides the configuration
};

struct ModelInput {
  diag::SourcePtr source;
  config::EnvSource env;
  policy::StateStore* states = nullptr;  // must outlive the model
  Random random{1};
  // For TLS. `files` null: the disk. `now`: certificates' validity is judged by it. `local`: who signs for `tls: local`;
  // null where nothing will be served. `directory`: what paths are relative to, the source's own by default.
  // `also_trusted`: further CA certificates for upstreams, in PEM.
  const io::Files* files = nullptr;
  std::optional<Instant> now;
  std::function<Result<std::shared_ptr<crypto::LocalAuthority>>()> local;
  // For `keys: local` of issuers, likewise.
  std::function<Result<crypto::JwkPtr>(crypto::Algorithm)> local_key;
  std::optional<std::string> directory;
  std::string also_trusted;
  // By issuer: instead of the keys that the file has or names. Null: none. Must outlive the building only.
  const std::map<std::string, crypto::JwkSet>* issuer_keys = nullptr;
};

// Parses, checks and assembles. Null if the sink has errors; warnings alone do not stop it. Never throws.
std::shared_ptr<const Model> build_model(const ModelInput& input, diag::Sink& sink);
// As above from a tree that is parsed already (a scenario's `reload: { patch: … }` edits it); takes the tree.
std::shared_ptr<const Model> build_model(const ModelInput& input, std::unique_ptr<config::Node> tree, diag::Sink& sink);

}  // namespace gatelab::gateway
