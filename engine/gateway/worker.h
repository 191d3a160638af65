// SPDX-License-Identifier: Apache-2.0
// One worker: its connections, its view of the configuration, its pools, counters, log batch and traces. Private to the
// gateway. Its own thread uses everything; other threads only what is marked.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/client_counts.h"
#include "gateway/gateway.h"
#include "gateway/span_queue.h"
#include "gateway/trace_exporter.h"
#include "io/scope.h"
#include "proxy/services.h"

namespace gatelab::gateway {

// A bound listener. Outlives reloads that keep its address.
struct Bind {
  std::string key;   // the configured address; the name where ports are replaced
  std::string name;
  std::unique_ptr<io::Listener> listener;
  std::atomic<bool> tls{false};        // as configured last
  std::string path;                    // of a unix socket
  std::atomic<std::uint32_t> open{0};  // connections, of all workers
  ClientCounts clients;                // the same by client, where the listener limits them
};

// What a worker needs to know of a listener's configuration.
struct ListenerView {
  std::shared_ptr<const proxy::ListenerSettings> settings;
  std::uint32_t max_connections = 0;
  std::uint32_t max_connections_per_client = 0;
};

// The part of a snapshot that needs no worker: routes with their policies.
void fill_routes(proxy::Snapshot& snapshot, const Model& model);
std::shared_ptr<const proxy::ListenerSettings> to_settings(const ListenerConfig& config);
std::string bind_key(const ListenerConfig& listener, const Options& options);

class Worker final : public proxy::Sink {
 public:
  Worker(io::Environment& environment, io::Loop& loop, const Options& options, upstream::Faults& faults, SpanQueue& spans);
  ~Worker() override = default;

  // Serves this configuration from now on.
  void adopt(const std::shared_ptr<const Model>& model, std::uint64_t generation);
  void accept(const std::shared_ptr<Bind>& bind, io::TransportPtr transport);
  // `quiet` is called on this worker's thread when it makes no more spans, `done` when no connection is left and all has ended.
  void drain(Duration grace, std::function<void()> quiet, std::function<void()> done);
  void cut() noexcept;
  // Of worker 0, on its thread: it exports spans; there are some; no worker makes any more.
  bool exports() const noexcept { return exporter_ != nullptr; }
  void spans_wait() noexcept;
  void all_are_quiet() noexcept;
  io::Loop& loop() noexcept { return services_.loop; }

  void finished(const observe::Record& record) noexcept override;
  void called(const observe::Record& record) noexcept override;
  void tunnel_opened() noexcept override { metrics_.tunnels_opened.add(); }
  void tunnel_closed() noexcept override { metrics_.tunnels_closed.add(); }
  void handshake_done(std::string_view side, std::string_view result) noexcept override { metrics_.count_handshake(side, result); }
  void handshake_failed(const observe::Record& record) noexcept override;

  // Any thread.
  const observe::WorkerMetrics& metrics() const noexcept { return metrics_; }
  std::size_t in_flight() const noexcept { return services_.begun.value() - services_.ended.value(); }
  void copy_traces(std::vector<observe::OwnedRecord>& into) const;

  // This worker's thread, or any once the loops have ended.
  void flush_log() noexcept;

 private:
  io::Task<void> serve(std::shared_ptr<Bind> bind, ListenerView view, io::TransportPtr transport);
  io::Task<proxy::Preface> greet(Bind& bind, const ListenerView& view, io::Transport& transport);
  void refuse(observe::Refused why, std::string_view listener, const proxy::Ends& ends) noexcept;
  void tell_some(const observe::Record& record) noexcept;
  io::Task<void> flush_later();
  io::Task<void> sweep_pools();
  io::Task<void> keep_addresses();
  Instant refresh_addresses();
  io::Task<void> drain_all(Duration grace, std::function<void()> quiet, std::function<void()> done);
  void trace(const observe::Record& record) noexcept;
  void adopt_trace(proxy::Snapshot& snapshot, const Model& model);
  std::optional<Address> fixed_place(const std::string& target) const;
  // What is kept of a place that targets stand at, whatever configuration speaks of it.
  struct Kept {
    std::shared_ptr<upstream::Pool> pool = std::make_shared<upstream::Pool>();
    std::shared_ptr<upstream::TargetName> name = std::make_shared<upstream::TargetName>();
  };
  using KeptByPlace = std::map<std::string, Kept>;
  upstream::Target::Place place_of(const upstream::Config& config, const upstream::TargetConfig* target, KeptByPlace& used);
  void check_targets();
  void log(const observe::Record& record) noexcept;
  void keep_trace(const observe::Record& record) noexcept;

  io::Environment& environment_;
  const Options& options_;
  upstream::Faults& faults_;
  observe::WorkerMetrics metrics_;
  proxy::Services services_;
  KeptByPlace kept_;
  std::map<std::string, ListenerView> listeners_;
  bool logs_ = false;
  observe::LogFormat format_ = observe::LogFormat::Json;
  bool shaped_ = false;                                // a line takes more than the format
  std::shared_ptr<const observe::LogShape> log_shape_;
  std::string log_;
  SpanQueue& spans_;
  std::string span_text_;                    // of one exchange
  std::unique_ptr<TraceExporter> exporter_;  // of worker 0, once a configuration has asked for one
  bool all_quiet_ = false;
  io::Signal quiet_;
  bool begun_ = false;
  io::Signal log_begun_, pool_used_;
  bool pools_idle_ = true;
  bool names_left_ = false;  // some had nobody who was connected when it was time to ask for them

  mutable std::mutex traces_mutex_;
  std::vector<observe::OwnedRecord> traces_;  // a ring; newest before traces_next_
  std::size_t traces_next_ = 0;
  Instant next_trace_;

  std::shared_ptr<io::CancelToken> checking_;  // health checks of the configuration in force
  io::CancelToken handshakes_;        // cancelled when draining leaves them no more time
  Instant told_since_;                // refused connections and failed handshakes that were logged in the second since then
  std::uint32_t told_ = 0;

  std::uint64_t connections_numbered_ = 0;
  io::Scope connections_, background_, copies_, control_;
  upstream::Questions questions_{background_, {}};
};

}  // namespace gatelab::gateway
