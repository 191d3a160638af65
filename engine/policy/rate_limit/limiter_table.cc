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
void LimiterTable::sweep(Shard& s, std::span<const LimitRule> rules, Instant now) noexcept {
  if (now < s.next_sweep) return;
  s.next_sweep = Instant::max();
  for (auto entry = s.map.begin(); entry != s.map.end();) {
    Instant forgotten;
    for (std::size_t i = 0; i < rules.size(); ++i) forgotten = std::max(forgotten, forgotten_at(rules[i], entry->second[i]));
    if (forgotten <= now) {
      entry = s.map.erase(entry);
      continue;
    }
    s.next_sweep = std::min(s.next_sweep, forgotten);
    ++entry;
  }
}

LimiterTable::Cells* LimiterTable::find_or_add(Shard& s, std::string_view key, std::span<const LimitRule> rules, Instant now) noexcept {
  const auto known = s.map.find(key);
  if (known != s.map.end()) return &known->second;
  const std::size_t room = std::max<std::size_t>(1, (entries_.load(std::memory_order_relaxed) + kShards - 1) / kShards);
  if (s.map.size() >= room) sweep(s, rules, now);
  if (s.map.size() >= room) return nullptr;
  s.next_sweep = std::min(s.next_sweep, now + rules.front().rate.per);
  return &s.map.try_emplace(std::string(key)).first->second;
}

LimiterTable::Result LimiterTable::charge(std::string_view key, std::span<const LimitRule> rules, Instant now) noexcept {
  Result out;
  Shard& s = shard(key);
  std::lock_guard lock(s.mutex);
  Cells* cells = find_or_add(s, key, rules, now);
  if (cells == nullptr) {
    out.full = true;
    return out;
  }
  const Cells before = *cells;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const LimitAnswer answer = policy::charge(rules[i], (*cells)[i], now);
    const bool tightest = i == 0 || !answer.allowed || answer.remaining < out.answer.remaining;
    if (tightest) {
      out.decided_by = i;
      out.answer = answer;
    }
    if (!answer.allowed) {
      *cells = before;
      return out;
    }
  }
  out.allowed = true;
  return out;
}

void LimiterTable::give_back(std::string_view key, std::span<const LimitRule> rules, Instant now) noexcept {
  Shard& s = shard(key);
  std::lock_guard lock(s.mutex);
  const auto known = s.map.find(key);
  if (known == s.map.end()) return;
  for (std::size_t i = 0; i < rules.size(); ++i) policy::give_back(rules[i], known->second[i], now);
}

}  // namespace gatelab::policy
