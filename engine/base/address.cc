// SPDX-License-Identifier: Apache-2.0
#include "base/address.h"

#include <charconv>
#include <cstring>

#include "base/text.h"

namespace gatelab {
namespace {

bool parse_v4(std::string_view text, std::uint8_t* out) noexcept {
  for (int part = 0; part < 4; ++part) {
    std::size_t n = 0;
    unsigned value = 0;
    while (n < text.size() && n < 3 && text[n] >= '0' && text[n] <= '9') value = value * 10 + static_cast<unsigned>(text[n++] - '0');
    if (n == 0 || value > 255 || (n > 1 && text[0] == '0')) return false;
    out[part] = static_cast<std::uint8_t>(value);
    text.remove_prefix(n);
    if (part == 3) break;
    if (text.empty() || text.front() != '.') return false;
    text.remove_prefix(1);
  }
  return text.empty();
}

bool parse_group(std::string_view& text, unsigned& value) noexcept {
  std::size_t n = 0;
  value = 0;
  for (; n < text.size() && n < 4; ++n) {
    const char c = ascii_lower(text[n]);
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(c >= 'a' && c <= 'f')) break;
    value = value * 16 + static_cast<unsigned>(digit ? c - '0' : c - 'a' + 10);
  }
  text.remove_prefix(n);
  return n > 0;
}

// RFC 4291 §2.2: groups, at most one "::", an IPv4 tail.
bool parse_v6(std::string_view text, std::uint8_t* out) noexcept {
  std::uint8_t before[16]{}, after[16]{};
  std::size_t n_before = 0, n_after = 0;
  bool gap = false;
  if (text.starts_with("::")) {
    gap = true;
    text.remove_prefix(2);
  } else if (text.starts_with(":")) {
    return false;
  }
  while (!text.empty()) {
    std::uint8_t* side = gap ? after : before;
    std::size_t& n = gap ? n_after : n_before;
    if (text.find(':') == std::string_view::npos && text.find('.') != std::string_view::npos) {
      if (n_before + n_after > 12 || !parse_v4(text, side + n)) return false;
      n += 4;
      break;
    }
    unsigned group = 0;
    if (n_before + n_after > 14 || !parse_group(text, group)) return false;
    side[n++] = static_cast<std::uint8_t>(group >> 8);
    side[n++] = static_cast<std::uint8_t>(group);
    if (text.empty()) break;
    if (text.front() != ':') return false;
    text.remove_prefix(1);
    if (text.starts_with(":")) {
      if (gap) return false;
      gap = true;
      text.remove_prefix(1);
    } else if (text.empty()) {
      return false;
    }
  }
  if (gap ? n_before + n_after > 14 : n_before != 16) return false;
  std::memset(out, 0, 16);
  std::memcpy(out, before, n_before);
  std::memcpy(out + 16 - n_after, after, n_after);
  return true;
}

std::size_t write_v6(const std::array<std::uint8_t, 16>& octets, char* out) noexcept {
  const auto group = [&octets](int i) { return static_cast<unsigned>(octets[static_cast<std::size_t>(2 * i)] << 8 | octets[static_cast<std::size_t>(2 * i + 1)]); };
  int best = -1, best_size = 1;  // RFC 5952 §4.2: the longest run of zeros, the first if equal, never one group alone
  for (int i = 0; i < 8; ++i) {
    int j = i;
    while (j < 8 && group(j) == 0) ++j;
    if (j - i > best_size) {
      best = i;
      best_size = j - i;
    }
    if (j > i) i = j - 1;
  }
  char* at = out;
  for (int i = 0; i < 8; ++i) {
    if (i == best) {
      *at++ = ':';
      *at++ = ':';
      i += best_size - 1;
      continue;
    }
    if (i > 0 && i != best + best_size) *at++ = ':';
    else if (i > 0 && best < 0) *at++ = ':';
    at = std::to_chars(at, at + 4, group(i), 16).ptr;
  }
  return static_cast<std::size_t>(at - out);
}

}  // namespace

Result<IpAddress> parse_ip(std::string_view text) {
  IpAddress ip;
  if (parse_v4(text, ip.octets.data())) ip.family = IpAddress::Family::V4;
  else if (parse_v6(text, ip.octets.data())) ip.family = IpAddress::Family::V6;
  else return fail("bad-address", "`" + std::string(text) + "` is not an IPv4 or IPv6 address");
  return ip;
}

Result<Address> parse_address(std::string_view text) {
  const auto bad = [text](const char* what) { return fail("bad-address", "`" + std::string(text) + "` " + what); };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad("has no port: write host:port, such as 127.0.0.1:8080 or [::1]:8080");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos) return bad("needs brackets around its IPv6 address: [::1]:8080");
  std::uint64_t number = 0;
  if (!parse_decimal(port, number) || number > 65535) return bad("has a port that is not a number from 0 to 65535");
  const auto ip = parse_ip(host);
  if (!ip || brackets != (ip->family == IpAddress::Family::V6)) return bad("is not an address: write 127.0.0.1:8080 or [::1]:8080");
  return Address{*ip, static_cast<std::uint16_t>(number)};
}

std::size_t format_to(const IpAddress& ip, char* out) noexcept {
  if (ip.family == IpAddress::Family::V6) return write_v6(ip.octets, out);
  if (ip.family == IpAddress::Family::None) {
    *out = '-';
    return 1;
  }
  char* at = out;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) *at++ = '.';
    at = std::to_chars(at, at + 3, static_cast<unsigned>(ip.octets[i])).ptr;
  }
  return static_cast<std::size_t>(at - out);
}

std::string format(const IpAddress& ip) {
  char text[46];
  return {text, format_to(ip, text)};
}

std::string format(const Address& a) {
  const std::string ip = format(a.ip);
  return (a.ip.family == IpAddress::Family::V6 ? "[" + ip + "]" : ip) + ":" + std::to_string(a.port);
}

bool is_loopback(const IpAddress& ip) noexcept {
  if (ip.family == IpAddress::Family::V4) return ip.octets[0] == 127;
  return ip == *parse_ip("::1");
}

}  // namespace gatelab
