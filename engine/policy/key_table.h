// SPDX-License-Identifier: Apache-2.0
// What limits remember of each key: sharded, each shard behind a mutex that is held for the length of one look
// (docs/decisions/0002-limits-behind-a-sharded-mutex.md). Any thread.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/random.h"
#include "base/time.h"

namespace gatelab::policy {

// Seeded, so that nobody can choose keys that meet in one place.
struct KeyHash {
  using is_transparent = void;
  std::uint64_t seed;
  std::size_t operator()(std::string_view key) const noexcept { return hash64(key, seed); }
};
template <class Entry>
using KeyMap = std::unordered_map<std::string, Entry, KeyHash, std::equal_to<>>;

// `Shard` is made from the seed and the arguments. Two to the power of `kBits` of them.
template <class Shard, std::size_t kBits>
class Shards {
 public:
  template <class... A>
  explicit Shards(std::uint64_t seed, const A&... arguments) : seed_(seed), all_(make(std::make_index_sequence<kCount>{}, arguments...)) {}
  static constexpr std::size_t kCount = std::size_t{1} << kBits;

  // The upper bits choose the shard, its map uses the lower ones.
  Shard& of(std::string_view key) noexcept { return all_[hash64(key, seed_) >> (64 - kBits)]; }
  auto begin() noexcept { return all_.begin(); }
  auto end() noexcept { return all_.end(); }
  auto begin() const noexcept { return all_.begin(); }
  auto end() const noexcept { return all_.end(); }

  // Entries of all of them.
  std::size_t size() const noexcept {
    std::size_t sum = 0;
    for (const Shard& s : all_) {
      std::lock_guard lock(s.mutex);
      sum += s.map.size();
    }
    return sum;
  }

 private:
  template <std::size_t... I, class... A>
  std::array<Shard, kCount> make(std::index_sequence<I...>, const A&... arguments) {
    return {((void)I, Shard(seed_, arguments...))...};
  }
  std::uint64_t seed_;
  std::array<Shard, kCount> all_;
};

// Bounded. `Entry` says with over() from when on it is as if it had never been; nothing else is ever forgotten, as to forget
// a charge would be to admit too much. `Extra` is what a shard has besides.
template <class Entry, class Extra>
class KeyTable {
 public:
  KeyTable(std::size_t entries, std::uint64_t seed) noexcept : entries_(entries), next_entries_(entries), shards_(seed) {}

  struct Shard : Extra {
    explicit Shard(std::uint64_t seed) : map(0, KeyHash{seed}) {}
    mutable std::mutex mutex;
    KeyMap<Entry> map;
    Instant next_sweep;  // nothing is over before
    Instant may_sweep;   // who comes to a full table must not go through all of it each time
  };

  Shard& shard(std::string_view key) noexcept { return shards_.of(key); }
  auto begin() noexcept { return shards_.begin(); }
  auto end() noexcept { return shards_.end(); }
  std::size_t size() const noexcept { return shards_.size(); }

  // From when its configuration is in force on. Reload time.
  void propose(std::size_t entries) noexcept { next_entries_ = entries; }
  void in_force() noexcept { entries_.store(next_entries_, std::memory_order_relaxed); }

  // Under the shard's mutex. Null if there is no room.
  Entry* find_or_add(Shard& s, std::string_view key, Instant now) noexcept {
    const auto known = s.map.find(key);
    if (known != s.map.end()) return &known->second;
    const std::size_t room = std::max<std::size_t>(1, (entries_.load(std::memory_order_relaxed) + kShards - 1) / kShards);
    if (s.map.size() >= room && now >= s.may_sweep) {
      s.may_sweep = now + std::chrono::milliseconds(1);
      sweep(s, now);
    }
    if (s.map.size() >= room) return nullptr;
    return &s.map.try_emplace(std::string(key)).first->second;
  }
  // The entry has changed.
  static void touched(Shard& s, const Entry& entry) noexcept { s.next_sweep = std::min(s.next_sweep, entry.over()); }
  // Forgets what is over.
  static void sweep(Shard& s, Instant now) noexcept {
    if (now < s.next_sweep) return;
    s.next_sweep = Instant::max();
    std::erase_if(s.map, [now, &s](const auto& known) {
      if (known.second.over() <= now) return true;
      touched(s, known.second);
      return false;
    });
  }

 private:
  static constexpr std::size_t kBits = 6, kShards = std::size_t{1} << kBits;
  std::atomic<std::size_t> entries_;
  std::size_t next_entries_;
  Shards<Shard, kBits> shards_;
};

}  // namespace gatelab::policy
