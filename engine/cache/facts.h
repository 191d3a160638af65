// SPDX-License-Identifier: Apache-2.0
// What a cache has to know of a stored response to decide about it, worked out once when it is stored or freshened: no field is
// read again on the way of a hit. Plain values; who holds them guards them.
#pragma once

#include <cstdint>

#include "cache/freshness.h"
#include "cache/storability.h"

namespace gatelab::cache {

struct Facts {
  Instant response_time;                  // received or last validated
  Instant date;                           // date_of(): which of several is the most recent
  Duration initial_age{};                 // corrected_initial_age()
  Duration lifetime{};
  Duration stale_while_revalidate{};      // zero: not at all
  Duration stale_if_error{};              // zero: not at all
  std::uint16_t status = 0;
  LifetimeSource source = LifetimeSource::None;
  bool no_cache = false;                  // never without validation
  bool must_revalidate = false;           // never stale: must-revalidate, proxy-revalidate or s-maxage
  bool immutable = false;
  bool has_validator = false;             // ETag or Last-Modified
  bool invalid = false;                   // §4.4: needs a validation, whatever its age
};

Facts facts_of(std::uint16_t status, const http::Fields& response, const Control& control, const Rules& rules, Times times) noexcept;

// §4.2.3
inline Duration current_age(const Facts& facts, Instant now) noexcept { return sum(facts.initial_age, between(facts.response_time, now)); }
// What is left of the lifetime; zero or below: stale (§4.2).
inline Duration time_to_live(const Facts& facts, Instant now) noexcept { return facts.lifetime - current_age(facts, now); }
inline bool is_fresh(const Facts& facts, Instant now) noexcept { return time_to_live(facts, now) > Duration{}; }
// Stale from now on, as if its lifetime were over (§4.3.5, and what purges softly). It may be served as stale ones may.
void expire(Facts& facts, Instant now) noexcept;

// Will there be a request that it can answer, be it after a validation?
bool is_ever_usable(const Facts& facts) noexcept;

struct Admission {
  Storable verdict = Storable::Yes;
  Facts facts;  // of Yes
};
// storable(), and whether it will be of use.
Admission admit(const Exchanged& exchanged, const Rules& rules, Times times, Arena& arena) noexcept;

}  // namespace gatelab::cache
