// SPDX-License-Identifier: Apache-2.0
// Who is let in, who waits, who is turned away: exact, in order, and nothing kept of those who have gone.
#include "policy/gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>

namespace gatelab::test {
namespace {

using namespace std::chrono_literals;
using policy::Gate;
using policy::GateRule;
using policy::Priority;
using At = Gate::At;

Instant at(Duration d) { return Instant::from_seconds(1000) + d; }

GateRule rule(std::uint32_t most, std::uint32_t queue) {
  GateRule out;
  out.most = most;
  out.queue = queue;
  return out;
}

// One who comes, and remembers that he was called.
struct Guest {
  Guest(Gate& g, const GateRule& r, Duration when, Priority priority = Priority::Normal, std::string_view key = "k") : gate(g), rule(r) {
    place.key = key;
    place.priority = priority;
    came = gate.enter(place, rule, at(when)).at;
    if (came == At::Waiting) gate.when_called(place, [this] { ++calls; });
  }
  ~Guest() { leave(0s); }
  void leave(Duration when, bool tells = true) { gate.leave(place, rule, tells, at(when)); }
  Gate& gate;
  GateRule rule;
  Gate::Place place;
  At came = At::Outside;
  int calls = 0;
};

TEST(Gate, LetsSoManyInMakesSoManyWaitAndTurnsTheRestAway) {
  Gate gate(1);
  std::deque<Guest> guests;
  for (int i = 0; i < 6; ++i) guests.emplace_back(gate, rule(2, 3), 0s);
  const At expected[] = {At::Inside, At::Inside, At::Waiting, At::Waiting, At::Waiting, At::Outside};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(guests[i].came, expected[i]) << i;
}

TEST(Gate, GivesAFreePlaceToWhoeverHasWaitedLongest) {
  Gate gate(1);
  Guest inside(gate, rule(1, 5), 0s), first(gate, rule(1, 5), 1s), second(gate, rule(1, 5), 2s);
  inside.leave(3s);
  EXPECT_EQ(first.place.at, At::Inside);
  EXPECT_EQ(first.calls, 1);
  EXPECT_EQ(second.place.at, At::Waiting);
  inside.leave(3s);
  EXPECT_EQ(second.place.at, At::Waiting) << "who leaves twice leaves once";
  Guest third(gate, rule(1, 5), 3s);
  EXPECT_EQ(third.came, At::Waiting) << "nobody passes those who wait";
}

TEST(Gate, ForgetsWhoGivesUp) {
  Gate gate(1);
  Guest inside(gate, rule(1, 1), 0s);
  {
    Guest waits(gate, rule(1, 1), 0s);
    EXPECT_EQ(gate.settle(waits.place), At::Outside);
  }
  {
    Guest goes(gate, rule(1, 1), 0s);
    EXPECT_EQ(goes.came, At::Waiting) << "the one before is not in the queue any more";
  }
  inside.leave(1s);
  EXPECT_EQ(gate.keys(), 0U);
}

TEST(Gate, CallsAtOnceWhoNeedsNotWait) {
  Gate gate(1);
  Guest inside(gate, rule(1, 1), 0s);
  int calls = 0;
  gate.when_called(inside.place, [&calls] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(Gate, TellsKeysApartAndKeepsNothingOfThem) {
  Gate gate(1);
  {
    std::deque<Guest> guests;
    std::deque<std::string> keys;
    for (int i = 0; i < 100; ++i) guests.emplace_back(gate, rule(1, 0), 0s, Priority::Normal, keys.emplace_back("key " + std::to_string(i)));
    for (const Guest& guest : guests) EXPECT_EQ(guest.came, At::Inside);
    EXPECT_EQ(gate.keys(), 100U);
  }
  EXPECT_EQ(gate.keys(), 0U);
}

TEST(Gate, LetsTheHigherPriorityInFirstAndMakesRoomForItWhenTheQueueIsFull) {
  Gate gate(1);
  const GateRule r = rule(1, 3);
  Guest inside(gate, r, 0s), sheddable(gate, r, 0s, Priority::Sheddable), late(gate, r, 1s, Priority::Sheddable), normal(gate, r, 2s);
  Guest critical(gate, r, 3s, Priority::Critical);
  EXPECT_EQ(critical.came, At::Waiting);
  EXPECT_EQ(late.place.at, At::Outside) << "the last to come of the lowest";
  EXPECT_EQ(late.calls, 1);
  EXPECT_EQ(sheddable.place.at, At::Waiting);
  EXPECT_EQ(Guest(gate, r, 3s, Priority::Sheddable).came, At::Outside) << "nobody below makes room";
  Guest* const order[] = {&inside, &critical, &normal, &sheddable};
  for (std::size_t i = 0; i < 3; ++i) {
    order[i]->leave(4s);
    EXPECT_EQ(order[i + 1]->place.at, At::Inside) << i;
  }
}

TEST(Gate, LetsMoreInWhenAReloadAllowsThem) {
  Gate gate(1);
  Guest inside(gate, rule(1, 5), 0s), first(gate, rule(1, 5), 0s), second(gate, rule(1, 5), 0s);
  Guest later(gate, rule(3, 5), 1s);
  EXPECT_EQ(first.place.at, At::Inside);
  EXPECT_EQ(second.place.at, At::Inside);
  EXPECT_EQ(later.place.at, At::Waiting);
}

// One at a time, `each` long, `burst` of them at once.
int served_of(int burst, Duration each, Duration target) {
  Gate gate(1);
  GateRule r = rule(1, 1000);
  r.target = target;
  r.interval = 100ms;
  std::deque<Guest> guests;
  for (int i = 0; i < burst; ++i) guests.emplace_back(gate, r, 0s);
  int served = 0;
  for (Duration now = each;; now += each, ++served) {
    const auto inside = std::find_if(guests.begin(), guests.end(), [](const Guest& g) { return g.place.at == At::Inside; });
    if (inside == guests.end()) return served;
    inside->leave(now);
  }
}

TEST(Gate, CutsAQueueThatStandsAndNoBurst) {
  EXPECT_EQ(served_of(9, 10ms, 5ms), 9) << "over within the interval";
  EXPECT_EQ(served_of(60, 10ms, 5ms), 21) << "one interval to see that it stands, after the one in which somebody came straight in";
  EXPECT_EQ(served_of(60, 10ms, 0ms), 60) << "without a target nobody is shed";
  EXPECT_EQ(served_of(60, 10ms, 1s), 60) << "a wait that is all right";
}

TEST(Gate, AQueueThatStoodLongAgoCutsNobody) {
  Gate gate(1);
  GateRule r = rule(1, 1000);
  r.target = 5ms;
  r.interval = 100ms;
  Guest inside(gate, r, 0s), slow(gate, r, 0s);
  inside.leave(50ms);  // slow has waited 50 ms
  Guest waits(gate, r, 60s), too(gate, r, 60s);
  slow.leave(60s + 20ms);
  EXPECT_EQ(waits.place.at, At::Inside);
  EXPECT_EQ(too.place.at, At::Waiting);
}

TEST(Gate, FindsItsLimitByHowLongRequestsTake) {
  Gate gate(1);
  GateRule r = rule(100, 0);
  r.least = 2;
  r.initial = 10;
  const auto load = [&](Duration began, Duration each) {
    std::deque<Guest> guests;
    std::size_t inside = 0;
    for (int i = 0; i < 120; ++i) inside += guests.emplace_back(gate, r, began).came == At::Inside ? 1U : 0U;
    for (Guest& guest : guests) guest.leave(began + each);
    return inside;
  };
  EXPECT_EQ(load(0s, 10ms), 10U);
  std::size_t grown = 0;
  for (int i = 1; i < 20; ++i) grown = load(i * 1s, 10ms);
  EXPECT_GT(grown, 40U) << "as usual: there may be more";
  std::size_t shrunk = 0;
  for (int i = 20; i < 30; ++i) shrunk = load(i * 1s, 100ms);
  EXPECT_LT(shrunk, grown / 2) << "ten times as long as usual";
  EXPECT_GE(shrunk, 2U);
  const std::size_t before = load(30s, 10ms);
  for (int i = 31; i < 60; ++i) load(i * 1s, 10ms);
  EXPECT_GT(load(60s, 10ms), before) << "and back";
}

TEST(Gate, IsExactOverEightThreadsAndWakesWhoeverItLetsIn) {
  Gate gate(1);
  const GateRule r = rule(3, 4);
  std::atomic<int> inside{0}, most{0}, turned_away{0}, served{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5'000; ++i) {
        Gate::Place place;
        place.key = "k";
        std::atomic<bool> called{false};
        if (gate.enter(place, r, at(0s)).at == At::Waiting) {
          gate.when_called(place, [&called] { called = true; called.notify_one(); });
          called.wait(false);
        }
        if (gate.settle(place) == At::Outside) {
          ++turned_away;
          continue;
        }
        const int now = ++inside;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        ++served;
        --inside;
        gate.leave(place, r, true, at(0s));
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_LE(most, 3);
  EXPECT_EQ(served + turned_away, 40'000);
  EXPECT_EQ(gate.keys(), 0U);
}

}  // namespace
}  // namespace gatelab::test
