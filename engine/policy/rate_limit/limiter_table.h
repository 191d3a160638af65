// SPDX-License-Identifier: Apache-2.0
// Counters by key, bounded, exact for several workers (key_table.h). Any thread.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "policy/key_table.h"
#include "policy/rate_limit/algorithm.h"
#include "policy/state.h"

namespace gatelab::policy {

inline constexpr std::size_t kMaxRates = 4;

class LimiterTable final : public State {
 public:
  LimiterTable(std::size_t entries, std::uint64_t seed) noexcept : table_(entries, seed) {}

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
  // By the rule that has the least left.
  std::uint64_t remaining(std::string_view key, std::span<const LimitRule> rules, Instant now) noexcept;
  // From when its configuration is in force on. Reload time.
  void propose(std::size_t entries) noexcept { table_.propose(entries); }
  void in_force() noexcept override { table_.in_force(); }
  std::size_t size() const noexcept { return table_.size(); }
  void measure(std::vector<Measure>& out) const override { out.push_back(keys_remembered(size())); }

 private:
  using Cells = std::array<LimitCell, kMaxRates>;
  // Who is charged by which rules differs: an entry knows itself from when on it says nothing.
  struct Entry {
    Cells cells{};
    Instant forgotten;
    Instant over() const noexcept { return forgotten; }
  };
  struct NoMore {};
  using Table = KeyTable<Entry, NoMore>;

  Result charge(std::string_view key, std::span<const LimitRule> rules, std::uint64_t cost, Instant now, bool anyway) noexcept;
  static void remember(Table::Shard& shard, Entry& entry, std::span<const LimitRule> rules) noexcept;

  Table table_;
};

}  // namespace gatelab::policy
