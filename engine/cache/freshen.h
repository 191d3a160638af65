// SPDX-License-Identifier: Apache-2.0
// What an answer from upstream does to stored responses: a 304 freshens (RFC 9111 §4.3.3, §4.3.4), so does what a HEAD brings
// (§4.3.5), fields are replaced (§3.2). Pure, any thread; what is returned lives in the arena.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "cache/facts.h"
#include "http/fields.h"

namespace gatelab::cache {

// One stored response that could have been chosen for the request: all of §4 but freshness holds for it.
struct Candidate {
  const http::Fields* fields = nullptr;  // never null
  Instant date;                          // Facts::date
  Instant response_time;
};

// Sets `chosen[i]` for those that a 304 freshens; all false: it tells nothing about what is stored, so that the request has to be
// sent again without conditions. `chosen` is as long as `candidates`.
void select_for_update(const http::Fields& not_modified, std::span<const Candidate> candidates, std::span<bool> chosen, Instant now) noexcept;

struct Freshened {
  http::Fields fields;
  Control control;
  Facts facts;
};
// The stored response with each field that the newer one has replaced by it (§3.2), but for those that are not kept
// (storability.h) and those that belong to the stored content: Content-Encoding, whose change would make it unreadable,
// Content-Length, Content-Range. The lists in no-cache and private that count are those of the outcome. A newer response without
// Date gets the time it came as one, else the old Date would make it old at once. `times` are the newer one's; `status` is the
// stored one's. Whether the outcome may stay stored, storable() says: ask it again. Where its Vary has changed, the variant's key is
// to be made anew, of the request that brought the newer response.
Freshened freshen(std::uint16_t status, const http::Fields& stored, const http::Fields& newer, const Rules& rules, Times times, Arena& arena) noexcept;

// What a 200 to HEAD does to a stored GET response that could have been chosen for it.
enum class HeadEffect : std::uint8_t {
  Freshen,  // by freshen()
  Expire,   // it is another representation by now: consider the stored one stale
};
// `head_length`: of its Content-Length, if it had one, which strip_hop_by_hop() takes out of the fields.
HeadEffect head_effect(const http::Fields& head, std::optional<std::uint64_t> head_length, const http::Fields& stored, std::uint64_t stored_length, Instant now) noexcept;

}  // namespace gatelab::cache
