// SPDX-License-Identifier: Apache-2.0
// One worker's event loop as seen by the engine: a ready queue, timers, a clock. The real one sits on a reactor of its own,
// the simulated one on the simulation's queue. Everything here is called on the loop's own thread, except post_remote.
#pragma once

#include <coroutine>
#include <cstdint>
#include <functional>
#include <string_view>

#include "base/random.h"
#include "base/time.h"
#include "io/code.h"

namespace gatelab::io {

class Loop;

// Cancels the waits that were started with it. Copy-free, one thread. A scope that ends cancels and then joins.
class CancelToken {
 public:
  CancelToken() = default;
  CancelToken(const CancelToken&) = delete;
  CancelToken& operator=(const CancelToken&) = delete;
  ~CancelToken();
  // Every wait in flight ends with Code::Cancelled (through the loop's queue, never inline); later waits end at once.
  void cancel() noexcept;
  bool cancelled() const noexcept { return cancelled_; }

 private:
  friend class Waiter;
  class Waiter* first_ = nullptr;
  bool cancelled_ = false;
};

// `what` names the wait in a scenario's `stuck` report; a literal.
struct Wait {
  Instant deadline = Instant::max();  // on io_now; ends with Code::TimedOut
  CancelToken* cancel = nullptr;      // must outlive the wait
  std::string_view what = "io";
  bool background = false;  // periodic timers: a scenario doesn't wait for them
};

// The place where one coroutine waits for one event, or its deadline, or its cancellation. Intrusive, not movable; lives
// in the awaiting coroutine's frame. Exactly one of complete()'s callers wins; the coroutine is resumed from the ready queue.
class Waiter {
 public:
  Waiter(Loop& loop, const Wait& wait) noexcept : loop_(loop), wait_(wait) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter();

  // Registers deadline and cancellation. Called by await_suspend, after which complete() may come at any time.
  void arm(std::coroutine_handle<> who) noexcept;
  bool pending() const noexcept { return pending_; }
  // Idempotent: only the first call counts. Deregisters everything, queues the coroutine.
  void complete(Code code) noexcept;
  // As complete(), but the caller resumes the handle itself, right now: for the reactor's own callback.
  std::coroutine_handle<> complete_inline(Code code) noexcept;
  // While pending: ends with Ok at `t` unless it ends before. For a transport that knows when it will be ready.
  void ready_at(Instant t) noexcept;
  Code code() const noexcept { return code_; }
  const Wait& wait() const noexcept { return wait_; }
  Loop& loop() noexcept { return loop_; }

  // Owner's link: where a transport keeps this waiter, cleared on completion.
  Waiter** slot = nullptr;

  // Timer bookkeeping of the loop's implementation.
  Waiter* timer_next = nullptr;
  Waiter** timer_prev = nullptr;
  std::uint64_t timer_sequence = 0;
  bool timed = false;

 private:
  friend class CancelToken;
  void detach() noexcept;
  Loop& loop_;
  Wait wait_;
  std::coroutine_handle<> who_;
  Code code_ = Code::Ok;
  bool pending_ = false;
  bool ready_in_time_ = false;  // the deadline is when the transport is ready
  Waiter* cancel_next_ = nullptr;
  Waiter** cancel_prev_ = nullptr;
};

class Loop {
 public:
  virtual ~Loop() = default;
  virtual const Clock& clock() const noexcept = 0;
  Instant now() const noexcept { return clock().io_now(); }

  // Queues a coroutine to be resumed on this loop; never resumes inline.
  virtual void post(std::coroutine_handle<> h) noexcept = 0;
  // From any thread: runs `job` on the loop's thread. In simulation the same thread, still queued.
  virtual void post_remote(std::function<void()> job) = 0;
  // Every wait passes through here, those without a deadline too; only Waiter calls these. An implementation that keeps
  // the waiter sets `timed` and clears it in remove_timer.
  virtual void add_timer(Waiter& w) noexcept = 0;
  virtual void remove_timer(Waiter& w) noexcept = 0;
  // 0-based index of the worker, for dice and names.
  virtual std::uint32_t index() const noexcept = 0;
};

// co_await sleep(loop, wait): ends at wait.deadline with TimedOut, or Cancelled.
class SleepAwaiter {
 public:
  SleepAwaiter(Loop& loop, const Wait& wait) noexcept : waiter_(loop, wait) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) noexcept { waiter_.arm(h); }
  Code await_resume() const noexcept { return waiter_.code(); }

 private:
  Waiter waiter_;
};
inline SleepAwaiter sleep_until(Loop& loop, const Wait& wait) noexcept { return {loop, wait}; }

// co_await yield(loop): back through the ready queue, for fairness (64 operations or 256 KiB in one go).
class YieldAwaiter {
 public:
  explicit YieldAwaiter(Loop& loop) noexcept : loop_(loop) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) noexcept { loop_.post(h); }
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
};
inline YieldAwaiter yield(Loop& loop) noexcept { return YieldAwaiter(loop); }

// Wakes waiting coroutines of the same loop: wait() ends when signal() is called after it began (no memory of earlier
// signals: check your condition in a loop).
class Signal {
 public:
  Signal() = default;
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal() = default;

  class Awaiter {
   public:
    Awaiter(Signal& s, Loop& loop, const Wait& wait) noexcept : signal_(s), waiter_(loop, wait) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) noexcept;
    Code await_resume() const noexcept { return waiter_.code(); }

   private:
    Signal& signal_;
    Waiter waiter_;
  };
  // At most one waiter at a time.
  Awaiter wait(Loop& loop, const Wait& w) noexcept { return {*this, loop, w}; }
  void signal() noexcept { if (waiter_ != nullptr) waiter_->complete(Code::Ok); }

 private:
  Waiter* waiter_ = nullptr;
};

}  // namespace gatelab::io
