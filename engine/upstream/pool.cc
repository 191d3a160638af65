// SPDX-License-Identifier: Apache-2.0
#include "upstream/pool.h"

#include <utility>

namespace gatelab::upstream {

io::TransportPtr Pool::take(Instant now, Duration max_idle, const Address& owner) noexcept {
  if (idle_.empty()) return nullptr;
  if (now - idle_.back().since > max_idle) {
    clear();  // the newest is too old, so all are
    return nullptr;
  }
  for (std::size_t i = idle_.size(); i-- > 0;) {
    if (idle_[i].owner != owner || now - idle_[i].since > max_idle) continue;
    io::TransportPtr transport = std::move(idle_[i].transport);
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(i));
    return transport;
  }
  return nullptr;
}

void Pool::give(io::TransportPtr transport, Instant now, std::size_t capacity, const Address& owner) noexcept {
  if (capacity == 0) return transport->close();
  if (idle_.size() >= capacity) {
    // Those of clients that have gone would keep the others out.
    if (owner == Address{}) return transport->close();
    idle_.front().transport->close();
    idle_.erase(idle_.begin());
  }
  idle_.push_back({std::move(transport), now, owner});
}

void Pool::sweep(Instant now, Duration max_idle) noexcept {
  std::erase_if(idle_, [&](const Idle& idle) {
    if (now - idle.since <= max_idle && idle.transport->peer_state() == io::Transport::Peer::Quiet) return false;
    idle.transport->close();
    return true;
  });
}

void Pool::retain(const std::function<bool(const Address&)>& stays) {
  std::erase_if(idle_, [&](const Idle& idle) {
    if (stays(idle.transport->peer())) return false;
    idle.transport->close();
    return true;
  });
}

void Pool::clear() noexcept {
  for (Idle& idle : idle_) idle.transport->close();
  idle_.clear();
}

}  // namespace gatelab::upstream
