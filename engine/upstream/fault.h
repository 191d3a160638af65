// SPDX-License-Identifier: Apache-2.0
// Faults of targets: what a target is made to suffer by those who test what becomes of its clients, the same for mocks and for
// targets that are really there. `Faults` belongs to a Gateway and outlives its configurations; any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/units.h"
#include "crypto/tls_context.h"
#include "io/network.h"
#include "observe/reason.h"

namespace gatelab::upstream {

struct Fault {
  // The first three meet a connection that is to be made, the others a request on its connection.
  enum class Kind : std::uint8_t { Refuse, Dns, Tls, Reset, Hang, Close, Truncate, Garbage, Status, Slow, Drip, Throttle, HalfOpen };
  static constexpr std::array<std::string_view, 13> kKinds{"refuse", "dns", "tls", "reset", "hang", "close", "truncate", "garbage", "status", "slow", "drip", "throttle", "half-open"};

  Kind kind = Kind::Refuse;
  std::string name;                // it is cleared by; another of the same name takes its place
  Share share{1'000'000};          // of the connections or requests that it could meet
  std::uint64_t count = 0;         // of those that it does meet: none after so many; 0: no limit
  Duration lasts{};                // `for`; zero: until it is cleared
  Duration every{};                // with `lasts`: it comes again and again, at this distance; zero: once
  std::string method, path;        // `when`: of the request; empty: any. A path that ends in * is a prefix
  Duration delay{};                // before it plays; slow: before the answer; drip: between octets
  std::uint64_t rate = 0;          // throttle: octets a second, in each direction
  std::uint64_t after = 0;         // reset, close: octets of the answer that pass; truncate: of its body
  std::uint16_t status = 503;      // status
  std::vector<std::pair<std::string, std::string>> headers;  // status
  std::shared_ptr<std::atomic<std::uint64_t>> counter;       // goes up with each that it meets, also for who asks later; may be null

  std::string_view word() const noexcept { return kKinds[static_cast<std::size_t>(kind)]; }
  bool meets_connections() const noexcept { return kind <= Kind::Tls; }
  // Nothing is to be spared: what is open now suffers too.
  bool is_whole() const noexcept { return share.millionths == 1'000'000 && count == 0 && method.empty() && path.empty() && delay == Duration{} && after == 0; }
};

// What is there, for people.
struct FaultState {
  std::string target;     // "orders/primary", or "orders" if all of its targets have it
  Fault fault;
  Instant since;
  std::uint64_t met = 0;  // connections or requests
};

class Faults;

// What one target suffers now. Lives as long as its Faults.
class TargetFaults {
 public:
  TargetFaults(Faults& owner, std::string upstream, std::string target);
  TargetFaults(const TargetFaults&) = delete;
  TargetFaults& operator=(const TargetFaults&) = delete;

  // Cheap, on the hot path. False: nothing below need be asked.
  bool active() const noexcept { return active_.load(std::memory_order_relaxed); }
  // There was a fault once. What give() takes may be wrapped then.
  bool was_active() const noexcept { return was_active_.load(std::memory_order_relaxed); }

  // Of a connection that is about to be made, on the loop of whoever makes it. `now`: policy time.
  struct Connect {
    const observe::Reason* failure = nullptr;  // it fails with this, and nobody is called; null: go on
    Duration delay{};                          // before that
    bool distrust = false;                     // the TLS handshake trusts nobody: untrusting(), and no sessions
  };
  Connect connect(Instant now) noexcept;
  // Connections that were kept are not used: each request makes one, and meets what there is.
  bool drops_kept(Instant now) noexcept;

  // A connection that was made or taken from the pool, for one request: it suffers what that request meets. `transport`
  // itself if nothing can happen.
  io::TransportPtr wrap(io::TransportPtr transport) noexcept;
  // Its request is over and it is to be kept: the connection itself.
  io::TransportPtr unwrap(io::TransportPtr transport) noexcept;

  // `live`, which belongs to `loop`, holds every open connection of one worker to this target: it is broken off when a fault
  // says so.
  void attach(io::Loop& loop, const std::shared_ptr<io::LiveTransports>& live);

  const std::string& upstream() const noexcept { return upstream_; }
  const std::string& target() const noexcept { return target_; }

 private:
  friend class Faults;
  friend class FaultTransport;
  struct Held;
  struct Site {
    io::Loop* loop;
    std::weak_ptr<io::LiveTransports> live;
  };
  // The fault that a request meets; null: none. For FaultTransport.
  std::shared_ptr<const Fault> request(Instant now, std::string_view method, std::string_view path) noexcept;
  std::shared_ptr<const Held> meet(Instant now, bool connection, std::string_view method, std::string_view path) noexcept;
  // The owner's lock is held:
  void look_again(Instant now) noexcept;
  void break_off();

  Faults& owner_;
  const std::string upstream_, target_;
  std::atomic<bool> active_{false}, was_active_{false};
  // The owner's lock guards these.
  std::vector<std::shared_ptr<Held>> held_;  // in the order in which they were set
  std::vector<Site> sites_;
  std::array<std::uint64_t, Fault::kKinds.size()> injected_{};
};

class Faults {
 public:
  explicit Faults(Random random) noexcept : random_(random) {}
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  // Made when it is asked for first; stays where it is.
  TargetFaults& of(const std::string& upstream, const std::string& target);

  // `target`: "orders/primary", or "orders" for all of its targets, those too that come later. Another fault of the same name
  // on the same target goes. `now`: policy time.
  void set(const std::string& target, Fault fault, Instant now);
  // How many went; `name` empty: all that were set on `target`, and for an upstream those of each of its targets.
  std::size_t clear(const std::string& target, std::string_view name, Instant now);
  // Those that are not over.
  std::vector<FaultState> all(Instant now) const;
  // Connections and requests that met a fault: "orders/primary", kind, how many. Those that met none are left out.
  struct Injected {
    std::string target;
    std::string_view kind;
    std::uint64_t count;
  };
  std::vector<Injected> injected() const;

 private:
  friend class TargetFaults;
  struct Entry {
    std::string target;
    std::shared_ptr<TargetFaults::Held> held;
    bool is_of(const TargetFaults& one) const noexcept;
  };
  mutable std::mutex mutex_;
  Random random_;
  std::uint64_t set_so_far_ = 0;
  std::vector<Entry> entries_;
  std::map<std::string, std::unique_ptr<TargetFaults>> targets_;  // "orders/primary"
};

// A client's context that is like `context` and trusts nobody: every handshake fails as that with a certificate of an unknown
// CA. Made once and kept by whoever asks.
Result<std::shared_ptr<const crypto::TlsContext>> untrusting(const crypto::TlsContext& context);

}  // namespace gatelab::upstream
