// SPDX-License-Identifier: Apache-2.0
// Ranges of addresses, X-Forwarded-* and Forwarded: whatever they say, an untrusted peer says nothing, and the client is the
// peer or one of the hops, of which all but the first are trusted.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "http/forwarded.h"

using namespace gatelab;

namespace {

void check(const http::Fields& fields, const Address& peer, const AddressSet& trusted, http::ForwardedStyle style) {
  const http::Origin origin = http::find_origin(fields, peer, trusted, style);
  const bool believed = trusted.contains(peer.ip);
  if (!believed && (origin.client != peer || !origin.hops.empty() || !origin.scheme.empty() || !origin.authority.empty() || origin.port != 0)) std::abort();
  if (origin.client != (origin.hops.empty() ? peer : origin.hops.front())) std::abort();
  for (std::size_t i = 1; i < origin.hops.size(); ++i)
    if (!trusted.contains(origin.hops[i].ip)) std::abort();
  if (origin.authority.find_first_of(" ,\"\r\n/") != std::string_view::npos) std::abort();
}

}  // namespace

// Input: lines, the first is a range, the others are field values.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  const std::string_view range = text.substr(0, line);
  AddressSet trusted;
  if (const auto parsed = parse_cidr(range)) {
    if (const auto again = parse_cidr(format(*parsed)); !again || *again != *parsed) std::abort();
    if (!parsed->contains(parsed->base)) std::abort();
  }
  (void)trusted.add(range);
  (void)trusted.add("10.0.0.0/8");
  Arena arena;
  http::Fields fields(arena);
  constexpr std::string_view kNames[] = {"X-Forwarded-For", "Forwarded", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port"};
  std::string_view rest = line == std::string_view::npos ? std::string_view() : text.substr(line + 1);
  for (std::size_t i = 0; !rest.empty(); ++i) {
    const std::size_t end = rest.find('\n');
    const std::string_view value = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (http::is_field_value(value)) fields.add(kNames[i % std::size(kNames)], value);
    (void)http::is_forwarding_field(value);
    if (const auto node = http::parse_node(value); node && node->ip.family == IpAddress::Family::None) std::abort();
  }
  for (const char* peer : {"10.1.2.3", "198.51.100.1", "::1"})
    for (const auto style : {http::ForwardedStyle::XForwarded, http::ForwardedStyle::Rfc7239}) check(fields, {*parse_ip(peer), 1}, trusted, style);
  return 0;
}
