// SPDX-License-Identifier: Apache-2.0
// Requests that wait for a target to have room, first come, first served, over all workers. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>

namespace gatelab::upstream {

class Waiting {
 public:
  using Place = std::list<std::function<void()>>::iterator;

  // False: as many wait as may. `wake` is called once, on whatever thread makes room; it must not block.
  bool join(std::uint32_t most, std::function<void()> wake, Place& place);
  // True: it had not been called, and will not be any more.
  bool leave(Place place) noexcept;
  // There is room for one.
  void call_next() noexcept;
  bool empty() const noexcept { return size_.load(std::memory_order_acquire) == 0; }
  std::uint32_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  std::mutex mutex_;
  std::list<std::function<void()>> waiting_, called_;
  std::atomic<std::uint32_t> size_{0};
};

}  // namespace gatelab::upstream
