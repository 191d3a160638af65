// SPDX-License-Identifier: Apache-2.0
// Validators and the preconditions that a cache evaluates or sends (RFC 9110 §8.8, §13; RFC 9111 §4.3.1, §4.3.2). Pure, any
// thread; views are of fields.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/time.h"
#include "cache/facts.h"
#include "http/fields.h"

namespace gatelab::cache {

// entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE (RFC 9110 §8.8.3)
struct EntityTag {
  bool weak = false;
  std::string_view text;    // with its quotes, without W/
  std::string_view as_sent;
};
// The whole of `text`; nullopt if it is none.
std::optional<EntityTag> parse_entity_tag(std::string_view text) noexcept;
// RFC 9110 §8.8.3.2
inline bool weak_match(const EntityTag& a, const EntityTag& b) noexcept { return a.text == b.text; }
inline bool strong_match(const EntityTag& a, const EntityTag& b) noexcept { return !a.weak && !b.weak && a.text == b.text; }

// Walks a list of entity tags, whose commas may stand inside of quotes. False at the end, and with `bad` where what stands there is
// none.
bool next_entity_tag(std::string_view& rest, EntityTag& tag, bool& bad) noexcept;

// The validators of a stored response.
struct Validators {
  std::optional<EntityTag> etag;
  std::string_view last_modified;      // as it was received; empty: none
  std::optional<Instant> modified_at;  // of it, if it is a date
  // Last-Modified is at least one second before Date, so that nothing can have changed within its second unseen (RFC 9110
  // §8.8.2.2).
  bool date_is_strong = false;
};
Validators validators_of(const http::Fields& response, Instant now) noexcept;

// What a client's conditions mean for a stored response that may be used (RFC 9110 §13.2.2, §13.2.1).
enum class Condition : std::uint8_t {
  Send,         // no condition, or one that does not hold back the response
  NotModified,  // 304
  // If-Match or If-Unmodified-Since: an origin's to evaluate, not a cache's (RFC 9111 §4.3.2). The request goes on as it is.
  ForOrigin,
};
Condition evaluate(const http::Fields& request, const http::Fields& stored, const Facts& facts) noexcept;

// Whether a Range counts (RFC 9110 §13.1.5): there is no If-Range, or it names just this representation, strongly.
bool if_range_holds(const http::Fields& request, const http::Fields& stored, const Facts& facts) noexcept;

// Makes `request` one that validates these stored responses (RFC 9111 §4.3.1): the client's own conditions and its range go,
// If-None-Match with the entity tags of all of them comes, and If-Modified-Since where it is one. Without any validator it asks
// for the whole response. Tags beyond kMaxTags are left out: what they stand for is fetched again.
inline constexpr std::size_t kMaxTags = 16;
void make_validation(http::Fields& request, std::span<const http::Fields* const> stored, Arena& arena) noexcept;

// Does a stored field go into a 304 (RFC 9110 §15.4.5)? Not what describes the content, which is not sent; Last-Modified only
// where there is no ETag.
bool goes_into_304(std::string_view name, bool has_etag) noexcept;

}  // namespace gatelab::cache
