// SPDX-License-Identifier: Apache-2.0
// Tasks, scopes, signals and cancellation, in simulated time.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "io/scope.h"
#include "io/sim.h"

namespace gatelab::io {
namespace {

using namespace std::chrono_literals;

struct World {
  Simulation sim{SimOptions{}};
  Loop& loop = sim.outside();
  Scope scope{loop};
  Wait until(Duration d, CancelToken* token = nullptr) {
    Wait w;
    w.deadline = loop.now() + d;
    w.cancel = token;
    w.what = "test";
    return w;
  }
};

Task<int> one() { co_return 1; }

Task<void> sum(int times, int& out) {
  for (int i = 0; i < times; ++i) {
    auto task = one();
    out += co_await task;
  }
}

// Symmetric transfer: without it each of these would lie on the stack of the one before.
TEST(Task, CompletesAMillionAwaitsThatNeverSuspend) {
  World w;
  int out = 0;
  w.scope.spawn(sum(1'000'000, out));
  w.sim.drain();
  EXPECT_EQ(out, 1'000'000);
}

Task<int> deep(int n) {
  if (n == 0) co_return 0;
  auto inner = deep(n - 1);
  const int below = co_await inner;
  co_return below + 1;
}

Task<void> run_deep(int n, int& out) {
  auto task = deep(n);
  out = co_await task;
}

TEST(Task, ReturnsThroughManyNestedTasks) {
  World w;
  int out = 0;
  w.scope.spawn(run_deep(10'000, out));
  w.sim.drain();
  EXPECT_EQ(out, 10'000);
}

Task<std::unique_ptr<std::string>> make() { co_return std::make_unique<std::string>("moved"); }
Task<void> take(std::string& out) {
  auto task = make();
  auto value = co_await task;
  out = *value;
}

TEST(Task, MovesItsValueOut) {
  World w;
  std::string out;
  w.scope.spawn(take(out));
  w.sim.drain();
  EXPECT_EQ(out, "moved");
}

Task<void> touch(std::shared_ptr<int> held) {
  ++*held;
  co_return;
}

TEST(Task, ThatIsNeverAwaitedNeverRunsAndLetsGoOfItsArguments) {
  auto held = std::make_shared<int>(0);
  { auto task = touch(held); }
  EXPECT_EQ(*held, 0);
  EXPECT_EQ(held.use_count(), 1);
}

Task<void> sleeper(World& w, Duration d, std::vector<std::string>& log, std::string name) {
  const Code code = co_await sleep_until(w.loop, w.until(d, &w.scope.token()));
  log.push_back(name + (code == Code::TimedOut ? " woke" : " cancelled"));
}

Task<void> joiner(World& w, Scope& scope, Wait wait, std::vector<std::string>& log) {
  auto joining = scope.join(wait);
  const Code code = co_await joining;
  log.push_back("joined " + std::string(name(code)));
  (void)w;
}

TEST(Scope, JoinWaitsForEveryChild) {
  World w;
  Scope outer(w.loop);
  std::vector<std::string> log;
  w.scope.spawn(sleeper(w, 2s, log, "b"));
  w.scope.spawn(sleeper(w, 1s, log, "a"));
  outer.spawn(joiner(w, w.scope, {}, log));
  w.sim.advance(1s);
  EXPECT_EQ(w.scope.running(), 1U);
  w.sim.advance(1s);
  EXPECT_EQ(log, (std::vector<std::string>{"a woke", "b woke", "joined ok"}));
  EXPECT_EQ(outer.running(), 0U);
}

TEST(Scope, JoinSaysWhenItsTimeIsUpAndChildrenRunOn) {
  World w;
  Scope outer(w.loop);
  std::vector<std::string> log;
  w.scope.spawn(sleeper(w, 5s, log, "a"));
  outer.spawn(joiner(w, w.scope, w.until(1s), log));
  w.sim.advance(1s);
  EXPECT_EQ(log, std::vector<std::string>{"joined " + std::string(name(Code::TimedOut))});
  w.sim.advance(4s);
  EXPECT_EQ(log.back(), "a woke");
}

TEST(Scope, CancelReachesTheWaitsOfEveryChildAndOfThoseThatComeLater) {
  World w;
  std::vector<std::string> log;
  w.scope.spawn(sleeper(w, 1h, log, "a"));
  w.scope.spawn(sleeper(w, 2h, log, "b"));
  w.sim.drain();
  w.scope.cancel();
  EXPECT_TRUE(log.empty()) << "never inline";
  w.sim.drain();
  EXPECT_EQ(w.scope.running(), 0U);
  w.scope.spawn(sleeper(w, 1h, log, "late"));
  w.sim.drain();
  EXPECT_EQ(log.size(), 3U);
  for (const std::string& line : log) EXPECT_NE(line.find("cancelled"), std::string::npos) << line;
  EXPECT_TRUE(w.sim.waiting().empty());
}

Task<void> listen(World& w, Signal& signal, Wait wait, std::vector<std::string>& log) {
  const Code code = co_await signal.wait(w.loop, wait);
  log.emplace_back(name(code));
}

TEST(Signal, WakesTheOneThatWaitsAndForgetsEarlierSignals) {
  World w;
  Signal signal;
  std::vector<std::string> log;
  signal.signal();
  w.scope.spawn(listen(w, signal, w.until(1s), log));
  w.sim.drain();
  EXPECT_TRUE(log.empty());
  signal.signal();
  signal.signal();
  w.sim.drain();
  EXPECT_EQ(log, std::vector<std::string>{std::string(name(Code::Ok))});
}

TEST(Signal, WaitEndsAtItsDeadlineOrWhenItIsCancelled) {
  World w;
  Signal signal;
  CancelToken token;
  std::vector<std::string> log;
  w.scope.spawn(listen(w, signal, w.until(1s), log));
  w.sim.advance(1s);
  w.scope.spawn(listen(w, signal, w.until(1h, &token), log));
  w.sim.drain();
  token.cancel();
  w.sim.drain();
  signal.signal();
  EXPECT_EQ(log, (std::vector<std::string>{std::string(name(Code::TimedOut)), std::string(name(Code::Cancelled))}));
}

TEST(Waiter, OnlyTheFirstToCompleteItCounts) {
  World w;
  Waiter waiter(w.loop, w.until(1s));
  waiter.arm(std::noop_coroutine());
  waiter.complete(Code::Reset);
  waiter.complete(Code::Ok);
  w.sim.advance(2s);
  EXPECT_EQ(waiter.code(), Code::Reset);
  EXPECT_FALSE(waiter.pending());
}

}  // namespace
}  // namespace gatelab::io
