// SPDX-License-Identifier: Apache-2.0
// How many of each part's calls an aggregate policy has made, and how many came to nothing, over all workers and reloads. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "policy/aggregate/plan.h"
#include "policy/state.h"

namespace gatelab::policy {

class AggregateTally final : public State {
 public:
  // Counted by place: a reload that changes the parts goes on counting under the names of the configuration in force.
  void name(const AggregatePlan& plan) {
    const std::lock_guard lock(mutex_);
    names_.clear();
    for (const AggregatePart& part : plan.parts) names_.push_back(part.name);
  }
  void count(std::size_t part, bool failed) noexcept { counts_[part][failed ? 1 : 0].fetch_add(1, std::memory_order_relaxed); }

  void measure(std::vector<Measure>& out) const override {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < names_.size(); ++i) {
      out.push_back({"gatelab_aggregate_parts_total", "Parts of aggregated answers that were there.", read(i, 0), true, "part", names_[i]});
      out.push_back({"gatelab_aggregate_part_failures_total", "Parts of aggregated answers that were not there.", read(i, 1), true, "part", names_[i]});
    }
  }

 private:
  double read(std::size_t part, std::size_t which) const noexcept { return static_cast<double>(counts_[part][which].load(std::memory_order_relaxed)); }
  std::array<std::array<std::atomic<std::uint64_t>, 2>, AggregatePlan::kMostParts> counts_{};
  mutable std::mutex mutex_;
  std::vector<std::string> names_;
};

}  // namespace gatelab::policy
