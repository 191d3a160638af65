// SPDX-License-Identifier: Apache-2.0
// A time zone as data: its offsets from UTC and when they change. Immutable, any thread; only load_zone() reads a file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gatelab::calendar {

class Zone {
 public:
  struct Change {
    std::int64_t at;      // seconds of UTC since the Unix epoch
    std::int32_t offset;  // from then on: seconds that local clocks are ahead of UTC
  };
  // `changes` in order of time.
  Zone(std::string name, std::int32_t first_offset, std::vector<Change> changes) : name_(std::move(name)), first_offset_(first_offset), changes_(std::move(changes)) {}

  const std::string& name() const noexcept { return name_; }

  // What local clocks show, as seconds since 1970-01-01T00:00 of theirs.
  std::int64_t local(std::int64_t utc) const noexcept { return utc + stretch_of(utc).offset; }
  // The first second of UTC at which they show `local` or later: where they are put forward over it, the moment when they are;
  // where they show it twice, the first time.
  std::int64_t first_at(std::int64_t local) const noexcept;

  // A time in which the offset stays the same: [begin, end).
  struct Stretch {
    std::int64_t begin, end;
    std::int32_t offset;
  };
  Stretch stretch_of(std::int64_t utc) const noexcept;

 private:
  Stretch stretch(std::size_t changes_before) const noexcept;

  std::string name_;
  std::int32_t first_offset_;
  std::vector<Change> changes_;
};
using ZonePtr = std::shared_ptr<const Zone>;

ZonePtr utc();
// From the system's time zone database. Errors: unknown-time-zone; no-time-zones: there is no database, or it is unreadable.
Result<ZonePtr> load_zone(const std::string& name);
// Every name that load_zone() knows, sorted; empty if there is no database.
std::vector<std::string> zone_names();

}  // namespace gatelab::calendar
