// SPDX-License-Identifier: Apache-2.0
// The engine behind its only door. One Gateway = one set of workers over one Environment. `run`, `test`, `explain` and
// everything else build it here. Control functions may be called from any thread in the real world, and from the
// simulation's thread in a simulated one; they say how they wait.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/caches.h"
#include "gateway/model.h"
#include "io/environment.h"
#include "io/tap.h"
#include "observe/metrics.h"
#include "observe/record.h"
#include "policy/state.h"
#include "upstream/fault.h"

namespace gatelab::gateway {

struct Options {
  // Where targets really are, by "upstream/target": mocks. A target that is not here is resolved by its URL.
  std::map<std::string, Address> targets;
  // Asked for targets that are not there, by each worker on its own thread whenever it adopts a configuration: mocks that a
  // reload brings. May be null.
  std::function<std::optional<Address>(const std::string& target)> locate;
  // Scenarios: an upstream that is not in `targets` answers 502 unmocked-upstream instead of being connected to.
  bool hermetic = false;
  // Replace every listener's address by this one with port 0 (tests, --real); order of listeners is kept.
  bool ephemeral_listeners = false;
  // Called at the Log phase on the worker's thread with a detailed trace; must be quick. Null: traces are not detailed.
  std::function<void(const observe::Record&)> on_record;
  // Hears what passes through connections, of clients and to upstreams; null: nobody does. Must outlive the gateway.
  io::Tap* tap = nullptr;
  // Traces kept for /requests, per worker, at most one in a millisecond; 0: none.
  std::size_t keep_traces = 0;
  // Where access-log batches go (already formatted lines); null: according to the model's `log`.
  std::function<void(std::string_view)> log_sink;
  bool log_colour = false;
  // What people should know while it runs, one line each: of the state file. Any thread; may be null.
  std::function<void(std::string_view)> tell;
  // False: whatever `state` says, counts are in memory only.
  bool keep_state = true;
  // Spans go where `trace` says; else they are not made, and contexts are passed on all the same.
  bool export_traces = false;
  // The gateway's own: workers tell that spans wait.
  std::function<void()> spans_wait;
};

struct Bound {
  std::string name;
  Address address;   // with the real port; Address{} of a unix socket
  bool tls = false;
  std::string path;  // of a unix socket
  std::string url() const { return path.empty() ? (tls ? "https://" : "http://") + format(address) : "unix:" + path; }
};

struct ReloadReport {
  bool ok = false;
  std::uint64_t generation = 0;
  policy::StateStore::Report states;
  std::vector<Bound> listeners;
  std::string error;  // when not ok: one line
};

// One target of which something is known, as it is now.
struct TargetReport {
  std::string upstream, target;
  upstream::TargetState::View view;
};

// What `explain` says of one request, without sending it anywhere.
struct Explanation {
  observe::OwnedRecord record;                  // decisions up to Forward
  std::vector<route::Rejected> rejected;
  std::string canonical_path;
  std::string upstream;                         // where it would go; empty: a policy answered
  std::string target;                           // the target's URL; empty for a mock, and where there are several
  std::string_view balance;                     // how one of several is chosen; a literal
  struct Target { std::string name, url; std::uint32_t weight, tier; };
  std::vector<Target> targets;                  // those several
  std::string forwarded_path, forwarded_host;   // what the target would get; query included
  std::vector<std::pair<std::string, std::string>> timeouts;                               // that the route has otherwise than the upstream
  // Fields with underscores in their names, as they were sent, and what becomes of them.
  std::vector<std::pair<std::string, std::string_view>> underscores;
  std::uint16_t status = 0;                     // when a policy answered
};

class Gateway {
 public:
  Gateway(io::Environment& environment, Options options);
  ~Gateway();  // close() or drain() first
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  policy::StateStore& states() noexcept;

  // Binds every listener, takes over the state file, then serves. On failure nothing is bound. Before the loops run.
  Status start(std::shared_ptr<const Model> model);
  std::vector<Bound> listeners() const;
  std::uint64_t generation() const noexcept;

  // All or nothing: binds new listeners first, then publishes; workers adopt by message, exchanges in flight finish on
  // theirs, listeners that stay are never closed. Call on loop 0's thread (or through loop 0's post_remote).
  ReloadReport reload(std::shared_ptr<const Model> model);

  // SIGTERM: stops accepting, answers every request whose first octet was read, tells clients to close, then calls
  // `done` on loop 0. After `grace` what still runs is cut. Call on loop 0's thread.
  void drain(Duration grace, std::function<void()> done);

  // What quotas have counted until now is in the state file, or somebody was told why not. Waits for the disk; any thread.
  void write_state();
  // From here on it ends as a process does that is killed: drain() writes no state file. Loop 0's thread.
  void forget_state() noexcept;

  // Faults of targets (docs/faults.md), named "orders/primary", or "orders" for all of them. Any thread. ids: no-such-target,
  // no-tls.
  Status fault(const std::string& target, upstream::Fault fault);
  // `name` empty: all that were set on `target`. id: no-such-fault.
  Status clear_faults(const std::string& target, const std::string& name);
  std::vector<upstream::FaultState> faults() const;
  // Any thread: targets of upstreams with several, or with a breaker, health checks or limits. Sorted by name.
  std::vector<TargetReport> targets() const;
  // Sorted by name. Any thread.
  std::vector<CacheReport> caches() const;
  // How many answers. Any thread. ids: no-such-cache, bad-url, bad-tag.
  Result<std::size_t> purge(const PurgeRequest& request);
  // How many more requests a limit lets `key` make now: a consumer's name, an address or a header's value. id: no-such-limit.
  // Loop 0's thread.
  Result<std::uint64_t> remaining(const std::string& policy_id, const std::string& key) const;
  // Any thread. In the real world metrics are read while workers run.
  observe::MetricsText metrics() const;
  // The last traces, newest first.
  std::vector<observe::OwnedRecord> requests(std::size_t limit) const;
  // Who has asked, of all workers, sorted by name. Any thread.
  std::vector<observe::ConsumerReport> consumers() const;
  std::size_t in_flight() const noexcept;
  // Of clients, open now. Any thread.
  std::size_t connections() const;
  // While it drains: what is still in flight is cut now, each exchange with its record. Any thread.
  void cut();
  // Hands buffered access-log lines on; call before looking at what was logged, and at the end.
  void flush_logs();

  // The same walk as a request's, on one head, charging nothing. `raw` is a request head as on the wire. `as`: a consumer whom
  // the route's authenticators are not asked about; empty: they are.
  Result<Explanation> explain(const Model& model, std::string_view raw_head, const Address& client, Instant policy_now, std::string_view listener = {}, std::string_view as = {}) const;

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace gatelab::gateway
