// SPDX-License-Identifier: Apache-2.0
#include "calendar/period.h"

#include <algorithm>

namespace gatelab::calendar {
namespace {

namespace chrono = std::chrono;

constexpr std::int64_t kHour = 3600, kDay = 86'400;

constexpr std::int64_t floor_to(std::int64_t t, std::int64_t unit) noexcept { return t - ((t % unit) + unit) % unit; }

std::int64_t floor_seconds(Instant t) noexcept { return floor_to(t.ns, 1'000'000'000) / 1'000'000'000; }

// A change of the clocks ends an hour: where it is by half an hour, the rest of it is an hour of its own.
Bounds hour_of(const Zone& zone, std::int64_t now) noexcept {
  const Zone::Stretch s = zone.stretch_of(now);
  const std::int64_t begin = floor_to(now + s.offset, kHour) - s.offset;
  return {Instant::from_seconds(std::max(begin, s.begin)), Instant::from_seconds(std::min(begin + kHour, s.end))};
}

// The first day, in days since 1970-01-01, of the period that `day` lies in.
std::int64_t first_day(Period period, std::int64_t day) noexcept {
  const chrono::sys_days at{chrono::days{day}};
  if (period == Period::Week) return day - (chrono::weekday{at}.iso_encoding() - 1);
  if (period == Period::Day) return day;
  const chrono::year_month_day date{at};
  return chrono::sys_days{date.year() / date.month() / 1}.time_since_epoch().count();
}

std::int64_t next_first_day(Period period, std::int64_t day) noexcept {
  if (period == Period::Day) return day + 1;
  if (period == Period::Week) return day + 7;
  const chrono::year_month_day date{chrono::sys_days{chrono::days{day}}};
  return chrono::sys_days{(date.year() / date.month() + chrono::months{1}) / 1}.time_since_epoch().count();
}

}  // namespace

Bounds period_of(Period period, const Zone& zone, Instant now) noexcept {
  const std::int64_t seconds = floor_seconds(now);
  if (period == Period::Hour) return hour_of(zone, seconds);
  std::int64_t first = first_day(period, floor_to(zone.local(seconds), kDay) / kDay);
  std::int64_t begin = zone.first_at(first * kDay);
  for (;;) {
    const std::int64_t next = next_first_day(period, first), end = zone.first_at(next * kDay);
    // Clocks that are put back over midnight show yesterday once more: today has begun all the same. And a day that a zone
    // leaves out is empty.
    if (end > seconds) return {Instant::from_seconds(begin), Instant::from_seconds(end)};
    first = next;
    begin = end;
  }
}

}  // namespace gatelab::calendar
