// SPDX-License-Identifier: Apache-2.0
// What a cache says of itself in its answers: Cache-Status (RFC 9211) and Age (RFC 9111 §5.1). Pure, any thread; values live in
// the fields' arena.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "cache/reuse.h"
#include "http/fields.h"

namespace gatelab::cache {

// Why a request went forward (RFC 9211 §2.2), from the most specific to the least.
enum class Forward : std::uint8_t { Bypass, Method, UriMiss, VaryMiss, Miss, Request, Stale, Partial };
// What stored responses' verdicts mean in these words.
Forward forward_of(Why why) noexcept;

struct CacheStatus {
  std::string_view cache = "gatelab";        // of whoever adds the member
  std::optional<Forward> forward;            // none: a hit
  std::optional<std::uint16_t> status;       // of a forward: what upstream answered
  std::optional<Duration> ttl;               // below zero: stale
  bool stored = false;                       // of a forward
  std::optional<bool> collapsed;             // of a forward: with others; false: it was tried
  std::string_view key;                      // empty, or longer than kMaxKey: is not said
  std::string_view detail;                   // a word of this cache's; may be empty
};
inline constexpr std::size_t kMaxKey = 1024;

// One member. Octets of the key that no String may have are written as in a URI.
std::string_view cache_status(const CacheStatus& status, Arena& arena) noexcept;
// Behind what other caches said: the last member is the one next to the client (§2).
void add_cache_status(http::Fields& response, const CacheStatus& status) noexcept;

// In place of any that is there (RFC 9111 §4).
void set_age(http::Fields& response, Duration age) noexcept;

}  // namespace gatelab::cache
