// SPDX-License-Identifier: Apache-2.0
// Deadlines of one loop: four wheels of 256 slots, a millisecond a tick unless it is told otherwise. Adding and removing
// touch one list; nothing is allocated. A deadline fires at most one tick late, never early. One thread.
#pragma once

#include <array>
#include <cstdint>

#include "io/loop.h"

namespace gatelab::io {

class TimerWheel {
 public:
  // What lies 2^32 ticks ahead waits for its turn in the last slot: with 50 µs that is after two days.
  explicit TimerWheel(Instant start, Duration tick = std::chrono::milliseconds(1)) noexcept : tick_(static_cast<std::uint64_t>(tick.count())), now_(tick_of(start)) {}

  void add(Waiter& w) noexcept;
  void remove(Waiter& w) noexcept;
  // Completes every wait whose deadline has passed with TimedOut.
  void advance(Instant now) noexcept;
  // A lower bound of when the next deadline is; Instant::max() if there is none.
  Instant next() noexcept;
  std::size_t size() const noexcept { return size_; }

 private:
  static constexpr int kLevels = 4;
  static constexpr std::uint64_t kSlots = 256;
  std::uint64_t tick_of(Instant t) const noexcept { return static_cast<std::uint64_t>(t.ns) / tick_; }

  void place(Waiter& w) noexcept;
  void cascade(int level) noexcept;
  std::uint64_t find_earliest() const noexcept;

  std::array<std::array<Waiter*, kSlots>, kLevels> slots_{};
  const std::uint64_t tick_;  // nanoseconds
  std::uint64_t now_;
  std::uint64_t earliest_ = 0;  // nothing is due before, as far as is known; looked up again once it has passed
  std::size_t size_ = 0;
};

}  // namespace gatelab::io
