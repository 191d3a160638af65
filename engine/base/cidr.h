// SPDX-License-Identifier: Apache-2.0
// Ranges of addresses, as values: 10.0.0.0/8, fd00::/8, one address alone, and the word `unix` for peers that come over a
// unix socket and have no address. Immutable once parsed; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace gatelab {

struct Cidr {
  IpAddress base;
  std::uint8_t bits = 0;  // of the base: 0..32 for IPv4, 0..128 for IPv6
  constexpr auto operator<=>(const Cidr&) const noexcept = default;
  bool contains(const IpAddress& ip) const noexcept;
  // True if all of `other` lies in it.
  bool covers(const Cidr& other) const noexcept { return bits <= other.bits && contains(other.base); }
};

// An address alone is a range of one. Octets beyond the prefix must be zero: 10.1.2.3/8 is more likely a mistake than a
// wish. A range of IPv4 addresses mapped into IPv6 is that range of IPv4, as their addresses are. Id: bad-cidr.
Result<Cidr> parse_cidr(std::string_view text);
std::string format(const Cidr& range);

// ::ffff:192.0.2.1 is 192.0.2.1: a dual-stack socket and a PROXY header say it so.
IpAddress without_mapping(const IpAddress& ip) noexcept;

class AddressSet {
 public:
  // A range, or `unix`.
  Status add(std::string_view text);
  bool empty() const noexcept { return ranges_.empty() && !unix_; }
  bool contains(const IpAddress& ip) const noexcept;
  std::string text() const;

 private:
  std::vector<Cidr> ranges_;
  bool unix_ = false;
};

}  // namespace gatelab
