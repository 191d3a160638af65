// SPDX-License-Identifier: Apache-2.0
// DNS by c-ares, which tells how long an answer holds; names that only the system's own ways know (mDNS, LDAP) by
// getaddrinfo. Any thread; blocks for at most some seconds, so it is called from Compute.
#pragma once

#include "io/resolver.h"

namespace gatelab::io {

// No addresses: nobody knows the name.
Resolved ask_dns(const Question& question);

}  // namespace gatelab::io
