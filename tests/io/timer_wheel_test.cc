// SPDX-License-Identifier: Apache-2.0
// The wheel against a list that is searched from end to end.
#include "io/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/random.h"

namespace gatelab::io {
namespace {

using namespace std::chrono_literals;

class HandClock final : public Clock {
 public:
  Instant io_now() const noexcept override { return now; }
  Instant policy_now() const noexcept override { return now; }
  Instant now;
};

// A loop of nothing but a wheel; what is queued is never run.
class WheelLoop final : public Loop {
 public:
  explicit WheelLoop(Instant start) : wheel(start) { time.now = start; }
  const Clock& clock() const noexcept override { return time; }
  void post(std::coroutine_handle<>) noexcept override { ++woken; }
  void post_remote(std::function<void()>) override {}
  void add_timer(Waiter& w) noexcept override { wheel.add(w); }
  void remove_timer(Waiter& w) noexcept override { wheel.remove(w); }
  std::uint32_t index() const noexcept override { return 0; }
  HandClock time;
  TimerWheel wheel;
  std::size_t woken = 0;
};

std::unique_ptr<Waiter> waiter(WheelLoop& loop, Instant deadline) {
  Wait wait;
  wait.deadline = deadline;
  auto w = std::make_unique<Waiter>(loop, wait);
  w->arm(std::noop_coroutine());
  return w;
}

constexpr Instant kStart = Instant::from_seconds(1'767'225'600);

// Every distance from less than a tick to hours: each level of the wheel, and its seams.
Duration some_distance(Dice& dice) {
  const std::uint64_t below = std::uint64_t{1} << dice.below(45);
  const Duration d{static_cast<std::int64_t>(dice.below(below))};
  if (dice.below(4) != 0) return d;
  const std::int64_t seams[] = {1, 255, 256, 257, 511, 512, 65'535, 65'536, 65'537, 131'072, 16'777'215, 16'777'216, 16'777'217};
  return std::chrono::milliseconds(seams[dice.below(std::size(seams))]);
}

TEST(TimerWheel, FiresWhatANaiveListWouldNeverEarlyAndAtMostATickLate) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Dice dice(seed);
    WheelLoop loop(kStart + Duration{static_cast<std::int64_t>(dice.below(1ULL << 40))});
    std::vector<std::unique_ptr<Waiter>> all;
    for (int step = 0; step < 3'000; ++step) {
      switch (dice.below(4)) {
        case 0:
        case 1:
          all.push_back(waiter(loop, loop.time.now + some_distance(dice)));
          break;
        case 2:
          if (!all.empty()) all.erase(all.begin() + static_cast<std::ptrdiff_t>(dice.below(all.size())));
          break;
        default: {
          const Duration jump = dice.below(20) == 0 ? some_distance(dice) : Duration{static_cast<std::int64_t>(dice.below(300'000'000))};
          loop.time.now = loop.time.now + jump;
          loop.wheel.advance(loop.time.now);
        }
      }
      Instant earliest = Instant::max();
      std::size_t pending = 0;
      for (const auto& w : all) {
        const Instant deadline = w->wait().deadline;
        if (w->pending()) {
          ++pending;
          earliest = std::min(earliest, deadline);
          ASSERT_GT(deadline + 2ms, loop.time.now) << "seed " << seed << ": overdue";
        } else {
          ASSERT_LE(deadline, loop.time.now) << "seed " << seed << ": early";
          ASSERT_EQ(w->code(), Code::TimedOut);
        }
      }
      ASSERT_EQ(loop.wheel.size(), pending);
      ASSERT_LE(loop.wheel.next(), earliest == Instant::max() ? earliest : earliest + 2ms) << "seed " << seed << ": would sleep too long";
      if (pending == 0) {
        ASSERT_EQ(loop.wheel.next(), Instant::max());
      }
      std::erase_if(all, [](const auto& w) { return !w->pending(); });
    }
  }
}

TEST(TimerWheel, FollowedByItsOwnNextReachesEveryDeadline) {
  Dice dice(3);
  WheelLoop loop(kStart);
  std::vector<std::unique_ptr<Waiter>> all;
  for (int i = 0; i < 500; ++i) all.push_back(waiter(loop, loop.time.now + some_distance(dice)));
  int steps = 0;
  while (loop.wheel.size() > 0) {
    ASSERT_LT(++steps, 5'000) << "next() does not lead on";
    const Instant next = loop.wheel.next();
    ASSERT_GT(next + 1ms, loop.time.now);
    loop.time.now = std::max(loop.time.now, next);
    loop.wheel.advance(loop.time.now);
  }
  EXPECT_EQ(loop.woken, 500U);
}

TEST(TimerWheel, KeepsWhatLiesBeyondItsLastWheel) {
  WheelLoop loop(kStart);
  auto far = waiter(loop, loop.time.now + 24h * 365);
  loop.time.now = loop.time.now + 1h;
  loop.wheel.advance(loop.time.now);
  EXPECT_TRUE(far->pending());
  EXPECT_LT(loop.wheel.next(), Instant::max());
}

}  // namespace
}  // namespace gatelab::io
