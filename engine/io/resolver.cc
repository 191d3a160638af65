// SPDX-License-Identifier: Apache-2.0
#include "io/resolver.h"

namespace gatelab::io {

Resolved resolve_literal(const std::string& host, bool both_families) {
  Resolved out;
  out.ttl = Duration::max();
  if (const auto literal = parse_ip(host)) {
    out.addresses.push_back(*literal);
  } else if (host == "localhost") {
    out.addresses.push_back(*parse_ip("127.0.0.1"));
    if (both_families) out.addresses.push_back(*parse_ip("::1"));
  }
  return out;
}

}  // namespace gatelab::io
