// SPDX-License-Identifier: Apache-2.0
// IMF-fixdate (RFC 9110 §5.6.7). Pure.
#pragma once

#include <string_view>

#include "base/time.h"

namespace gatelab::http {

inline constexpr std::size_t kDateOctets = 29;  // Sun, 06 Nov 1994 08:49:37 GMT
// Writes exactly kDateOctets at `out`.
void write_date(Instant t, char* out) noexcept;

}  // namespace gatelab::http
