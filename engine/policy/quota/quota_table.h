// SPDX-License-Identifier: Apache-2.0
// Counts by key within calendar periods, bounded, exact for several workers (key_table.h). Any thread.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "calendar/period.h"
#include "policy/kept.h"
#include "policy/key_table.h"

namespace gatelab::policy {

class QuotaTable final : public KeptState {
 public:
  QuotaTable(calendar::Period period, calendar::ZonePtr zone, std::size_t entries, std::uint64_t seed, std::shared_ptr<ChangeFlag> changed) noexcept
      : period_(period), zone_(std::move(zone)), changed_(std::move(changed)), table_(entries, seed) {}

  struct Result {
    bool full = false;            // no room for this key: nothing was charged
    bool allowed = false;         // and charged
    std::uint64_t remaining = 0;  // after this request
    Instant until;                // when the key's count is over
    Duration length{};            // of the period
  };
  Result charge(std::string_view key, std::uint64_t limit, Instant now) noexcept;
  // Takes one charge back, unless the period that it was made in is over.
  void give_back(std::string_view key, Instant until) noexcept;
  std::uint64_t used(std::string_view key, Instant now) noexcept;
  // From when its configuration is in force on. Reload time.
  void propose(std::size_t entries) noexcept { table_.propose(entries); }
  void in_force() noexcept override { table_.in_force(); }
  std::size_t size() const noexcept { return table_.size(); }
  void measure(std::vector<Measure>& out) const override { out.push_back(keys_remembered(size())); }

  std::vector<KeptCount> save(Instant now) override;
  std::size_t restore(const std::vector<KeptCount>& counts, Instant now) override;

 private:
  // A count holds until its period is over, whatever the clock does in between: one that is set back gives nobody a second quota.
  struct Cell {
    Instant until;
    std::uint64_t count = 0;
    Instant over() const noexcept { return until; }
  };
  struct Asked {
    calendar::Bounds period{};  // the last one that was asked for
  };
  using Table = KeyTable<Cell, Asked>;

  const calendar::Bounds& period_at(Table::Shard& shard, Instant now) const noexcept;

  const calendar::Period period_;
  const calendar::ZonePtr zone_;
  const std::shared_ptr<ChangeFlag> changed_;
  Table table_;
};

}  // namespace gatelab::policy
