// SPDX-License-Identifier: Apache-2.0
#include "policy/resource.h"

#include <utility>

namespace gatelab::policy {

bool Resource::begin(Instant now) noexcept {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(fetching_, true)) return false;
  }
  began(now);
  return true;
}

void Resource::end(std::string_view failure, std::uint16_t status, std::string_view body, Instant now) noexcept {
  take(failure, status, body, now);
  std::vector<std::function<void()>> waiting;
  {
    std::lock_guard lock(mutex_);
    fetching_ = false;
    waiting.swap(waiting_);
  }
  for (const auto& woken : waiting) woken();
}

bool Resource::is_fetching() noexcept {
  const std::lock_guard lock(mutex_);
  return fetching_;
}

void Resource::when_ended(std::function<void()> woken) {
  {
    std::lock_guard lock(mutex_);
    if (fetching_) return waiting_.push_back(std::move(woken));
  }
  woken();
}

}  // namespace gatelab::policy
