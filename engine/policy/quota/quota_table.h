// SPDX-License-Identifier: Apache-2.0
// Counts by key within calendar periods, bounded, exact for several workers: sharded as rate-limit's table is
// (docs/decisions/0002-limits-behind-a-sharded-mutex.md). Any thread.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "calendar/period.h"
#include "policy/kept.h"

namespace gatelab::policy {

class QuotaTable final : public KeptState {
 public:
  QuotaTable(calendar::Period period, calendar::ZonePtr zone, std::size_t entries, std::uint64_t seed, std::shared_ptr<ChangeFlag> changed) noexcept
      : period_(period), zone_(std::move(zone)), entries_(entries), seed_(seed), changed_(std::move(changed)) {}

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
  void resize(std::size_t entries) noexcept { entries_.store(entries, std::memory_order_relaxed); }
  std::size_t size() const noexcept;

  std::vector<KeptCount> save(Instant now) override;
  std::size_t restore(const std::vector<KeptCount>& counts, Instant now) override;

 private:
  struct Hash {
    using is_transparent = void;
    std::uint64_t seed;
    std::size_t operator()(std::string_view s) const noexcept;
  };
  // A count holds until its period is over, whatever the clock does in between: one that is set back gives nobody a second quota.
  struct Cell {
    Instant until;
    std::uint64_t count = 0;
  };
  using Map = std::unordered_map<std::string, Cell, Hash, std::equal_to<>>;
  struct Shard {
    explicit Shard(std::uint64_t seed) : map(0, Hash{seed}) {}
    mutable std::mutex mutex;
    Map map;
    calendar::Bounds period{};  // the last one that was asked for
    Instant next_sweep;         // nothing is over before
  };
  static constexpr std::size_t kShards = 64;

  Shard& shard(std::string_view key) noexcept;
  const calendar::Bounds& period_at(Shard& shard, Instant now) const noexcept;
  Cell* find_or_add(Shard& shard, std::string_view key, Instant now) noexcept;
  static void sweep(Shard& shard, Instant now) noexcept;

  const calendar::Period period_;
  const calendar::ZonePtr zone_;
  std::atomic<std::size_t> entries_;
  const std::uint64_t seed_;
  const std::shared_ptr<ChangeFlag> changed_;
  std::array<Shard, kShards> shards_ = make_shards(std::make_index_sequence<kShards>{});
  template <std::size_t... I>
  std::array<Shard, kShards> make_shards(std::index_sequence<I...>) {
    return {((void)I, Shard(seed_))...};
  }
};

}  // namespace gatelab::policy
