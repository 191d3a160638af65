// SPDX-License-Identifier: Apache-2.0
// One upstream as a worker sees it: where its target is, how long to wait for it, and its pool. Belongs to a worker's
// snapshot; used on that worker's thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/environment.h"
#include "observe/reason.h"
#include "upstream/config.h"
#include "upstream/pool.h"

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

class Upstream {
 public:
  // `config` must outlive this. `fixed`: where the target really is (a mock). `unmocked`: refuse to connect at all.
  Upstream(const Config& config, std::shared_ptr<Pool> pool, std::optional<Address> fixed, bool unmocked);

  const std::string& name() const noexcept { return config_.name; }
  const Config& config() const noexcept { return config_; }
  const Timeouts& timeouts() const noexcept { return config_.timeouts; }
  const std::string& target() const noexcept { return target_; }     // the target's name
  const std::string& authority() const noexcept { return authority_; }  // host[:port] of its URL; empty for a mock
  // Of the pool, with this upstream's limits.
  io::TransportPtr take(Instant now, const Behalf& behalf) noexcept { return pool_->take(now, config_.keep_alive_idle, owner(behalf)); }
  void give(io::TransportPtr transport, Instant now, const Behalf& behalf) noexcept { pool_->give(std::move(transport), now, config_.keep_alive, owner(behalf)); }
  void sweep(Instant now) noexcept { pool_->sweep(now, config_.keep_alive_idle); }

  // Resolves and connects, trying each address in turn within the connect timeout and `wait`'s deadline.
  io::Task<Opened> open(io::Loop& loop, io::Network& network, io::Resolver& resolver, io::Wait wait, const Behalf& behalf = kNobody);

 private:
  io::Task<void> secure(Opened& opened, io::TransportPtr transport, io::Wait wait);
  // A connection that spoke for one client speaks for no other.
  Address owner(const Behalf& behalf) const noexcept;
  // Says the PROXY header, if the target wants one. False: `opened` says why not.
  io::Task<bool> announce(Opened& opened, io::Wait wait, const Behalf& behalf);
  io::Task<void> connect(Opened& opened, io::Network& network, const std::vector<Address>& addresses, io::Loop& loop, io::Wait wait);

  const Config& config_;
  std::shared_ptr<Pool> pool_;
  std::optional<Address> fixed_;
  bool unmocked_;
  std::string target_;
  std::string authority_;
};

}  // namespace gatelab::upstream
