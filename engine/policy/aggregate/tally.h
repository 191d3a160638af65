// SPDX-License-Identifier: Apache-2.0
// How many of each part's calls an aggregate policy has made, and how many came to nothing, over all workers and reloads. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "policy/state.h"

namespace gatelab::policy {

class AggregateTally final : public State {
 public:
  struct Counter {
    void count(bool failed) noexcept { (failed ? failures : answers).fetch_add(1, std::memory_order_relaxed); }
    std::atomic<std::uint64_t> answers{0}, failures{0};
    bool is_shown = false;
  };

  // A configuration is being built: what it asks for is shown once that is in force.
  void begin() {
    const std::lock_guard lock(mutex_);
    wanted_.clear();
  }
  // Lives as long as this.
  Counter* of(const std::string& part) {
    const std::lock_guard lock(mutex_);
    Counter* counter = &counters_[part];
    wanted_.push_back(counter);
    return counter;
  }
  void in_force() noexcept override {
    const std::lock_guard lock(mutex_);
    for (Counter* counter : std::exchange(wanted_, {})) counter->is_shown = true;
  }

  void measure(std::vector<Measure>& out) const override {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, counter] : counters_) {
      if (!counter.is_shown) continue;
      out.push_back({"gatelab_aggregate_parts_total", "Parts of aggregated answers that were there.", read(counter.answers), true, "part", name});
      out.push_back({"gatelab_aggregate_part_failures_total", "Parts of aggregated answers that were not there.", read(counter.failures), true, "part", name});
    }
  }

 private:
  static double read(const std::atomic<std::uint64_t>& count) noexcept { return static_cast<double>(count.load(std::memory_order_relaxed)); }
  mutable std::mutex mutex_;
  std::map<std::string, Counter> counters_;  // parts that are gone keep theirs, as counters do
  std::vector<Counter*> wanted_;
};

}  // namespace gatelab::policy
