// SPDX-License-Identifier: Apache-2.0
// One upstream as a worker sees it: its targets, where they are, their pools, and which of them is next. Belongs to a
// worker's snapshot; used on that worker's thread only.
#pragma once

#include <bitset>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "http/message.h"
#include "io/environment.h"
#include "io/tap.h"
#include "observe/reason.h"
#include "upstream/addresses.h"
#include "upstream/config.h"
#include "upstream/fault.h"
#include "upstream/pool.h"
#include "upstream/target_name.h"

namespace gatelab::upstream {

// How opening a connection ended: a transport, or the reason why there is none (a constant of observe::reason).
struct Opened {
  io::TransportPtr transport;
  const observe::Reason* failure = nullptr;
  Address address;
  std::string_view handshake;  // of TLS: "full", "resumed", or why it failed; empty: there was none
};

// Whose connection it is going to be, for targets that are told by a PROXY header.
struct Behalf {
  Address client, local;
};
inline constexpr Behalf kNobody{};

// One target as a worker sees it. Its thread only.
class Target {
 public:
  // Where a target is; `fixed`: not where its URL says (a mock); `unmocked`: nowhere at all.
  struct Place {
    std::shared_ptr<Pool> pool;
    std::optional<Address> fixed;
    bool unmocked = false;
    TargetFaults* faults = nullptr;  // what it is made to suffer; null: nothing ever
    std::shared_ptr<TargetName> name;  // kept beside the pool; null: the target has its own
    Questions* questions = nullptr;    // of a target that is where a name says; outlives its last request
  };
  // `first_address`: which of several its connections begin with.
  Target(const Config& upstream, const TargetConfig* config, Place place, std::uint32_t first_address);

  const std::string& name() const noexcept { return name_; }
  const std::string& authority() const noexcept { return authority_; }  // host[:port] of its URL; empty for a mock
  TargetState* state() const noexcept { return state_; }                // null: nothing is known of it
  const std::string& cookie() const noexcept { return cookie_; }        // what a sticky cookie says
  void set_cookie(std::string cookie) { cookie_ = std::move(cookie); }
  // Of the pool, with the upstream's limits.
  io::TransportPtr take(const Clock& clock, const Behalf& behalf) noexcept {
    if (place_.faults != nullptr && place_.faults->active()) return take_faulty(clock, behalf);
    return place_.pool->take(clock.io_now(), upstream_.keep_alive_idle, owner(behalf));
  }
  void give(io::TransportPtr transport, Instant now, const Behalf& behalf) noexcept {
    if (place_.faults != nullptr && place_.faults->was_active()) transport = place_.faults->unwrap(std::move(transport));
    if (named_ && !place_.name->addresses().holds(transport->peer().ip)) return transport->close();
    place_.pool->give(std::move(transport), now, upstream_.keep_alive, owner(behalf));
  }
  // A fault has taken the request that was written to `transport`, one of this target's: the target was not asked.
  bool plays_on(const io::Transport& transport) const noexcept;
  void sweep(Instant now) noexcept { place_.pool->sweep(now, upstream_.keep_alive_idle); }

  // When DNS has to be asked again, without a request; max(): it doesn't have to be, or is being asked.
  Instant addresses_expire() const noexcept { return named_ && !place_.name->asking() ? place_.name->addresses().refresh_at(upstream_.names) : Instant::max(); }
  // Whether a connection is open that a change of addresses would concern.
  bool connected() const noexcept { return place_.pool->live()->size() > 0; }
  // Asks DNS, unless it is being asked. The answer comes beside everything else.
  void refresh_addresses(io::Loop& loop, io::Resolver& resolver);

  // Resolves and connects (reach.cc), within the connect timeout and `wait`'s deadline.
  // `tap`: hears what is truly on the wire, below the faults that the target is made to suffer; null: nobody does.
  io::Task<Opened> open(io::Loop& loop, io::Network& network, io::Resolver& resolver, io::Wait wait, const Behalf& behalf = kNobody, io::Tap* tap = nullptr);

