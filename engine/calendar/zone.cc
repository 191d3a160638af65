// SPDX-License-Identifier: Apache-2.0
#include "calendar/zone.h"

#include <algorithm>
#include <limits>

namespace gatelab::calendar {
namespace {

constexpr std::int64_t kMostAhead = 26 * 3600;  // no clock was ever further from UTC

}  // namespace

Zone::Stretch Zone::stretch(std::size_t i) const noexcept {
  Stretch out;
  out.begin = i == 0 ? std::numeric_limits<std::int64_t>::min() : changes_[i - 1].at;
  out.end = i == changes_.size() ? std::numeric_limits<std::int64_t>::max() : changes_[i].at;
  out.offset = i == 0 ? first_offset_ : changes_[i - 1].offset;
  return out;
}

Zone::Stretch Zone::stretch_of(std::int64_t utc) const noexcept {
  const auto after = std::upper_bound(changes_.begin(), changes_.end(), utc, [](std::int64_t t, const Change& c) { return t < c.at; });
  return stretch(static_cast<std::size_t>(after - changes_.begin()));
}

std::int64_t Zone::first_at(std::int64_t local) const noexcept {
  const std::int64_t early = local - kMostAhead;
  const auto after = std::upper_bound(changes_.begin(), changes_.end(), early, [](std::int64_t t, const Change& c) { return t < c.at; });
  for (std::size_t i = static_cast<std::size_t>(after - changes_.begin());; ++i) {
    const Stretch s = stretch(i);
    const std::int64_t at = std::max(s.begin, local - s.offset);
    if (at < s.end || i == changes_.size()) return at;
  }
}

ZonePtr utc() {
  static const ZonePtr zone = std::make_shared<const Zone>("UTC", 0, std::vector<Zone::Change>{});
  return zone;
}

}  // namespace gatelab::calendar
