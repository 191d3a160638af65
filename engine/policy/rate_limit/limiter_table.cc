// SPDX-License-Identifier: Apache-2.0
#include "policy/rate_limit/limiter_table.h"

#include <algorithm>

namespace gatelab::policy {

LimiterTable::Result LimiterTable::charge(std::string_view key, std::span<const LimitRule> rules, std::uint64_t cost, Instant now) noexcept {
  return charge(key, rules, cost, now, false);
}

LimiterTable::Result LimiterTable::charge_anyway(std::string_view key, std::span<const LimitRule> rules, std::uint64_t cost, Instant now) noexcept {
  return charge(key, rules, cost, now, true);
}

LimiterTable::Result LimiterTable::charge(std::string_view key, std::span<const LimitRule> rules, std::uint64_t cost, Instant now, bool anyway) noexcept {
  Result out;
  Table::Shard& s = table_.shard(key);
  std::lock_guard lock(s.mutex);
  Entry* const entry = table_.find_or_add(s, key, now);
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

void LimiterTable::remember(Table::Shard& s, Entry& entry, std::span<const LimitRule> rules) noexcept {
  entry.forgotten = Instant{};
  for (std::size_t i = 0; i < rules.size(); ++i) entry.forgotten = std::max(entry.forgotten, forgotten_at(rules[i], entry.cells[i]));
  Table::touched(s, entry);
}

void LimiterTable::give_back(std::string_view key, std::span<const LimitRule> rules, std::uint64_t cost, Instant charged_at) noexcept {
  Table::Shard& s = table_.shard(key);
  std::lock_guard lock(s.mutex);
  const auto known = s.map.find(key);
  if (known == s.map.end()) return;
  for (std::size_t i = 0; i < rules.size(); ++i) policy::give_back(rules[i], known->second.cells[i], cost, charged_at);
  remember(s, known->second, rules);
}

std::uint64_t LimiterTable::remaining(std::string_view key, std::span<const LimitRule> rules, Instant now) noexcept {
  Table::Shard& s = table_.shard(key);
  std::lock_guard lock(s.mutex);
  const auto known = s.map.find(key);
  Cells cells = known == s.map.end() ? Cells{} : known->second.cells;
  std::uint64_t least = UINT64_MAX;
  for (std::size_t i = 0; i < rules.size(); ++i) least = std::min(least, policy::charge(rules[i], cells[i], 0, now).remaining);
  return least;
}

}  // namespace gatelab::policy
