// SPDX-License-Identifier: Apache-2.0
// The PROXY protocol, versions 1 (text) and 2 (binary): how a proxy in front says who connected to it, once, before the first
// octet of the connection. Octets in, values out; pure, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/address.h"

namespace gatelab::http {

enum class ProxyProtocol : std::uint8_t { None, V1, V2 };

struct ProxyHeader {
  enum class State : std::uint8_t {
    NeedMore,  // may become a header
    Done,      // `size` octets are the header
    Absent,    // what is there can't be the beginning of one
    Broken,    // it is one, and it is wrong or too long
  } state = State::NeedMore;
  std::size_t size = 0;
  bool known = false;  // false: LOCAL or UNKNOWN, the connection's own addresses count
  Address source, destination;
};

// A header longer than this is Broken: addresses need 36 octets, the rest is extensions (TLVs), which are skipped.
inline constexpr std::size_t kMaxProxyHeader = 4096;

ProxyHeader parse_proxy_header(std::string_view octets) noexcept;

// Either family may be mapped into the other's header; without two addresses it says UNKNOWN (v1) or UNSPEC (v2).
std::string write_proxy_header(ProxyProtocol version, const Address& source, const Address& destination);

}  // namespace gatelab::http