 private:
  io::Task<void> reach(Opened& opened, io::Loop& loop, io::Network& network, io::Resolver& resolver, io::Wait wait);
  io::TransportPtr take_faulty(const Clock& clock, const Behalf& behalf) noexcept;
  io::Task<void> secure(Opened& opened, io::TransportPtr transport, bool distrust, io::Wait wait);
  // A connection that spoke for one client speaks for no other.
  Address owner(const Behalf& behalf) const noexcept;
  // Says the PROXY header, if the target wants one. False: `opened` says why not.
  io::Task<bool> announce(Opened& opened, io::Wait wait, const Behalf& behalf);
  io::Task<const observe::Reason*> find_addresses(io::Loop& loop, io::Resolver& resolver, io::Wait wait);
  io::Task<void> connect(Opened& opened, io::Loop& loop, io::Network& network, const std::vector<Address>& addresses, io::Wait wait);

  const Config& upstream_;
  const TargetConfig* config_;  // null: a mock
  Place place_;
  bool named_ = false;  // its URL has a name that DNS has to be asked for
  std::uint32_t turn_;  // of its connections: each begins with another address
  TargetState* state_;
  std::shared_ptr<const crypto::TlsContext> untrusting_;  // made when a fault first wants it
  std::string name_, authority_, cookie_;
};

// Why there is no connection, where the network has failed.
const observe::Reason* connect_failure(io::Code code) noexcept;

// What a choice may depend on.
struct Asker {
  const http::Fields& fields;
  Address client;
  std::string_view consumer;
};

// The targets that a request has been to; few need it.
using TriedTargets = std::bitset<kMaxTargets>;

class Upstream {
 public:
  // `config` must outlive this. `places`: one a target, in their order; one for a mock.
  Upstream(const Config& config, std::vector<Target::Place> places, Dice dice);

  const std::string& name() const noexcept { return config_.name; }
  const Config& config() const noexcept { return config_; }
  const Timeouts& timeouts() const noexcept { return config_.timeouts; }
  std::span<Target> targets() noexcept { return targets_; }
  std::size_t index_of(const Target& target) const noexcept { return static_cast<std::size_t>(&target - targets_.data()); }
  void sweep(Instant now) noexcept {
    for (Target& target : targets_) target.sweep(now);
  }

  // A target, and the right to send a request there: every Choice with a target goes back by leave().
  struct Choice {
    Target* target = nullptr;
    TargetState::Pass pass;
    const observe::Reason* none = nullptr;  // why there is no target
    Duration open_for{};                    // of circuit-open: until the first breaker lets a request through; zero: nobody knows
    bool sets_cookie = false;               // the answer has to bring the sticky cookie
  };
  Choice choose(const Asker& asker, const TriedTargets* tried, const Clock& clock) noexcept {
    if (simple_) return {&targets_.front(), {}, nullptr, {}, false};
    return choose_one(asker, tried, clock.policy_now());
  }
  void leave(Choice& choice, const TargetState::Result& result, const Clock& clock) noexcept {
    if (choice.pass.entered) leave_one(choice, result, clock.policy_now());
  }

 private:
  Choice choose_one(const Asker& asker, const TriedTargets* tried, Instant now) noexcept;
  void leave_one(Choice& choice, const TargetState::Result& result, Instant now) noexcept;
  bool enter(Choice& choice, std::size_t index, bool anyway, Instant now) noexcept;
  Target* by_cookie(const Asker& asker, const TriedTargets* tried, Instant now) noexcept;
  const observe::Reason& why_none(Instant now) const noexcept;
  Duration open_for(Instant now) const noexcept;
  std::uint64_t hash_of(const Asker& asker) const noexcept;

  const Config& config_;
  bool simple_;  // one target of which nothing has to be known
  std::vector<Target> targets_;
  std::vector<balance::Seat> seats_;  // of the choice that is being made
  std::optional<balance::Balancer> balancer_;
  Dice dice_;
};

}  // namespace gatelab::upstream
