// SPDX-License-Identifier: Apache-2.0
// Counters by key, bounded, exact for several workers: sharded, each shard behind a mutex that is held for the length of
// one lookup (docs/decisions/0002-limits-behind-a-sharded-mutex.md). Any thread.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "policy/rate_limit/algorithm.h"
#include "policy/state.h"

namespace gatelab::policy {

inline constexpr std::size_t kMaxRates = 4;

class LimiterTable final : public State {
 public:
  LimiterTable(std::size_t entries, std::uint64_t seed) noexcept : entries_(entries), next_entries_(entries), seed_(seed) {}

  struct Result {
    bool full = false;             // no room for this key: nothing was charged
    bool allowed = false;          // by all rules; if not, none was charged
    std::size_t decided_by = 0;    // the rule that refused, else the one with the least left
    LimitAnswer answer;            // of that rule
    Instant charged_at;            // what give_back() asks for
  };
  Result charge(std::string_view key, std::span<const LimitRule> rules, std::uint64_t cost, Instant now) noexcept;
  // Charges by all rules whatever they allow. The rule that has the least left decides.
  Result charge_anyway(std::string_view key, std::span<const LimitRule> rules, std::uint64_t cost, Instant now) noexcept;
  void give_back(std::string_view key, std::span<const LimitRule> rules, std::uint64_t cost, Instant charged_at) noexcept;
  // From when its configuration is in force on. Reload time.
  void propose(std::size_t entries) noexcept { next_entries_ = entries; }
  void in_force() noexcept override { entries_.store(next_entries_, std::memory_order_relaxed); }
  std::size_t size() const noexcept;
  void measure(std::vector<Measure>& out) const override {
    out.push_back({"gatelab_limiter_keys", "Keys that a limit remembers, by policy or bucket.", static_cast<double>(size())});
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::uint64_t seed;
    std::size_t operator()(std::string_view s) const noexcept;
  };
  using Cells = std::array<LimitCell, kMaxRates>;
  // Who is charged by which rules differs: an entry knows itself from when on it says nothing.
  struct Entry {
    Cells cells{};
    Instant forgotten;
  };
  using Map = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;
  struct Shard {
    explicit Shard(std::uint64_t seed) : map(0, Hash{seed}) {}
    mutable std::mutex mutex;
    Map map;
    Instant next_sweep;   // no entry can be forgotten before
    Instant may_sweep;    // who comes to a full table must not go through all of it each time
  };
  static constexpr std::size_t kShards = 64;

  Shard& shard(std::string_view key) noexcept;
  Result charge(std::string_view key, std::span<const LimitRule> rules, std::uint64_t cost, Instant now, bool anyway) noexcept;
  Entry* find_or_add(Shard& shard, std::string_view key, Instant now) noexcept;
  static void sweep(Shard& shard, Instant now) noexcept;
  static void remember(Shard& shard, Entry& entry, std::span<const LimitRule> rules) noexcept;

  std::atomic<std::size_t> entries_;
  std::size_t next_entries_;
  std::uint64_t seed_;
  std::array<Shard, kShards> shards_ = make_shards(std::make_index_sequence<kShards>{});
  template <std::size_t... I>
  std::array<Shard, kShards> make_shards(std::index_sequence<I...>) {
    return {((void)I, Shard(seed_))...};
  }
};

}  // namespace gatelab::policy
