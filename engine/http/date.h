// SPDX-License-Identifier: Apache-2.0
// HTTP dates (RFC 9110 §5.6.7). Pure, any thread.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace gatelab::http {

inline constexpr std::size_t kDateOctets = 29;  // Sun, 06 Nov 1994 08:49:37 GMT
// Writes exactly kDateOctets at `out`.
void write_date(Instant t, char* out) noexcept;

// The three forms that a recipient has to know: IMF-fixdate, RFC 850's, asctime's. Names and GMT in any case (RFC 9111 §4.2);
// another zone, a day that its month has not and anything behind the date make it none. A name of a day is not held against
// the date. `now` is for RFC 850's two digits of a year: never more than fifty years ahead. What Instant can't hold becomes its
// end, what was before 1970 the epoch: nobody compares more of such dates than that they are long over.
std::optional<Instant> parse_date(std::string_view text, Instant now) noexcept;

}  // namespace gatelab::http
