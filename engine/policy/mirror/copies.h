// SPDX-License-Identifier: Apache-2.0
// Copies of requests that are under way, over all workers and reloads, and what became of the others. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "policy/state.h"

namespace gatelab::policy {

class Copies final : public State {
 public:
  // Sent and answered, whatever the status; sent, and no answer came; not sent: too many were under way, the body is too long,
  // the request's own upstream did not get all of it; given up as the gateway stopped.
  enum class Result : std::uint8_t { Answered, Failed, Busy, TooLarge, Incomplete, Cut };
  static constexpr std::array<std::string_view, 6> kWords{"answered", "failed", "busy", "body-too-large", "incomplete", "cut"};

  // True: it is under way until leave().
  bool enter(std::uint32_t most) noexcept {
    const bool room = in_flight_.fetch_add(1, std::memory_order_relaxed) < most;
    if (!room) leave(Result::Busy);
    return room;
  }
  void leave(Result result) noexcept {
    in_flight_.fetch_sub(1, std::memory_order_relaxed);
    count(result);
  }
  void count(Result result) noexcept { counts_[static_cast<std::size_t>(result)].fetch_add(1, std::memory_order_relaxed); }

  void measure(std::vector<Measure>& out) const override {
    out.push_back({"gatelab_mirror_in_flight", "Copies of requests that are under way.", static_cast<double>(in_flight_.load(std::memory_order_relaxed))});
    for (std::size_t i = 0; i < kWords.size(); ++i)
      out.push_back({"gatelab_mirror_requests_total", "Copies of requests by what became of them.", static_cast<double>(counts_[i].load(std::memory_order_relaxed)), true, "result", std::string(kWords[i])});
  }

 private:
  std::atomic<std::uint32_t> in_flight_{0};
  std::array<std::atomic<std::uint64_t>, kWords.size()> counts_{};
};

}  // namespace gatelab::policy
