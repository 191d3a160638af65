// SPDX-License-Identifier: Apache-2.0
// Open connections of one listener by client address, over all workers. It holds no more entries than there are open
// connections, so the listener's own limit bounds it. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "base/address.h"

namespace gatelab::gateway {

class ClientCounts {
 public:
  // False: the client has `limit` connections already; nothing is counted then.
  bool enter(const IpAddress& client, std::uint32_t limit) {
    std::lock_guard lock(mutex_);
    std::uint32_t& open = open_[key(client)];
    if (open >= limit) return false;
    ++open;
    return true;
  }
  void leave(const IpAddress& client) {
    std::lock_guard lock(mutex_);
    const auto known = open_.find(key(client));
    if (known != open_.end() && --known->second == 0) open_.erase(known);
  }

 private:
  // Whoever has one IPv6 address has the 2^64 of its network.
  static IpAddress key(IpAddress client) noexcept {
    if (client.family != IpAddress::Family::V6) return client;
    for (std::size_t i = 8; i < 16; ++i) client.octets[i] = 0;
    return client;
  }
  std::mutex mutex_;
  std::map<IpAddress, std::uint32_t> open_;
};

}  // namespace gatelab::gateway
