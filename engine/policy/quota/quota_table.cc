// SPDX-License-Identifier: Apache-2.0
#include "policy/quota/quota_table.h"

#include <algorithm>
#include <limits>

#include "base/random.h"

namespace gatelab::policy {

std::size_t QuotaTable::Hash::operator()(std::string_view s) const noexcept { return hash64(s, seed); }

// The upper bits choose the shard, the map uses the lower ones.
QuotaTable::Shard& QuotaTable::shard(std::string_view key) noexcept { return shards_[hash64(key, seed_) >> 58]; }

std::size_t QuotaTable::size() const noexcept {
  std::size_t sum = 0;
  for (const Shard& s : shards_) {
    std::lock_guard lock(s.mutex);
    sum += s.map.size();
  }
  return sum;
}

// The calendar is asked once a period and shard.
const calendar::Bounds& QuotaTable::period_at(Shard& s, Instant now) const noexcept {
  if (!s.period.contains(now)) s.period = calendar::period_of(period_, *zone_, now);
  return s.period;
}

void QuotaTable::sweep(Shard& s, Instant now) noexcept {
  if (now < s.next_sweep) return;
  std::erase_if(s.map, [now](const auto& entry) { return entry.second.until <= now; });
  s.next_sweep = Instant::max();
  for (const auto& [key, cell] : s.map) s.next_sweep = std::min(s.next_sweep, cell.until);
}

QuotaTable::Cell* QuotaTable::find_or_add(Shard& s, std::string_view key, Instant now) noexcept {
  const auto known = s.map.find(key);
  if (known != s.map.end()) return &known->second;
  const std::size_t room = std::max<std::size_t>(1, (entries_.load(std::memory_order_relaxed) + kShards - 1) / kShards);
  if (s.map.size() >= room) sweep(s, now);
  if (s.map.size() >= room) return nullptr;
  return &s.map.try_emplace(std::string(key)).first->second;
}

QuotaTable::Result QuotaTable::charge(std::string_view key, std::uint64_t limit, Instant now) noexcept {
  Result out;
  {
    Shard& s = shard(key);
    std::lock_guard lock(s.mutex);
    Cell* cell = find_or_add(s, key, now);
    if (cell == nullptr) {
      out.full = true;
      return out;
    }
    const calendar::Bounds& period = period_at(s, now);
    if (cell->until <= now) *cell = {period.end, 0};
    s.next_sweep = std::min(s.next_sweep, cell->until);
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
    Shard& s = shard(key);
    std::lock_guard lock(s.mutex);
    const auto known = s.map.find(key);
    if (known == s.map.end() || known->second.until != until || known->second.count == 0) return;
    if (--known->second.count == 0) s.map.erase(known);
  }
  changed_->set();
}

std::vector<KeptCount> QuotaTable::save(Instant now) {
  std::vector<KeptCount> out;
  for (Shard& s : shards_) {
    std::lock_guard lock(s.mutex);
    sweep(s, now);
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
    Shard& s = shard(kept.key);
    std::lock_guard lock(s.mutex);
    Cell* cell = find_or_add(s, kept.key, now);
    if (cell == nullptr) {
      ++no_room;
      continue;
    }
    cell->until = std::max(cell->until, kept.until);
    cell->count += std::min(kept.count, std::numeric_limits<std::uint64_t>::max() - cell->count);
    s.next_sweep = std::min(s.next_sweep, cell->until);
  }
  return no_room;
}

}  // namespace gatelab::policy
