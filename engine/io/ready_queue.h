// SPDX-License-Identifier: Apache-2.0
// Coroutines that wait for their turn, first in, first out. A ring that grows to what was needed once and then allocates no
// more, as a std::deque would. One thread.
#pragma once

#include <coroutine>
#include <cstddef>
#include <utility>
#include <vector>

namespace gatelab::io {

class ReadyQueue {
 public:
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  void push(std::coroutine_handle<> h) noexcept {
    if (size_ == ring_.size()) grow();
    ring_[(first_ + size_++) & (ring_.size() - 1)] = h;
  }
  // Precondition: not empty.
  std::coroutine_handle<> pop() noexcept {
    const std::coroutine_handle<> h = ring_[first_];
    first_ = (first_ + 1) & (ring_.size() - 1);
    --size_;
    return h;
  }

 private:
  void grow() noexcept {
    std::vector<std::coroutine_handle<>> bigger(ring_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) bigger[i] = ring_[(first_ + i) & (ring_.size() - 1)];
    ring_ = std::move(bigger);
    first_ = 0;
  }
  std::vector<std::coroutine_handle<>> ring_ = std::vector<std::coroutine_handle<>>(64);  // its size is a power of two
  std::size_t first_ = 0, size_ = 0;
};

}  // namespace gatelab::io
