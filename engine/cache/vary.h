// SPDX-License-Identifier: Apache-2.0
// Vary (RFC 9110 §12.5.5) and the second part of a cache's key that it makes (RFC 9111 §4.1). Pure, any thread; what is
// returned lives in the arena.
#pragma once

#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/time.h"
#include "http/fields.h"

namespace gatelab::cache {

struct Vary {
  static constexpr std::size_t kMaxNames = 32;
  // In small letters, sorted, each once: two responses that name the same fields in any order and case vary alike.
  std::span<const std::string_view> names;
  bool star = false;        // "*" is among them: no request matches
  bool unreadable = false;  // what is no name, or more names than kMaxNames: as "*"
};

// Of all Vary lines.
Vary parse_vary(const http::Fields& response, Arena& arena) noexcept;

// The values of a request's field for comparison: its lines joined, blanks around the members of lists gone; where the
// field's specification makes it the same, also in small letters and without order (Accept-Encoding). False: the request has no
// such field, which matches only another request without (§4.1).
bool selecting_value(const http::Fields& request, std::string_view name, std::string_view& value, Arena& arena) noexcept;

// Names and values of the selecting fields of `request`, encoded injectively: two requests have the same key if and only if
// their selecting fields match (§4.1). Empty for a Vary without names.
std::string_view variant_key(std::span<const std::string_view> names, const http::Fields& request, Arena& arena) noexcept;

// One stored variant, for the choice among several.
struct Variant {
  std::span<const std::string_view> names;  // as parse_vary() gave them
  std::string_view key;                     // variant_key() of the request that it answered
  Instant date;                             // its Date
  Instant response_time;                    // for two of one second
};
inline constexpr std::size_t kNoVariant = static_cast<std::size_t>(-1);
// The variant for `request` (§4.1): of those that match, one with a Vary before one without, then the most recent; else
// kNoVariant.
std::size_t choose_variant(std::span<const Variant> variants, const http::Fields& request, Arena& arena) noexcept;

}  // namespace gatelab::cache
