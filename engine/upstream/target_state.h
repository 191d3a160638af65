// SPDX-License-Identifier: Apache-2.0
// What is known of one target: its breaker, its health, whether it is ejected, and how many requests it has. Shared by all
// workers, outlives configurations (design §9); any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "balance/breaker.h"
#include "balance/ejection.h"
#include "balance/health.h"
#include "balance/hedge.h"
#include "balance/retry.h"
#include "upstream/waiting.h"

namespace gatelab::upstream {

// What the configuration in force asks of an upstream's targets. Pointers are null where it asks nothing.
struct TargetRules {
  const balance::BreakerRules* breaker = nullptr;
  const balance::EjectionRules* ejection = nullptr;
  std::uint32_t max_requests = 0;  // at once; 0: no limit
};

class TargetState {
 public:
  enum class Change : std::uint8_t { Opened, HalfOpened, Closed, Ejected, Healthy, Unhealthy };
  static constexpr std::size_t kChanges = 6;
  static std::string_view name(Change change) noexcept;  // "half-open"
  // Told of each change, on the thread that caused it. `why`: a few words, may be empty.
  using Told = std::function<void(const TargetState& state, Change change, std::string_view why)>;

  TargetState(std::string upstream, std::string target) : upstream_(std::move(upstream)), target_(std::move(target)) {}
  const std::string& upstream() const noexcept { return upstream_; }
  const std::string& target() const noexcept { return target_; }
  // Before it is shared.
  void tell(Told told) { told_ = std::move(told); }
  bool is_told() const noexcept { return told_ != nullptr; }

  // Whether a request may go there now, as far as is known without taking it there.
  bool available(const TargetRules& rules, Instant now) const noexcept;
  // Why not: "circuit-open", "unhealthy", "ejected", "busy"; empty if it is available.
  std::string_view unavailable(const TargetRules& rules, Instant now) const noexcept;
  // How long its breaker stays open; zero if it is not.
  Duration open_for(Instant now) const noexcept;
  std::uint32_t in_flight() const noexcept { return in_flight_.load(std::memory_order_relaxed); }
  // Since when it has been available again; Instant{}: it always was.
  Instant since() const noexcept { return {since_.load(std::memory_order_relaxed)}; }

  // A request on its way to the target.
  struct Pass {
    balance::Breaker::Permit permit;
    bool entered = false;
  };
  // Not entered: somebody else was quicker, and it is available no more. `anyway`: whatever breaker and limits say.
  Pass enter(const TargetRules& rules, bool anyway, Instant now) noexcept;
  struct Result {
    balance::Outcome outcome;
    Duration took{};      // until the answer's head
    bool says = true;     // false: given up, which is not the target's doing
  };
  // What the other targets are like, for whom ejection is a question of comparison.
  struct Others {
    std::optional<Duration> average;  // median
    bool may_eject = false;           // the cap leaves room for one more
  };
  void leave(const TargetRules& rules, Pass& pass, const Result& result, const Others& others, Instant now) noexcept;
  bool ejected(Instant now) const noexcept;
  std::optional<Duration> average(const balance::EjectionRules& rules, Instant now) const noexcept;

  // A health check's result. `why`: of a bad one.
  void checked(const balance::HealthRules& rules, bool good, std::string_view why, Instant now) noexcept;
  // The configuration asks for no checks any more.
  void forget_health() noexcept;

  struct View {
    balance::Breaker::State breaker = balance::Breaker::State::Closed;
    balance::Health::State health = balance::Health::State::Unknown;
    bool ejected = false;
    std::uint32_t in_flight = 0;
    std::uint64_t checks = 0;
    std::array<std::uint64_t, kChanges> changes{};
  };
  View view(Instant now) const;

 private:
  // Under the lock.
  void settle() noexcept;
  void count(Change change) noexcept { changes_[static_cast<std::size_t>(change)].fetch_add(1, std::memory_order_relaxed); }
  void told(Change change, std::string_view why) const noexcept {
    if (told_) told_(*this, change, why);
  }

  const std::string upstream_, target_;
  Told told_;
  std::atomic<std::uint32_t> in_flight_{0};
  std::atomic<bool> calm_{true};  // closed, healthy, never ejected, nothing counted: most need look no further
  std::atomic<std::uint32_t> epoch_{0};
  std::atomic<std::int64_t> since_{0};
  std::atomic<std::uint64_t> checks_{0};
  std::array<std::atomic<std::uint64_t>, kChanges> changes_{};
  mutable std::mutex mutex_;
  balance::Breaker breaker_;
  balance::Health health_;
  balance::Ejection ejection_;
};

// What all workers of an upstream share besides. Any thread.
struct UpstreamState {
  balance::RetryBudget retries;
  std::atomic<std::uint32_t> retries_in_flight{0};
  balance::RetryBudget hedges;
  balance::Latencies latencies;  // known only where there is a `hedge`
  Waiting waiting;
};

}  // namespace gatelab::upstream
