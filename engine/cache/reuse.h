// SPDX-License-Identifier: Apache-2.0
// May a stored response answer this request now (RFC 9111 §4, §4.2.4; RFC 5861; RFC 8246)? Pure, any thread. Which of several
// stored responses is asked about is vary.h's to say.
#pragma once

#include <cstdint>
#include <string_view>

#include "cache/facts.h"
#include "http/message.h"

namespace gatelab::cache {

enum class Use : std::uint8_t {
  Hit,
  StaleWhileRevalidate,  // answer, and validate beside it
  Revalidate,            // ask upstream, with the stored validators if there are any; then one of the two answers
  Miss,                  // nothing is stored for it
  GatewayTimeout,        // only-if-cached, and nothing may be used (§5.2.1.7): 504
};

enum class Why : std::uint8_t {
  Fresh,
  MaxStale,              // the client takes a stale one
  StaleWhileRevalidate,
  NotStored,
  NoCache,               // the response's
  Invalidated,
  RequestNoCache, RequestMaxAge, RequestMinFresh,
  MustRevalidate,        // stale, and nothing lets it be served
  Stale,
};
// A stable word for logs, explain and Cache-Status.
std::string_view word(Why why) noexcept;

struct Reuse {
  Use use = Use::Miss;
  Why why = Why::NotStored;
  Duration age{};  // current_age, for Age and Cache-Status
  Duration ttl{};  // below zero: stale for so long
};

// Is a request of this method answered from what a GET brought (§4; RFC 9110 §9.3.1, §9.3.2)? All others go upstream first,
// whatever is stored (§4: unsafe ones are written through).
constexpr bool is_answered(http::Method method) noexcept { return method == http::Method::Get || method == http::Method::Head; }

// `stored` may be null.
Reuse reuse(const Facts* stored, const RequestDirectives& asked, const Rules& rules, Instant now) noexcept;

// A 5xx that means that the server failed to respond (RFC 5861 §4); a failed connection or a timeout is one too.
bool is_stale_if_error(std::uint16_t status) noexcept;
// Then: may this stored response be sent instead? Not if its origin forbids stale ones, it was invalidated or the client wants it
// validated.
bool may_serve_on_error(const Facts& stored, const RequestDirectives& asked, const Rules& rules, Instant now) noexcept;

}  // namespace gatelab::cache
