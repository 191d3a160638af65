// SPDX-License-Identifier: Apache-2.0
// Something that is fetched over HTTP and shared by all requests, workers and configurations that need it: a key set. The
// policy that owns it says when it is worth fetching; the proxy fetches, once for all who wait (single flight). Any thread.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "policy/state.h"

namespace gatelab::policy {

class Resource : public State {
 public:
  explicit Resource(std::string target) : target_(std::move(target)) {}

  // Path and query of what is fetched.
  const std::string& target() const noexcept { return target_; }
  // Octets of the largest answer that is read.
  virtual std::size_t max_octets() const noexcept = 0;

  // True: nobody is fetching it, and the caller begins to now. It says how that ended with end(), whatever happens.
  bool begin(Instant now) noexcept;
  // How a fetch ended. `failure` is a reason's word, empty if there is an answer. Wakes everyone who waits.
  void end(std::string_view failure, std::uint16_t status, std::string_view body, Instant now) noexcept;
  bool is_fetching() noexcept;
  // Calls `woken` when the fetch under way has ended, on whatever thread that happens; at once if there is none.
  void when_ended(std::function<void()> woken);

 protected:
  // One call at a time; looked at from other threads meanwhile, so it takes its own lock.
  virtual void began(Instant now) noexcept = 0;
  virtual void take(std::string_view failure, std::uint16_t status, std::string_view body, Instant now) noexcept = 0;

 private:
  const std::string target_;
  std::mutex mutex_;
  bool fetching_ = false;
  std::vector<std::function<void()>> waiting_;
};

}  // namespace gatelab::policy
