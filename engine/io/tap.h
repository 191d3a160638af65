// SPDX-License-Identifier: Apache-2.0
// Listens in on connections: for recordings. Each method takes a connection on which messages are about to pass, TLS already
// undone, and gives back what is used in its place. Called on the loops' threads, once a connection: who does not listen pays one
// look at a pointer.
#pragma once

#include <cstdint>
#include <string_view>

#include "io/network.h"

namespace gatelab::io {

class Tap {
 public:
  virtual ~Tap() = default;
  // `connection`: its number, as the records of its exchanges have it (observe::Record::connection); `early`: octets that were
  // read already.
  virtual TransportPtr client(TransportPtr transport, std::uint64_t connection, std::string_view early) = 0;
  virtual TransportPtr upstream(TransportPtr transport, std::string_view upstream, std::string_view target) = 0;
};

}  // namespace gatelab::io
