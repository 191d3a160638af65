// SPDX-License-Identifier: Apache-2.0
// Counters of one worker, and their text (Prometheus' exposition format 0.0.4, OpenMetrics 1.0.0). One thread writes a WorkerMetrics with
// plain relaxed stores; any thread may read it. Tables are sized when a snapshot is adopted, so the hot path only adds.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "observe/consumers.h"
#include "observe/counter.h"
#include "observe/record.h"

namespace gatelab::observe {

inline constexpr std::array<double, 12> kLatencyBoundsSeconds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5};

inline constexpr const char* kDroppedHelp =
    "Access-log lines that were lost: flood, of connections that were refused faster than they are told; target, that their target did not take in time.";

// Why a connection was closed before its first request.
enum class Refused : std::uint8_t { Connections, ClientConnections, ProxyProtocol };
inline constexpr std::array<const Reason*, 3> kRefused{&reason::kMaxConnections, &reason::kMaxConnectionsPerClient, &reason::kProxyProtocol};

// A worker's counters for the routes and upstreams of the configurations it has served. Series are keyed by name, so
// that a reload keeps a route's counts.
class WorkerMetrics {
 public:
  WorkerMetrics();
  ~WorkerMetrics();
  // Makes room for these names; called on the worker's thread when it adopts a snapshot. Names decide, so that exchanges begun before a reload count where they belong.
  void adopt(const std::vector<std::string>& routes, const std::vector<std::string>& upstreams, std::vector<ConsumerTable::Configured> consumers = {});
  // Counts one finished exchange: route × status class, reason, latency, octets, attempts by upstream and reason.
  void count(const Record& r) noexcept;
  // The attempts of a call of the gateway's own: no exchange of a client's.
  void count_attempts(const Record& r) noexcept;
  // A TLS handshake ended.
  void count_handshake(std::string_view side, std::string_view result) noexcept;
  const ConsumerTable& consumers() const noexcept { return consumers_; }
  Counter connections_accepted, connections_closed, log_lines_dropped, log_lines_sampled_out, tunnels_opened, tunnels_closed;
  std::array<Counter, kRefused.size()> connections_refused;

 private:
  friend class MetricsText;
  struct Tables;
  std::unique_ptr<Tables> tables_;
  ConsumerTable consumers_;
};

// A request that stands for those of its bucket: which trace shows one (OpenMetrics).
struct Exemplar {
  std::string trace_id;
  double value = 0;  // seconds
  Instant at;
};

enum class Exposition : std::uint8_t { Prometheus, OpenMetrics };
// By an Accept field; empty: there is none. OpenMetrics only for who names it, in a version that we speak, and does not like text
// better (RFC 9110 §12.5.1).
Exposition choose_exposition(std::string_view accept) noexcept;
std::string_view content_type(Exposition form) noexcept;  // a literal

// Sums workers and writes the exposition text; series sorted by name, so equal states give equal text.
// Families: gatelab_requests_total{route,status_class}, gatelab_ended_total{route,by,reason},
// gatelab_request_duration_seconds{route} (histogram), gatelab_request_bytes_total{route}, gatelab_response_bytes_total{route}, gatelab_cache_requests_total{route,result},
// gatelab_consumer_requests_total{consumer_class,status_class}, gatelab_consumer_request_bytes_total{consumer_class}, gatelab_consumer_response_bytes_total{consumer_class},
// gatelab_consumers_folded_total, gatelab_upstream_attempts_total{upstream,target,reason}, gatelab_upstream_connections_reused_total{upstream},
// gatelab_upstream_retries_total{upstream}, gatelab_upstream_hedges_total{upstream,result},
// gatelab_target_answer_seconds{upstream,target} (histogram), gatelab_tls_handshakes_total{side,result},
// gatelab_connections_accepted_total, …_closed_total, …_refused_total{reason}, gatelab_connections_active, gatelab_log_lines_dropped_total{reason}, gatelab_log_lines_sampled_out_total,
// gatelab_tunnels_opened_total, gatelab_tunnels_active. A tunnel is in no histogram: it lasts as long as people want.
class MetricsText {
 public:
  void add(const WorkerMetrics& worker);
  // Further values of the process, for example ("gatelab_config_generation", "gauge", "help", 3).
  void gauge(std::string name, std::string help, double value);
  // The same with one label; adds up.
  void gauge(std::string name, std::string help, std::string_view label, std::string_view label_value, double value) {
    labelled("gauge", std::move(name), std::move(help), {{label, label_value}}, value);
  }
  // A series of a "counter" (whose name ends with _total) or "gauge", with labels in the order given; adds up.
  void labelled(const char* type, std::string name, std::string help, const std::vector<std::pair<std::string_view, std::string_view>>& labels, double value);
  // exposition.cc
  std::string text(Exposition form = Exposition::Prometheus) const;
  // The value of one series, for scenarios' `check: metric`; nullopt if there is no such series.
  bool value(std::string_view name, const std::map<std::string, std::string>& labels, double& out) const;

 private:
  struct Family {
    std::string type, help;
    std::map<std::string, double> series;
    std::map<std::string, Exemplar> exemplars;  // of series
  };
  Family& family(const char* name, const char* type, const char* help);
  void add_consumers(const WorkerMetrics& worker);
  std::map<std::string, Family> families_;
};

}  // namespace gatelab::observe
