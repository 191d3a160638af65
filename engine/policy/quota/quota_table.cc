// SPDX-License-Identifier: Apache-2.0
#include "policy/quota/quota_table.h"

#include <algorithm>
#include <limits>

namespace gatelab::policy {

// The calendar is asked once a period and shard.
const calendar::Bounds& QuotaTable::period_at(Table::Shard& s, Instant now) const noexcept {
  if (!s.period.contains(now)) s.period = calendar::period_of(period_, *zone_, now);
  return s.period;
}

QuotaTable::Result QuotaTable::charge(std::string_view key, std::uint64_t limit, Instant now) noexcept {
  Result out;
  {
    Table::Shard& s = table_.shard(key);
    std::lock_guard lock(s.mutex);
    Cell* cell = table_.find_or_add(s, key, now);
    if (cell == nullptr) {
      out.full = true;
      return out;
    }
    const calendar::Bounds& period = period_at(s, now);
    if (cell->until <= now) *cell = {period.end, 0};
    Table::touched(s, *cell);
    out.until = cell->until;
    out.length = period.end - period.begin;
    out.allowed = cell->count < limit;
    if (out.allowed) ++cell->count;
    out.remaining = limit > cell->count ? limit - cell->count : 0;
  }
  if (out.allowed) changed_->set();
  return out;
}

void QuotaTable::give_back(std::string_view key, Instant until) noexcept {
  {
    Table::Shard& s = table_.shard(key);
    std::lock_guard lock(s.mutex);
    const auto known = s.map.find(key);
    if (known == s.map.end() || known->second.until != until || known->second.count == 0) return;
    if (--known->second.count == 0) s.map.erase(known);
  }
  changed_->set();
}

std::uint64_t QuotaTable::used(std::string_view key, Instant now) noexcept {
  Table::Shard& s = table_.shard(key);
  std::lock_guard lock(s.mutex);
  const auto known = s.map.find(key);
  return known == s.map.end() || known->second.until <= now ? 0 : known->second.count;
}

std::vector<KeptCount> QuotaTable::save(Instant now) {
  std::vector<KeptCount> out;
  for (Table::Shard& s : table_) {
    std::lock_guard lock(s.mutex);
    Table::sweep(s, now);
    for (const auto& [key, cell] : s.map)
      if (cell.count > 0) out.push_back({key, cell.until, cell.count});
  }
  // Equal counts give equal files.
  std::sort(out.begin(), out.end(), [](const KeptCount& a, const KeptCount& b) { return a.key < b.key; });
  return out;
}

std::size_t QuotaTable::restore(const std::vector<KeptCount>& counts, Instant now) {
  std::size_t no_room = 0;
  for (const KeptCount& kept : counts) {
    if (kept.until <= now) continue;
    Table::Shard& s = table_.shard(kept.key);
    std::lock_guard lock(s.mutex);
    Cell* cell = table_.find_or_add(s, kept.key, now);
    if (cell == nullptr) {
      ++no_room;
      continue;
    }
    cell->until = std::max(cell->until, kept.until);
    cell->count += std::min(kept.count, std::numeric_limits<std::uint64_t>::max() - cell->count);
    Table::touched(s, *cell);
  }
  return no_room;
}

}  // namespace gatelab::policy
