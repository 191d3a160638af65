// SPDX-License-Identifier: Apache-2.0
// What stands before the first request of a connection: a PROXY header, where the listener wants or allows one. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/address.h"
#include "io/network.h"

namespace gatelab::proxy {

// Who is connected with what: of the transport, or of a PROXY header.
struct Ends {
  Address client, local;
  std::uint64_t connection = 0;  // its number within the gateway: behind unix sockets addresses tell nothing apart
};

enum class ProxyMode : std::uint8_t { Off, Optional, Required };

// How it went. `early` holds octets that were read and belong to the connection itself.
struct Preface {
  bool ok = false;
  Ends ends;
  std::string early;
};

// Reads the header, and not an octet more, within `wait`. `ends` are the connection's own; they stay where the header
// names none. The caller has made sure that the peer may be believed.
io::Task<Preface> read_preface(io::Transport& transport, ProxyMode mode, Ends ends, io::Wait wait);

}  // namespace gatelab::proxy
