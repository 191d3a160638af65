// SPDX-License-Identifier: Apache-2.0
// Time as values. `Instant` is a point on one of the two readings of the engine's clock (see docs/time.md); nothing in
// this header reads a clock. Values are plain, copyable and may be used from any thread.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>

namespace gatelab {

// Signed, nanosecond resolution, about ±292 years.
using Duration = std::chrono::nanoseconds;

// Nanoseconds since the Unix epoch. `max()` means "never".
struct Instant {
  std::int64_t ns = 0;

  static constexpr Instant max() noexcept { return {std::numeric_limits<std::int64_t>::max()}; }
  static constexpr Instant from_seconds(std::int64_t s) noexcept { return {s * 1'000'000'000}; }
  constexpr std::int64_t seconds() const noexcept { return ns / 1'000'000'000; }
  constexpr auto operator<=>(const Instant&) const noexcept = default;
};

// Saturates at Instant::max(), so that "now + a very long timeout" is never.
constexpr Instant operator+(Instant t, Duration d) noexcept {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(t.ns, d.count(), &sum)) return d.count() > 0 ? Instant::max() : Instant{};
  return {sum};
}
constexpr Duration operator-(Instant a, Instant b) noexcept { return Duration{a.ns - b.ns}; }

// The two readings of one clock (docs/time.md). Real in `run`, virtual in scenarios. Any thread may call.
class Clock {
 public:
  virtual ~Clock() = default;
  // Deadlines of I/O in flight; monotonic, never shifted.
  virtual Instant io_now() const noexcept = 0;
  // Limit windows, expiry, TTLs, cool-downs; Unix time, may be shifted forward by Control.
  virtual Instant policy_now() const noexcept = 0;
};

}  // namespace gatelab
