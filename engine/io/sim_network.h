// SPDX-License-Identifier: Apache-2.0
// The in-memory network: bounded buffers, partial reads and writes that the seed chooses, latency, refusal, reset. Private
// to the simulated world. One thread.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "io/sim.h"
#include "io/sim_core.h"

namespace gatelab::io {

class SimListener;
struct SimLink;

class SimNetwork final : public Network {
 public:
  SimNetwork(SimCore& core, const SimOptions& options) : core_(core), options_(options), random_(options.seed) {}

  Result<std::unique_ptr<Listener>> listen(Loop& loop, const Endpoint& endpoint) override;
  Task<IoResult<TransportPtr>> connect(Loop& loop, Address to, Wait wait) override;
  Task<IoResult<TransportPtr>> connect_unix(Loop& loop, std::string path, Wait wait) override;
  Task<IoResult<TransportPtr>> connect_from(Loop& loop, IpAddress from, Address to, Wait wait) override;
  void set_reach(const Address& address, Simulation::Reach reach) { reach_[address] = reach; }
  void reset_connections(const Address& address);
  void forget(const Endpoint& endpoint);

 private:
  SimListener* find(const Address& to) const;
  TransportPtr open_link(Loop& loop, SimListener& listener, const Address& from, const Address& to);
  std::uint16_t free_port(const IpAddress& ip);

  SimCore& core_;
  SimOptions options_;
  Random random_;
  std::map<Address, SimListener*> listeners_;
  std::map<std::string, SimListener*> named_;  // unix sockets, and those that "systemd" hands over
  std::map<Address, Simulation::Reach> reach_;
  std::vector<std::weak_ptr<SimLink>> links_;
  std::uint64_t next_link_ = 0;
  std::uint16_t next_client_port_ = 49'152;
  std::uint16_t next_listener_port_ = 40'000;
};

}  // namespace gatelab::io
