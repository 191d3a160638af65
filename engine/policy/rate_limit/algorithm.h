// SPDX-License-Identifier: Apache-2.0
// The arithmetic of one limit for one key: exact integers, time as an argument, no state of its own. Any thread.
#pragma once

#include <cstdint>

#include "base/units.h"

namespace gatelab::policy {

enum class Algorithm : std::uint8_t { FixedWindow, SlidingWindow, Gcra };

struct LimitRule {
  Algorithm algorithm = Algorithm::FixedWindow;
  Rate rate;
  std::uint64_t burst = 0;  // Gcra: how many at once; the other algorithms allow rate.count
};

// What is remembered. All zero: nothing was ever charged.
struct LimitCell {
  std::int64_t instant = 0;   // window's begin, or GCRA's theoretical arrival time; ns
  std::uint64_t count = 0;    // in the window
  std::uint64_t before = 0;   // in the window before it (sliding-window)
};

struct LimitAnswer {
  bool allowed = false;
  std::uint64_t remaining = 0;  // after this request
  Duration wait{};              // not allowed: until the next one would be
  Duration reset{};             // until the limit is whole again, or its window ends
};

// Charges `cost` if that is allowed: all of it, or nothing. At least 1; what is above quota() is never allowed.
LimitAnswer charge(const LimitRule& rule, LimitCell& cell, std::uint64_t cost, Instant now) noexcept;
// Charges whether it is allowed or not, for what is known only afterwards. The key pays it off before it goes on.
LimitAnswer charge_anyway(const LimitRule& rule, LimitCell& cell, std::uint64_t cost, Instant now) noexcept;
// Takes a charge back, of the window that it was made in (`charged_at`): what has ended since keeps nothing to give back to.
void give_back(const LimitRule& rule, LimitCell& cell, std::uint64_t cost, Instant charged_at) noexcept;
// When a charge at `now` counts. Another worker's clock may be ahead, and its window is not gone back from.
Instant counted_at(const LimitRule& rule, const LimitCell& cell, Instant now) noexcept;
// From when on the cell says nothing that an empty one would not say.
Instant forgotten_at(const LimitRule& rule, const LimitCell& cell) noexcept;
std::uint64_t quota(const LimitRule& rule) noexcept;

}  // namespace gatelab::policy
