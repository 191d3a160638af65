// SPDX-License-Identifier: Apache-2.0
// What the owner of a cache may choose where RFC 9111 leaves it open. Plain values, read-only once built.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "base/units.h"

namespace gatelab::cache {

// A response with Set-Cookie: RFC 9111 §7.3 lets it be stored, and one client's session goes to all others.
enum class SetCookie : std::uint8_t {
  Refuse,  // is not stored, unless the origin takes the field out by name: no-cache="set-cookie" or private="set-cookie"
  Strip,   // is stored without the field
  Store,   // is stored with it: for who knows that the cookies are the same for everyone
};

// Who the clients of one key are.
enum class KeyScope : std::uint8_t {
  Shared,    // everyone
  Consumer,  // one consumer, who is part of the key
};

struct StatusTtl {
  std::uint16_t status = 0;
  Duration ttl{};
};

struct Rules {
  // Names of targeted fields, the most applicable first (RFC 9213 §2.2).
  std::vector<std::string> targets{"CDN-Cache-Control"};
  SetCookie set_cookie = SetCookie::Refuse;
  // Responses to authenticated requests are everyone's, whatever the origin says (against RFC 9111 §3.5, asked for by name).
  bool share_authenticated = false;
  // Without it, what has no lifetime of its own and answered a request with Cookie is not stored unless it varies by it: nothing
  // says that the cookie did not make it.
  bool ignores_cookies = false;
  // Clients' Cache-Control may ask for fresher, staler or no stored responses (RFC 9111 §5.2.1: advice).
  bool obey_clients = true;

  // Lifetimes of responses that say nothing of theirs (RFC 9111 §4.2.2), the first that applies.
  std::vector<StatusTtl> status_ttl;        // local configuration by status: what is called negative caching
  std::optional<Duration> default_ttl;      // local configuration for the statuses that are heuristically cacheable
  bool heuristics = true;                   // a share of the time since Last-Modified
  Share heuristic_share{100'000};           // 10 %
  Duration heuristic_cap = std::chrono::hours(24);
  // No lifetime is longer.
  Duration max_ttl = std::chrono::hours(24 * 365);

  // Where a response does not say itself (RFC 5861); zero: not at all.
  Duration stale_while_revalidate{};
  Duration stale_if_error{};
  // s-maxage forbids stale answers (RFC 9111 §5.2.2.10). True: not where the same response has stale-while-revalidate or
  // stale-if-error, by which its author plainly means them.
  bool stale_beside_s_maxage = false;
};

}  // namespace gatelab::cache
