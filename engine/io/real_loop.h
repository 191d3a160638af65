// SPDX-License-Identifier: Apache-2.0
// The real loop: epoll, edge-triggered, each descriptor registered once for its life; a wheel of deadlines; a queue that
// other threads may add to (docs/decisions/0001-own-reactor.md). Private to the real world.
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "io/loop.h"
#include "io/ready_queue.h"
#include "io/timer_wheel.h"

namespace gatelab::io {

class RealClock final : public Clock {
 public:
  RealClock() noexcept;
  Instant io_now() const noexcept override;
  Instant policy_now() const noexcept override;
  void shift(Duration by) noexcept { shift_.fetch_add(by.count(), std::memory_order_relaxed); }
  Duration shifted() const noexcept { return Duration{shift_.load(std::memory_order_relaxed)}; }

 private:
  std::int64_t base_;  // wall time minus monotonic time at the start
  std::atomic<std::int64_t> shift_{0};
};

// The clock as a loop reads it: once an event, not once a question. Never ahead of the true one, and behind it only by what
// the loop has spent on the event it is at. One thread.
class LoopClock final : public Clock {
 public:
  explicit LoopClock(const RealClock& real) noexcept : real_(real) { refresh(); }
  Instant io_now() const noexcept override { return io_; }
  Instant policy_now() const noexcept override { return io_ + ahead_ + real_.shifted(); }
  void refresh() noexcept {
    io_ = real_.io_now();
    if (io_ < checked_ + kCheckEvery) return;
    // Wall time drifts against monotonic time, and may be set.
    checked_ = io_;
    ahead_ = real_.policy_now() - real_.io_now() - real_.shifted();
  }

 private:
  static constexpr Duration kCheckEvery = std::chrono::milliseconds(10);
  const RealClock& real_;
  Instant io_;
  Instant checked_;
  Duration ahead_{};
};

// A descriptor that a loop watches. Freed by the loop, after the events that may still name it.
struct Watched {
  Waiter* reader = nullptr;
  Waiter* writer = nullptr;
  bool readable = false;  // an edge was seen that no wait has used up
  bool writable = false;
  bool read_over = false;   // the peer sends no more: no further edge will tell
  bool broken = false;      // neither direction works
  bool dead = false;
  std::function<void()> on_readable;  // instead of waits: listeners, signals
};

class RealLoop final : public Loop {
 public:
  static constexpr Duration kTick = std::chrono::milliseconds(1);
  // `tick`: how late a deadline may be.
  RealLoop(const RealClock& clock, std::uint32_t index, Duration tick = kTick);
  ~RealLoop() override;

  const Clock& clock() const noexcept override { return clock_; }
  void post(std::coroutine_handle<> h) noexcept override { ready_.push(h); }
  void post_remote(std::function<void()> job) override;
  void add_timer(Waiter& w) noexcept override {
    if (w.wait().deadline != Instant::max()) timers_.add(w);
  }
  void remove_timer(Waiter& w) noexcept override { timers_.remove(w); }
  std::uint32_t index() const noexcept override { return index_; }

  // Null if the system has no room. `level`: tell again and again while readable.
  Watched* watch(int fd, bool level = false) noexcept;
  // Before the caller closes `fd`. Closing alone would not do: what was forked in between shares the open file until it becomes
  // its program, and events for it would go on (epoll(7), "Questions and answers").
  void forget(Watched* watched, int fd) noexcept;

  void run();
  void stop() noexcept;  // any thread

 private:
  void run_ready() noexcept;
  void run_remote();
  void dispatch(const epoll_event& event) noexcept;
  int wait(epoll_event* events, int room) noexcept;

  LoopClock clock_;
  std::uint32_t index_;
  bool fine_;  // deadlines between milliseconds count
  int epoll_ = -1;
  int wake_ = -1;
  TimerWheel timers_;
  ReadyQueue ready_;
  std::vector<Watched*> dead_;
  std::mutex mutex_;
  std::vector<std::function<void()>> remote_;
  std::atomic<bool> stopping_{false};
};

}  // namespace gatelab::io
