// SPDX-License-Identifier: Apache-2.0
// The simulation's queue: what is ready, what is timed, in which order. Private to the simulated world. One thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/environment.h"

namespace gatelab::io {

class SimCore;

class SimClock final : public Clock {
 public:
  Instant io_now() const noexcept override { return now; }
  Instant policy_now() const noexcept override { return now; }
  Instant now;
};

class SimLoop final : public Loop {
 public:
  SimLoop(SimCore& core, std::uint32_t index) noexcept : core_(core), index_(index) {}
  const Clock& clock() const noexcept override;
  void post(std::coroutine_handle<> h) noexcept override { ready_.push_back({h, {}}); }
  void post_remote(std::function<void()> job) override { ready_.push_back({{}, std::move(job)}); }
  void add_timer(Waiter& w) noexcept override;
  void remove_timer(Waiter& w) noexcept override;
  std::uint32_t index() const noexcept override { return index_; }

 private:
  friend class SimCore;
  struct Ready {
    std::coroutine_handle<> handle;
    std::function<void()> job;
  };
  SimCore& core_;
  std::uint32_t index_;
  std::deque<Ready> ready_;
};

// Timers by (instant, sequence); waits without a deadline are kept too, at the end, so that they can be listed.
class SimCore {
 public:
  SimCore(Random random, Instant start, std::uint64_t events_per_instant);

  SimLoop& add_loop();
  // A thing of the world itself, such as octets that arrive: at `when`, in order.
  void at(Instant when, std::function<void()> event);
  void add(Waiter& w);
  void remove(Waiter& w) noexcept;

  // Runs what can run at this instant. False: a livelock.
  bool drain();
  // The earliest instant at which something is due, if any; `foreground`: is there something that is waited for?
  bool next(Instant& when, bool& foreground) const;
  // Moves time to `when` and fires the first event that is due.
  void fire(Instant when);
  std::vector<std::string> waiting() const;
  void note(std::uint64_t kind) noexcept { hash_ = mix64(hash_ ^ (static_cast<std::uint64_t>(clock.now.ns) * 31 + kind)); }
  std::uint64_t hash() const noexcept { return hash_; }

  SimClock clock;

 private:
  struct Key {
    Instant when;
    std::uint64_t sequence;
    auto operator<=>(const Key&) const noexcept = default;
  };
  struct Timed {
    Waiter* waiter = nullptr;
    std::function<void()> event;
  };
  bool run_one();

  std::vector<std::unique_ptr<SimLoop>> loops_;
  std::map<Key, Timed> timed_;
  std::size_t foreground_ = 0;  // timed things that a step waits for
  std::uint64_t sequence_ = 0;
  std::uint64_t hash_ = 0;
  Dice turns_;
  std::uint64_t events_per_instant_;
};

}  // namespace gatelab::io
