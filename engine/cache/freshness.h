// SPDX-License-Identifier: Apache-2.0
// How long a response is fresh (RFC 9111 §4.2.1, §4.2.2) and how old it is (§4.2.3). Pure, any thread. Instants are readings of
// policy time.
#pragma once

#include <cstdint>
#include <string_view>

#include "cache/control.h"
#include "cache/rules.h"
#include "cache/seconds.h"
#include "http/fields.h"

namespace gatelab::cache {

// When the request that brought a response was sent, and when the response's head had come.
struct Times {
  Instant request_time;
  Instant response_time;
};

enum class LifetimeSource : std::uint8_t { None, SMaxAge, MaxAge, Expires, StatusTtl, DefaultTtl, Heuristic };
// A stable word: "s-maxage", "heuristic".
std::string_view word(LifetimeSource source) noexcept;

struct Lifetime {
  Duration value{};
  LifetimeSource source = LifetimeSource::None;
};

// The first that applies of: s-maxage, max-age, Expires less Date; where none of them is there, the rules' own. At most
// Rules::max_ttl. What is there and can't be read is zero. `control` is of `response`.
Lifetime freshness_lifetime(std::uint16_t status, const http::Fields& response, const Control& control, const Rules& rules, Instant response_time) noexcept;

// The value of Date, else the time at which the response was received (RFC 9110 §6.6.1).
Instant date_of(const http::Fields& response, Instant response_time) noexcept;
// Of Age: its first member; zero if there is none that can be read (§5.1).
Duration age_value(const http::Fields& response) noexcept;
// §4.2.3, the careful way: the larger of apparent_age and corrected_age_value.
Duration corrected_initial_age(const http::Fields& response, Times times) noexcept;

}  // namespace gatelab::cache
