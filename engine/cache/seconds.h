// SPDX-License-Identifier: Apache-2.0
// Ages and lifetimes: what a field says in whole seconds, and sums of them that never wrap around. Pure, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace gatelab::cache {

// What every number of seconds becomes that is larger, or overflows: over 68 years, "infinity" (RFC 9111 §1.2.2).
inline constexpr Duration kForever = std::chrono::seconds(std::int64_t{1} << 31);

// delta-seconds (RFC 9111 §1.2.2): digits only. nullopt for anything else; never more than kForever.
std::optional<Duration> parse_delta_seconds(std::string_view text) noexcept;

// Neither below zero nor above kForever. Of Instants from the epoch on, whose differences can't overflow.
constexpr Duration between(Instant earlier, Instant later) noexcept {
  const Duration d = later - earlier;
  return d < Duration{} ? Duration{} : d > kForever ? kForever : d;
}
// Of two that are in [0, kForever].
constexpr Duration sum(Duration a, Duration b) noexcept { return a + b > kForever ? kForever : a + b; }

// Rounded down, also below zero: a lifetime that is over by half a second is none of 0 s.
constexpr std::int64_t floor_seconds(Duration d) noexcept {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return d.count() >= 0 ? d.count() / kSecond : -((-d.count() + kSecond - 1) / kSecond);
}

}  // namespace gatelab::cache
