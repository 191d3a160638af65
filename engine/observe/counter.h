// SPDX-License-Identifier: Apache-2.0
// A number that one thread writes and any may read.
#pragma once

#include <atomic>
#include <cstdint>

namespace gatelab::observe {

// Single writer: a relaxed load and store, not a locked add.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { v_.store(v_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void set(std::uint64_t n) noexcept { v_.store(n, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return v_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> v_{0};
};

}  // namespace gatelab::observe
