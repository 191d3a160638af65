// SPDX-License-Identifier: Apache-2.0
// Text forms of durations, sizes, rates and shares: one parser each, exact and overflow-safe; a bare number is refused.
// Pure functions, any thread. On failure the Error's message quotes the text and names the accepted units.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace gatelab {

// Bytes.
struct ByteSize {
  std::uint64_t bytes = 0;
  constexpr auto operator<=>(const ByteSize&) const noexcept = default;
};

// `count` events per `per`; both positive.
struct Rate {
  std::uint64_t count = 1;
  Duration per = std::chrono::seconds(1);
  constexpr bool operator==(const Rate&) const noexcept = default;
};

// A part of a whole, in [0, 1]; kept in millionths so that it is exact ("0.5%" is 5000).
struct Share {
  std::uint32_t millionths = 0;
  constexpr double fraction() const noexcept { return millionths / 1e6; }
  constexpr auto operator<=>(const Share&) const noexcept = default;
};

// duration = ["-"] 1*( number unit ); unit = ns us ms s m h d; number may have a decimal part: 1.5s, 1m30s. Exact to
// the nanosecond or refused. A sign only where `allow_negative`.
enum class Sign { Refused, Allowed };
Result<Duration> parse_duration(std::string_view text, Sign sign = Sign::Refused);
// size = number unit; unit = B KiB MiB GiB TiB kB MB GB TB.
Result<ByteSize> parse_size(std::string_view text);
// rate = integer "/" ( unit | duration ); unit = s m h d: 100/m, 5/10s.
Result<Rate> parse_rate(std::string_view text);
// share = number "%", from 0% to 100%, at most four decimals.
Result<Share> parse_share(std::string_view text);
// RFC 3339 with a zone: 2026-01-01T00:00:00Z, fraction up to nanoseconds, or ±hh:mm.
Result<Instant> parse_instant(std::string_view text);

// Shortest exact form that parses back to the same value: 1.5s, 90s → 1m30s, 64KiB, 100/m, 0.5%.
std::string format(Duration d);
std::string format(ByteSize s);
std::string format(Rate r);
std::string format(Share s);
// RFC 3339 in UTC with milliseconds.
std::string format(Instant t);
// The same, exactly kInstantOctets at `out`, and a NUL. For the access log, which must not allocate.
inline constexpr std::size_t kInstantOctets = 24;  // 2026-01-01T00:00:00.000Z
void format_to(Instant t, char (&out)[kInstantOctets + 1]) noexcept;

}  // namespace gatelab
