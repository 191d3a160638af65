// SPDX-License-Identifier: Apache-2.0
#include "http/proxy_protocol.h"

#include <algorithm>
#include <array>

#include "base/cidr.h"
#include "base/text.h"

namespace gatelab::http {
namespace {

using Family = IpAddress::Family;
using State = ProxyHeader::State;

constexpr std::string_view kText = "PROXY ";
constexpr std::size_t kMaxText = 107;  // CRLF included
constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t kBinaryHead = 16;

ProxyHeader ended(State state) noexcept {
  ProxyHeader out;
  out.state = state;
  return out;
}

// Takes the word before the next space; false if there is none, or it is empty.
bool next_word(std::string_view& rest, std::string_view& word) noexcept {
  const std::size_t space = rest.find(' ');
  word = rest.substr(0, space);
  rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  return !word.empty();
}

bool read_port(std::string_view text, std::uint16_t& out) noexcept {
  std::uint64_t number = 0;
  if (text.size() > 5 || (text.size() > 1 && text.front() == '0') || !parse_decimal(text, number) || number > 65'535) return false;
  out = static_cast<std::uint16_t>(number);
  return true;
}

bool read_ip(std::string_view text, Family family, IpAddress& out) noexcept {
  const auto ip = parse_ip(text);
  if (!ip || ip->family != family) return false;
  out = without_mapping(*ip);
  return true;
}

// "PROXY TCP4 source destination port port\r\n", "PROXY UNKNOWN …\r\n"
ProxyHeader parse_text(std::string_view octets) noexcept {
  const std::size_t end = octets.substr(0, kMaxText).find('\n');
  if (end == std::string_view::npos) return ended(octets.size() < kMaxText ? State::NeedMore : State::Broken);
  if (octets[end - 1] != '\r') return ended(State::Broken);
  std::string_view rest = octets.substr(kText.size(), end - 1 - kText.size()), protocol, source, destination, from, to;
  ProxyHeader out = ended(State::Done);
  out.size = end + 1;
  if (rest == "UNKNOWN" || rest.starts_with("UNKNOWN ")) return out;
  const bool whole = next_word(rest, protocol) && next_word(rest, source) && next_word(rest, destination) && next_word(rest, from) && next_word(rest, to) && rest.empty();
  if (!whole || (protocol != "TCP4" && protocol != "TCP6") || octets[end - 2] == ' ') return ended(State::Broken);
  const Family family = protocol == "TCP4" ? Family::V4 : Family::V6;
  out.known = read_ip(source, family, out.source.ip) && read_ip(destination, family, out.destination.ip) && read_port(from, out.source.port) && read_port(to, out.destination.port);
  return out.known ? out : ended(State::Broken);
}

std::uint16_t read_16(std::string_view octets, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(octets[at]) << 8 | static_cast<unsigned char>(octets[at + 1]));
}

IpAddress read_address(std::string_view octets, std::size_t at, Family family) noexcept {
  IpAddress ip;
  ip.family = family;
  for (std::size_t i = 0; i < (family == Family::V4 ? 4U : 16U); ++i) ip.octets[i] = static_cast<unsigned char>(octets[at + i]);
  return without_mapping(ip);
}

ProxyHeader parse_binary(std::string_view octets) noexcept {
  if (octets.size() < kBinaryHead) return ended(State::NeedMore);
  const auto command = static_cast<unsigned char>(octets[12]), transport = static_cast<unsigned char>(octets[13]);
  const std::size_t length = read_16(octets, 14);
  if (command != 0x20 && command != 0x21) return ended(State::Broken);
  if (kBinaryHead + length > kMaxProxyHeader) return ended(State::Broken);
  if (octets.size() < kBinaryHead + length) return ended(State::NeedMore);
  ProxyHeader out = ended(State::Done);
  out.size = kBinaryHead + length;
  // LOCAL, UNSPEC, unix sockets and datagrams: accepted, and nothing of them is used.
  if (command == 0x20 || (transport != 0x11 && transport != 0x21)) return out;
  const Family family = transport == 0x11 ? Family::V4 : Family::V6;
  const std::size_t width = family == Family::V4 ? 4 : 16;
  if (length < 2 * width + 4) return ended(State::Broken);
  out.source.ip = read_address(octets, kBinaryHead, family);
  out.destination.ip = read_address(octets, kBinaryHead + width, family);
  out.source.port = read_16(octets, kBinaryHead + 2 * width);
  out.destination.port = read_16(octets, kBinaryHead + 2 * width + 2);
  out.known = true;
  return out;
}

// The sixteen octets of an IPv6 header: IPv4 mapped (RFC 4291 §2.5.5.2).
std::array<std::uint8_t, 16> widened(const IpAddress& ip) noexcept {
  if (ip.family == Family::V6) return ip.octets;
  std::array<std::uint8_t, 16> out{};
  out[10] = out[11] = 0xff;
  std::copy_n(ip.octets.begin(), 4, out.begin() + 12);
  return out;
}

std::string text_of(const IpAddress& ip, bool v4) {
  if (v4 || ip.family == Family::V6) return format(ip);
  return "::ffff:" + format(ip);
}

}  // namespace

ProxyHeader parse_proxy_header(std::string_view octets) noexcept {
  const auto begins = [octets](std::string_view mark) { return octets.substr(0, mark.size()) == mark.substr(0, std::min(octets.size(), mark.size())); };
  if (begins(kText)) return octets.size() < kText.size() ? ended(State::NeedMore) : parse_text(octets);
  if (begins(kSignature)) return octets.size() < kSignature.size() ? ended(State::NeedMore) : parse_binary(octets);
  return ended(State::Absent);
}

std::string write_proxy_header(ProxyProtocol version, const Address& source, const Address& destination) {
  const bool known = source.ip.family != Family::None && destination.ip.family != Family::None;
  const bool v4 = source.ip.family == Family::V4 && destination.ip.family == Family::V4;
  if (version == ProxyProtocol::V1) {
    if (!known) return "PROXY UNKNOWN\r\n";
    return std::string(v4 ? "PROXY TCP4 " : "PROXY TCP6 ") + text_of(source.ip, v4) + " " + text_of(destination.ip, v4) + " " + std::to_string(source.port) + " " + std::to_string(destination.port) + "\r\n";
  }
  std::string out(kSignature);
  const auto two = [&out](std::size_t n) { out.append({static_cast<char>(n >> 8 & 255), static_cast<char>(n & 255)}); };
  const auto address = [&out, v4](const IpAddress& ip) {
    const auto octets = v4 ? ip.octets : widened(ip);
    for (std::size_t i = 0; i < (v4 ? 4U : 16U); ++i) out += static_cast<char>(octets[i]);
  };
  out += '\x21';
  out += static_cast<char>(!known ? 0x00 : v4 ? 0x11 : 0x21);
  two(!known ? 0 : v4 ? 12 : 36);
  if (!known) return out;
  address(source.ip);
  address(destination.ip);
  two(source.port);
  two(destination.port);
  return out;
}

}  // namespace gatelab::http
