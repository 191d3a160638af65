// SPDX-License-Identifier: Apache-2.0
#include "upstream/waiting.h"

#include <utility>

namespace gatelab::upstream {

bool Waiting::join(std::uint32_t most, std::function<void()> wake, Place& place) {
  std::lock_guard lock(mutex_);
  if (waiting_.size() >= most) return false;
  place = waiting_.insert(waiting_.end(), std::move(wake));
  size_.store(static_cast<std::uint32_t>(waiting_.size()), std::memory_order_release);
  return true;
}

// Who was called stays in a list of his own until he leaves, so that his place can always be given back.
bool Waiting::leave(Place place) noexcept {
  std::lock_guard lock(mutex_);
  const bool called = !*place;
  (called ? called_ : waiting_).erase(place);
  size_.store(static_cast<std::uint32_t>(waiting_.size()), std::memory_order_release);
  return !called;
}

void Waiting::call_next() noexcept {
  std::function<void()> wake;
  {
    std::lock_guard lock(mutex_);
    if (waiting_.empty()) return;
    wake = std::exchange(waiting_.front(), nullptr);
    called_.splice(called_.end(), waiting_, waiting_.begin());
    size_.store(static_cast<std::uint32_t>(waiting_.size()), std::memory_order_release);
  }
  wake();
}

}  // namespace gatelab::upstream
