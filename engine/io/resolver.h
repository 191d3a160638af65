// SPDX-License-Identifier: Apache-2.0
// Names to addresses: the seam that DNS and a simulated world's names stand behind.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "io/network.h"

namespace gatelab::io {

// Whom to ask for a host. No servers: as the system does (hosts file, resolv.conf).
struct Question {
  std::string host;
  std::vector<Address> servers;
};

struct Resolved {
  std::vector<IpAddress> addresses;  // never empty; in the order in which they should be tried (RFC 6724)
  // How long this is true, as DNS said, which may be 0; max(): for ever; none: nobody said, as in a hosts file.
  std::optional<Duration> ttl;
};

class Resolver {
 public:
  virtual ~Resolver() = default;
  // Literal addresses and "localhost" without asking anyone. NotFound is an answer: there is no such name, or none with an
  // address. TimedOut: nobody has answered. All else: who answered could not say, or nobody could be asked.
  virtual Task<IoResult<Resolved>> resolve(Loop& loop, Question question, Wait wait) = 0;
};

// What needs no asking; empty otherwise.
Resolved resolve_literal(const std::string& host, bool both_families);

}  // namespace gatelab::io
