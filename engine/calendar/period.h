// SPDX-License-Identifier: Apache-2.0
// Hours, days, weeks and months as the clocks and calendars of a time zone have them. Pure, any thread.
#pragma once

#include "base/time.h"
#include "calendar/zone.h"

namespace gatelab::calendar {

enum class Period : std::uint8_t { Hour, Day, Week, Month };

// [begin, end). Periods of one kind follow each other without a gap, and none of them is empty.
struct Bounds {
  Instant begin, end;
  constexpr bool contains(Instant t) const noexcept { return begin <= t && t < end; }
};

// The period that `now` lies in. A day that is put forward has 23 hours, one that is put back has 25; a week begins on Monday.
Bounds period_of(Period period, const Zone& zone, Instant now) noexcept;

}  // namespace gatelab::calendar
