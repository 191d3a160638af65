// SPDX-License-Identifier: Apache-2.0
// The only file that knows Howard Hinnant's date library, which reads the system's time zone database (package tzdata). It
// throws; nothing here lets that out.
#include <date/tz.h>

#include <algorithm>
#include <exception>

#include "calendar/zone.h"

namespace gatelab::calendar {
namespace {

// Changes are taken over as data, so that the arithmetic reads no file. Nobody counts quotas before or after.
constexpr auto kFrom = date::sys_seconds{date::sys_days{date::year{1970} / 1 / 1}};
constexpr auto kUntil = date::sys_seconds{date::sys_days{date::year{2200} / 1 / 1}};

ZonePtr copy(const date::time_zone& zone) {
  date::sys_info info = zone.get_info(kFrom);
  const auto first = static_cast<std::int32_t>(info.offset.count());
  std::int32_t offset = first;
  std::vector<Zone::Change> changes;
  for (auto at = info.end; at < kUntil; at = info.end) {
    info = zone.get_info(at);
    if (info.end <= at) break;
    const auto next = static_cast<std::int32_t>(info.offset.count());
    if (next != offset) changes.push_back({at.time_since_epoch().count(), next});
    offset = next;
  }
  return std::make_shared<const Zone>(zone.name(), first, std::move(changes));
}

}  // namespace

Result<ZonePtr> load_zone(const std::string& name) {
  if (name == "UTC") return utc();
  const date::tzdb* database = nullptr;
  try {
    database = &date::get_tzdb();
  } catch (const std::exception& e) {
    return fail("no-time-zones", e.what());
  }
  try {
    const auto known = std::find_if(database->zones.begin(), database->zones.end(), [&name](const date::time_zone& z) { return z.name() == name; });
    if (known == database->zones.end()) return fail("unknown-time-zone", "there is no time zone `" + name + "`");
    return copy(*known);
  } catch (const std::exception& e) {
    return fail("no-time-zones", name + ": " + e.what());
  }
}

std::vector<std::string> zone_names() {
  std::vector<std::string> out;
  try {
    for (const date::time_zone& zone : date::get_tzdb().zones) out.push_back(zone.name());
  } catch (const std::exception&) {
    out.clear();
  }
  return out;
}

}  // namespace gatelab::calendar
