// SPDX-License-Identifier: Apache-2.0
// DNS by c-ares, which tells how long an answer holds; names that only the system's own ways know (mDNS, LDAP) by
// getaddrinfo. Any thread; blocks for at most some seconds, so it is called from Compute.
#pragma once

#include <functional>

#include "io/resolver.h"

namespace gatelab::io {

// getaddrinfo: Ok, or as Resolver says.
Code ask_system(const std::string& host, Resolved& out);

// How names are asked for; tests have other servers and less patience.
struct DnsWays {
  int timeout_ms = 2000, tries = 2;                               // of each server; the time doubles with each try
  std::vector<Address> servers;                                   // the system's; none: those of resolv.conf
  std::function<Code(const std::string&, Resolved&)> other_ways = ask_system;  // where a question names no servers of its own
};

// With servers of its own a question is for them alone; else the hosts file, DNS, and then the system's other ways are
// asked. Fails as Resolver says.
IoResult<Resolved> ask_dns(const Question& question, const DnsWays& ways = {});

}  // namespace gatelab::io
