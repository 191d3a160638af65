// SPDX-License-Identifier: Apache-2.0
// Where to listen: an address, a unix socket, or a socket that whoever started the program has opened already. A value;
// any thread. Peers are Addresses: a path has no place on the hot path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/address.h"

namespace gatelab {

struct Endpoint {
  enum class Kind : std::uint8_t { Ip, Unix, Inherited };
  Endpoint() = default;
  Endpoint(const Address& a) : address(a) {}  // NOLINT: implicit on purpose

  Kind kind = Kind::Ip;
  Address address;            // Ip
  bool both = false;          // Ip: every IPv6 address, and IPv4 through the same socket
  std::string name;           // Unix: the path; Inherited: the name it was given
  std::uint32_t mode = 0600;  // Unix: permissions of the file
};

inline constexpr std::size_t kMaxUnixPath = 107;  // sockaddr_un's room, without its NUL

// 127.0.0.1:8080, [::1]:8080, localhost:8080 (127.0.0.1), :8080 (both families), unix:/path, systemd:NAME.
// Ids: bad-address.
Result<Endpoint> parse_endpoint(std::string_view text);
std::string format(const Endpoint& endpoint);
// The same place; permissions are no part of it.
bool same_place(const Endpoint& a, const Endpoint& b) noexcept;

}  // namespace gatelab
