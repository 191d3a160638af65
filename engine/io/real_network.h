// SPDX-License-Identifier: Apache-2.0
// Sockets of the system. Private to the real world.
#pragma once

#include "io/network.h"
#include "io/real_loop.h"

namespace gatelab::io {

class RealNetwork final : public Network {
 public:
  Result<std::unique_ptr<Listener>> listen(Loop& loop, const Endpoint& endpoint) override;
  Task<IoResult<TransportPtr>> connect(Loop& loop, Address to, Wait wait) override;
  Task<IoResult<TransportPtr>> connect_unix(Loop& loop, std::string path, Wait wait) override;
  Task<IoResult<TransportPtr>> connect_from(Loop& loop, IpAddress from, Address to, Wait wait) override;
};

}  // namespace gatelab::io
