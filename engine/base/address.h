// SPDX-License-Identifier: Apache-2.0
// An IP address with a port, as a value; no resolver, no system call. Any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gatelab {

struct IpAddress {
  enum class Family : std::uint8_t { None, V4, V6 };
  Family family = Family::None;
  std::array<std::uint8_t, 16> octets{};  // V4 uses the first four
  constexpr auto operator<=>(const IpAddress&) const noexcept = default;
};

struct Address {
  IpAddress ip;
  std::uint16_t port = 0;
  constexpr auto operator<=>(const Address&) const noexcept = default;
};

// Dotted IPv4 or RFC 4291 IPv6 without brackets or zone.
Result<IpAddress> parse_ip(std::string_view text);
// host:port with a literal host: 127.0.0.1:8080, [::1]:8080. Port 0 is allowed.
Result<Address> parse_address(std::string_view text);
// 127.0.0.0/8, ::1.
bool is_loopback(const IpAddress& ip) noexcept;
// RFC 5952 for IPv6; "-" for Family::None.
std::string format(const IpAddress& ip);
std::string format(const Address& a);  // brackets around IPv6
// Writes at most 46 octets at `out`; returns how many. For the access log, which must not allocate.
std::size_t format_to(const IpAddress& ip, char* out) noexcept;

}  // namespace gatelab
