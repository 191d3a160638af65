// SPDX-License-Identifier: Apache-2.0
// The simulated world: one thread, an in-memory network, a virtual clock, seeded dice (docs/time.md). Same seed, same
// events. Time moves only inside run_until_idle / advance. Used by the scenario runner and by tests.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/environment.h"

namespace gatelab::io {

struct SimOptions {
  std::uint64_t seed = 1;
  Instant start = Instant::from_seconds(1'767'225'600);  // 2026-01-01T00:00:00Z
  std::uint32_t workers = 2;                             // logical workers; the seed interleaves their turns
  std::size_t socket_buffer = 64 * 1024;
  // Seeded segmentation: reads and writes are cut at random places. Off only in unit tests that say why.
  bool segmentation = true;
  Duration latency{};  // one way
  std::uint64_t events_per_instant = 1'000'000;
};

// How a step of simulated time ended.
enum class SimEnd : std::uint8_t {
  Idle,      // the condition holds (or, for drain, nothing can run at this instant)
  Stuck,     // the condition does not hold and only background timers or nothing at all remain
  Livelock,  // events_per_instant ran without time moving
  Budget,    // the time budget of the step is used up
};

class Simulation {
 public:
  explicit Simulation(const SimOptions& options);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  Environment& environment() noexcept;
  Instant now() const noexcept;
  // An extra loop that is not one of the gateway's workers: for clients and mocks.
  Loop& outside() noexcept;

  // Runs all that can run now, without moving time.
  SimEnd drain();
  // Jumps from timer to timer until `done()` holds; at most `budget` of virtual time.
  SimEnd run_until(const std::function<bool()>& done, Duration budget);
  // Fires every timer up to now + d in (instant, sequence) order, draining at each; ends at exactly now + d.
  SimEnd advance(Duration d);
  // The waits in flight, one text each ("upstream response (deadline +4.2s)"), sorted: for `stuck`.
  std::vector<std::string> waiting() const;
  // Grows with every event and its kind and instant: equal for equal seeds. For the determinism test and reports.
  std::uint64_t trace_hash() const noexcept;

  // Files that exist in this world besides the real ones: read() looks here first.
  void add_file(std::string path, std::string text);
  // Names for the resolver; unknown names are NotFound, literals and localhost resolve.
  // `ttl`: none says nothing of how long this holds.
  void add_name(std::string host, std::vector<IpAddress> addresses, std::optional<Duration> ttl = std::nullopt);
  // How the DNS servers of a name behave. Slow: they answer after `delay`; Silent: never, and who asks gives up after some
  // seconds as on sockets; Failing: they say that they don't know (SERVFAIL).
  enum class Dns : std::uint8_t { Normal, Slow, Silent, Failing };
  void set_dns(const std::string& host, Dns dns, Duration delay = {});
  std::size_t times_asked(const std::string& host) const;
  // Faults of the network, by remote address: Refuse, Hang (SYN lost), or none. reset_all also cuts open connections.
  enum class Reach : std::uint8_t { Normal, Refuse, Hang };
  void set_reach(const Address& address, Reach reach);
  void reset_connections(const Address& address);

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace gatelab::io
