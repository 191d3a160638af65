// SPDX-License-Identifier: Apache-2.0
// Who the client is behind proxies: X-Forwarded-* and Forwarded (RFC 7239) as a trusted proxy writes them. Pure; results
// are views of the fields or live in the given arena.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/address.h"
#include "base/cidr.h"
#include "http/fields.h"

namespace gatelab::http {

// The one family of fields that the trusted proxies set. Never both: a proxy passes on what it does not set itself, so the
// other family is whatever the client liked to write.
enum class ForwardedStyle : std::uint8_t { XForwarded, Rfc7239 };

struct Origin {
  Address client;              // the rightmost hop that is no trusted proxy; the peer itself if that is not trusted
  std::string_view scheme;     // "http" or "https"; empty: not said by a trusted proxy
  std::string_view authority;  // host[:port]; empty: not said
  std::uint16_t port = 0;      // 0: not said
  std::span<const Address> hops;  // from the client to the last before the peer; empty: the peer is the client
};

// Walks from the peer to the left while hops are trusted. What can't be read as an address (`unknown`, `_hidden`, garbage)
// ends the walk: the last address that is known counts. Values left of the client's own place are never used, since the
// client may have written them.
Origin find_origin(const Fields& fields, const Address& peer, const AddressSet& trusted, ForwardedStyle style) noexcept;

// One node: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1]:80. A port that is no number is no node.
std::optional<Address> parse_node(std::string_view text) noexcept;

// Takes the next parameter off one element of Forwarded: name, and value without its quotes. False at the end, or when
// `broken` is set: a value that has no end, or a backslash in it.
bool next_forwarded_pair(std::string_view& rest, std::string_view& name, std::string_view& value, bool& broken) noexcept;

// True for what speaks of a client or a path in a proxy's name: X-Forwarded-*, Forwarded, X-Real-IP, X-Original-URL,
// Client-Cert and their like, also spelt with underscores, which many applications take for dashes.
bool is_forwarding_field(std::string_view name) noexcept;

}  // namespace gatelab::http
