// SPDX-License-Identifier: Apache-2.0
#include "policy/rate_limit/limiter_table.h"

#include <algorithm>

#include "base/random.h"

namespace gatelab::policy {

std::size_t LimiterTable::Hash::operator()(std::string_view s) const noexcept { return hash64(s, seed); }

// The upper bits choose the shard, the map uses the lower ones.
LimiterTable::Shard& LimiterTable::shard(std::string_view key) noexcept { return shards_[hash64(key, seed_) >> 58]; }

std::size_t LimiterTable::size() const noexcept {
  std::size_t sum = 0;
  for (const Shard& s : shards_) {
    std::lock_guard lock(s.mutex);
    sum += s.map.size();
  }
  return sum;
}

// Forgets entries that are back where they began, and nothing else: to forget a charge would be to admit too much.
void LimiterTable::sweep(Shard& s, Instant now) noexcept {
  if (now < s.next_sweep || now < s.may_sweep) return;
  s.may_sweep = now + std::chrono::milliseconds(1);
  s.next_sweep = Instant::max();
  for (auto known = s.map.begin(); known != s.map.end();) {
    const Instant forgotten = known->second.forgotten;
    if (forgotten <= now) {
      known = s.map.erase(known);
      continue;
    }
    s.next_sweep = std::min(s.next_sweep, forgotten);
    ++known;
  }
}

LimiterTable::Entry* LimiterTable::find_or_add(Shard& s, std::string_view key, Instant now) noexcept {
  const auto known = s.map.find(key);
  if (known != s.map.end()) return &known->second;
  const std::size_t room = std::max<std::size_t>(1, (entries_.load(std::memory_order_relaxed) + kShards - 1) / kShards);
  if (s.map.size() >= room) sweep(s, now);
  if (s.map.size() >= room) return nullptr;
  return &s.map.try_emplace(std::string(key)).first->second;
}

LimiterTable::Result LimiterTable::charge(std::string_view key, std::span<const LimitRule> rules, std::uint64_t cost, Instant now) noexcept {
  return charge(key, rules, cost, now, false);
}

LimiterTable::Result LimiterTable::charge_anyway(std::string_view key, std::span<const LimitRule> rules, std::uint64_t cost, Instant now) noexcept {
  return charge(key, rules, cost, now, true);
}

LimiterTable::Result LimiterTable::charge(std::string_view key, std::span<const LimitRule> rules, std::uint64_t cost, Instant now, bool anyway) noexcept {
  Result out;
  Shard& s = shard(key);
  std::lock_guard lock(s.mutex);
  Entry* const entry = find_or_add(s, key, now);
  if (entry == nullptr) {
    out.full = true;
    return out;
  }
  const Cells before = entry->cells;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    LimitCell& cell = entry->cells[i];
    out.charged_at = std::max(out.charged_at, counted_at(rules[i], cell, now));
    const LimitAnswer answer = anyway ? policy::charge_anyway(rules[i], cell, cost, now) : policy::charge(rules[i], cell, cost, now);
    const bool refused = !answer.allowed && !anyway;
    if (i == 0 || refused || answer.remaining < out.answer.remaining) {
      out.decided_by = i;
      out.answer = answer;
    }
    if (refused) {
      entry->cells = before;
      break;
    }
  }
  out.allowed = out.answer.allowed || anyway;
  remember(s, *entry, rules);
  return out;
}

void LimiterTable::remember(Shard& s, Entry& entry, std::span<const LimitRule> rules) noexcept {
  entry.forgotten = Instant{};
  for (std::size_t i = 0; i < rules.size(); ++i) entry.forgotten = std::max(entry.forgotten, forgotten_at(rules[i], entry.cells[i]));
  s.next_sweep = std::min(s.next_sweep, entry.forgotten);
}

void LimiterTable::give_back(std::string_view key, std::span<const LimitRule> rules, std::uint64_t cost, Instant charged_at) noexcept {
  Shard& s = shard(key);
  std::lock_guard lock(s.mutex);
  const auto known = s.map.find(key);
  if (known == s.map.end()) return;
  for (std::size_t i = 0; i < rules.size(); ++i) policy::give_back(rules[i], known->second.cells[i], cost, charged_at);
  remember(s, known->second, rules);
}

}  // namespace gatelab::policy
