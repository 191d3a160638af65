// SPDX-License-Identifier: Apache-2.0
#include "io/timer_wheel.h"

#include <algorithm>

namespace gatelab::io {

void TimerWheel::add(Waiter& w) noexcept {
  w.timed = true;
  w.timer_sequence = (static_cast<std::uint64_t>(std::max<std::int64_t>(0, w.wait().deadline.ns)) + (tick_ - 1)) / tick_;
  ++size_;
  earliest_ = size_ == 1 ? w.timer_sequence : std::min(earliest_, w.timer_sequence);
  place(w);
}

// timer_sequence is the tick at which it is due.
void TimerWheel::place(Waiter& w) noexcept {
  constexpr std::uint64_t kFurthest = (1ULL << (8 * kLevels)) - 1;
  // What lies beyond the last wheel waits in its furthest slot and is placed again from there.
  const std::uint64_t due = std::min(std::max(w.timer_sequence, now_ + 1), now_ + kFurthest);
  int level = 0;
  while (level + 1 < kLevels && due - now_ >= 1ULL << (8 * (level + 1))) ++level;
  Waiter*& first = slots_[static_cast<std::size_t>(level)][(due >> (8 * level)) % kSlots];
  w.timer_next = first;
  w.timer_prev = &first;
  if (first != nullptr) first->timer_prev = &w.timer_next;
  first = &w;
}

void TimerWheel::remove(Waiter& w) noexcept {
  *w.timer_prev = w.timer_next;
  if (w.timer_next != nullptr) w.timer_next->timer_prev = w.timer_prev;
  w.timed = false;
  --size_;
}

// The slot of a slower wheel that begins now goes down to the faster ones.
void TimerWheel::cascade(int level) noexcept {
  Waiter* w = slots_[static_cast<std::size_t>(level)][(now_ >> (8 * level)) % kSlots];
  slots_[static_cast<std::size_t>(level)][(now_ >> (8 * level)) % kSlots] = nullptr;
  while (w != nullptr) {
    Waiter* next = w->timer_next;
    // place() never answers with the present tick: what is due in it goes to the next.
    place(*w);
    w = next;
  }
}

void TimerWheel::advance(Instant now) noexcept {
  const std::uint64_t target = tick_of(now);
  while (now_ < target) {
    if (size_ == 0) {
      now_ = target;
      return;
    }
    ++now_;
    for (int level = 1; level < kLevels && now_ % (1ULL << (8 * level)) == 0; ++level) cascade(level);
    while (Waiter* w = slots_[0][now_ % kSlots]) w->complete(Code::TimedOut);
  }
}

std::uint64_t TimerWheel::find_earliest() const noexcept {
  std::uint64_t earliest = now_ + (1ULL << (8 * kLevels));
  for (int level = 0; level < kLevels; ++level) {
    const std::uint64_t unit = 1ULL << (8 * level);
    for (std::uint64_t i = 1; i <= kSlots; ++i) {
      const std::uint64_t slot = (now_ / unit) + i;
      if (slots_[static_cast<std::size_t>(level)][slot % kSlots] == nullptr) continue;
      earliest = std::min(earliest, slot * unit);
      break;
    }
  }
  return earliest;
}

Instant TimerWheel::next() noexcept {
  if (size_ == 0) return Instant::max();
  if (earliest_ <= now_) earliest_ = find_earliest();
  return Instant{static_cast<std::int64_t>(earliest_ * tick_)};
}

}  // namespace gatelab::io
