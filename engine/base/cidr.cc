// SPDX-License-Identifier: Apache-2.0
#include "base/cidr.h"

#include <algorithm>

#include "base/text.h"

namespace gatelab {
namespace {

using Family = IpAddress::Family;

constexpr std::size_t kMappedBits = 96;  // of ::ffff:0:0/96

std::size_t width(Family family) noexcept { return family == Family::V4 ? 32 : 128; }

IpAddress masked(IpAddress ip, std::size_t bits) noexcept {
  for (std::size_t i = 0; i < ip.octets.size(); ++i) {
    const std::size_t kept = bits > i * 8 ? std::min<std::size_t>(bits - i * 8, 8) : 0;
    ip.octets[i] = static_cast<std::uint8_t>(ip.octets[i] & static_cast<std::uint8_t>(0xff00U >> kept));
  }
  return ip;
}

}  // namespace

IpAddress without_mapping(const IpAddress& ip) noexcept {
  if (ip.family != Family::V6) return ip;
  for (std::size_t i = 0; i < 12; ++i)
    if (ip.octets[i] != (i < 10 ? 0 : 0xff)) return ip;
  IpAddress v4;
  v4.family = Family::V4;
  std::copy_n(ip.octets.begin() + 12, 4, v4.octets.begin());
  return v4;
}

bool Cidr::contains(const IpAddress& ip) const noexcept {
  const IpAddress plain = without_mapping(ip);
  return plain.family == base.family && masked(plain, bits).octets == base.octets;
}

Result<Cidr> parse_cidr(std::string_view text) {
  const auto bad = [text](const std::string& what) { return fail("bad-cidr", "`" + std::string(text) + "` " + what); };
  const std::size_t slash = text.find('/');
  const auto ip = parse_ip(text.substr(0, slash));
  if (!ip) return bad("is not a range of addresses: write 10.0.0.0/8, fd00::/8 or one address");
  std::uint64_t bits = width(ip->family);
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const bool fine = parse_decimal(digits, bits) && digits.size() <= 3;
    if (!fine || bits > width(ip->family)) return bad("has a prefix length that is not a number from 0 to " + std::to_string(width(ip->family)));
  }
  const Cidr range{masked(*ip, bits), static_cast<std::uint8_t>(bits)};
  if (range.base != *ip) return bad("has an address with bits beyond its prefix: the range is " + format(range));
  const IpAddress plain = without_mapping(*ip);
  if (plain.family == ip->family || bits < kMappedBits) return range;
  return Cidr{plain, static_cast<std::uint8_t>(bits - kMappedBits)};
}

std::string format(const Cidr& range) { return format(range.base) + "/" + std::to_string(range.bits); }

Status AddressSet::add(std::string_view text) {
  if (text == "unix") {
    unix_ = true;
    return success();
  }
  const auto range = parse_cidr(text);
  if (!range) return Failure<Error>{range.error()};
  ranges_.push_back(*range);
  return success();
}

bool AddressSet::contains(const IpAddress& ip) const noexcept {
  if (ip.family == Family::None) return unix_;
  for (const Cidr& range : ranges_)
    if (range.contains(ip)) return true;
  return false;
}

std::string AddressSet::text() const {
  std::string out = unix_ ? "unix" : "";
  for (const Cidr& range : ranges_) out.append(out.empty() ? "" : ", ").append(format(range));
  return out;
}

}  // namespace gatelab
