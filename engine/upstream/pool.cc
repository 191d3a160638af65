// SPDX-License-Identifier: Apache-2.0
#include "upstream/pool.h"

#include <utility>

namespace gatelab::upstream {

io::TransportPtr Pool::take(Instant now, Duration max_idle) noexcept {
  if (idle_.empty()) return nullptr;
  if (now - idle_.back().since > max_idle) {
    clear();  // the newest is too old, so all are
    return nullptr;
  }
  io::TransportPtr transport = std::move(idle_.back().transport);
  idle_.pop_back();
  return transport;
}

void Pool::give(io::TransportPtr transport, Instant now, std::size_t capacity) noexcept {
  if (idle_.size() >= capacity) {
    transport->close();
    return;
  }
  idle_.push_back({std::move(transport), now});
}

void Pool::sweep(Instant now, Duration max_idle) noexcept {
  std::erase_if(idle_, [&](const Idle& idle) {
    if (now - idle.since <= max_idle && idle.transport->peer_state() == io::Transport::Peer::Quiet) return false;
    idle.transport->close();
    return true;
  });
}

void Pool::clear() noexcept {
  for (Idle& idle : idle_) idle.transport->close();
  idle_.clear();
}

}  // namespace gatelab::upstream
