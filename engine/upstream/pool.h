// SPDX-License-Identifier: Apache-2.0
// Connections to one target, kept open between exchanges. One pool a worker and target: nothing here is shared between
// threads. Pools outlive configurations (design §9): a reload finds a target's pool again by its key.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <functional>

#include "base/time.h"
#include "crypto/tls_engine.h"
#include "io/network.h"

namespace gatelab::upstream {

class Pool {
 public:
  // The connection that was used last, or null. What has been idle for longer than `max_idle` is closed, never given.
  // `owner`: only one that was given back under the same.
  io::TransportPtr take(Instant now, Duration max_idle, const Address& owner = {}) noexcept;
  // Keeps `transport` for the next exchange, or closes it when `capacity` connections are idle already.
  void give(io::TransportPtr transport, Instant now, std::size_t capacity, const Address& owner = {}) noexcept;
  // Closes what has been idle too long or was closed by the target. Called now and then by the worker.
  void sweep(Instant now, Duration max_idle) noexcept;
  void clear() noexcept;
  // Closes the idle ones to other places than these.
  void retain(const std::function<bool(const Address&)>& stays);
  std::size_t idle() const noexcept { return idle_.size(); }

  // Every open connection to the target that was made through this pool, idle or not.
  const std::shared_ptr<io::LiveTransports>& live() const noexcept { return live_; }

  // TLS sessions of the same target.
  const std::shared_ptr<crypto::TlsSessions>& sessions() const noexcept { return sessions_; }

 private:
  struct Idle {
    io::TransportPtr transport;
    Instant since;
    Address owner;
  };
  std::vector<Idle> idle_;  // oldest first
  std::shared_ptr<io::LiveTransports> live_ = std::make_shared<io::LiveTransports>();
  std::shared_ptr<crypto::TlsSessions> sessions_ = std::make_shared<crypto::TlsSessions>();
};

}  // namespace gatelab::upstream
