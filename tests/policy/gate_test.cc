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
  Guest(Gate& g, Duration when, Priority priority = Priority::Normal, std::string_view key = "k") : gate(g) {
    place.key = key;
    place.priority = priority;
    came = gate.enter(place, true, at(when)).at;
    if (came == At::Waiting) gate.when_called(place, [this] { ++calls; });
  }
  ~Guest() { leave(0s); }
  void leave(Duration when, bool tells = true) { gate.leave(place, tells, at(when)); }
  Gate& gate;
  Gate::Place place;
  At came = At::Outside;
  int calls = 0;
};

TEST(Gate, LetsSoManyInMakesSoManyWaitAndTurnsTheRestAway) {
  Gate gate(1, rule(2, 3));
  std::deque<Guest> guests;
  for (int i = 0; i < 6; ++i) guests.emplace_back(gate, 0s);
  const At expected[] = {At::Inside, At::Inside, At::Waiting, At::Waiting, At::Waiting, At::Outside};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(guests[i].came, expected[i]) << i;
}

TEST(Gate, GivesAFreePlaceToWhoeverHasWaitedLongest) {
  Gate gate(1, rule(1, 5));
  Guest inside(gate, 0s), first(gate, 1s), second(gate, 2s);
  inside.leave(3s);
  EXPECT_EQ(first.place.at, At::Inside);
  EXPECT_EQ(first.calls, 1);
  EXPECT_EQ(second.place.at, At::Waiting);
  inside.leave(3s);
  EXPECT_EQ(second.place.at, At::Waiting) << "who leaves twice leaves once";
  Guest third(gate, 3s);
  EXPECT_EQ(third.came, At::Waiting) << "nobody passes those who wait";
}

TEST(Gate, ForgetsWhoGivesUp) {
  Gate gate(1, rule(1, 1));
  Guest inside(gate, 0s);
  {
    Guest waits(gate, 0s);
    EXPECT_EQ(gate.settle(waits.place), At::Outside);
  }
  {
    Guest goes(gate, 0s);
    EXPECT_EQ(goes.came, At::Waiting) << "the one before is not in the queue any more";
  }
  inside.leave(1s);
  EXPECT_EQ(gate.keys(), 0U);
}

TEST(Gate, CallsAtOnceWhoNeedsNotWait) {
  Gate gate(1, rule(1, 1));
  Guest inside(gate, 0s);
  int calls = 0;
  gate.when_called(inside.place, [&calls] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(Gate, TellsKeysApartAndKeepsNothingOfThem) {
  Gate gate(1, rule(1, 0));
  {
    std::deque<std::string> keys;  // outlive their guests
    std::deque<Guest> guests;
    for (int i = 0; i < 100; ++i) guests.emplace_back(gate, 0s, Priority::Normal, keys.emplace_back("key " + std::to_string(i)));
    for (const Guest& guest : guests) EXPECT_EQ(guest.came, At::Inside);
    EXPECT_EQ(gate.keys(), 100U);
  }
  EXPECT_EQ(gate.keys(), 0U);
}

TEST(Gate, LetsTheHigherPriorityInFirstAndMakesRoomForItWhenTheQueueIsFull) {
  Gate gate(1, rule(1, 3));
  Guest inside(gate, 0s), sheddable(gate, 0s, Priority::Sheddable), late(gate, 1s, Priority::Sheddable), normal(gate, 2s);
  Guest critical(gate, 3s, Priority::Critical);
  EXPECT_EQ(critical.came, At::Waiting);
  EXPECT_EQ(late.place.at, At::Outside) << "the last to come of the lowest";
  EXPECT_EQ(late.calls, 1);
  EXPECT_EQ(sheddable.place.at, At::Waiting);
  EXPECT_EQ(Guest(gate, 3s, Priority::Sheddable).came, At::Outside) << "nobody below makes room";
  Guest* const order[] = {&inside, &critical, &normal, &sheddable};
  for (std::size_t i = 0; i < 3; ++i) {
    order[i]->leave(4s);
    EXPECT_EQ(order[i + 1]->place.at, At::Inside) << i;
  }
}

TEST(Gate, FollowsTheRuleThatIsInForceAlsoForThoseWhoAreThere) {
  Gate gate(1, rule(1, 5));
  Guest inside(gate, 0s), first(gate, 0s), second(gate, 0s), third(gate, 0s);
  gate.propose(rule(3, 5));
  EXPECT_EQ(first.place.at, At::Waiting) << "a configuration that is only built changes nothing";
  gate.in_force();
  EXPECT_EQ(first.place.at, At::Inside);
  EXPECT_EQ(first.calls, 1);
  EXPECT_EQ(second.place.at, At::Inside);
  EXPECT_EQ(third.place.at, At::Waiting);
  gate.propose(rule(1, 5));
  gate.in_force();
  inside.leave(1s);
  first.leave(1s);
  EXPECT_EQ(third.place.at, At::Waiting) << "one is inside, and one may be";
  second.leave(1s);
  EXPECT_EQ(third.place.at, At::Inside);
}

TEST(Gate, MakesNobodyWaitWhoMayNot) {
  Gate gate(1, rule(1, 5));
  Guest inside(gate, 0s);
  Gate::Place place;
  place.key = "k";
  EXPECT_EQ(gate.enter(place, false, at(0s)).at, At::Outside);
}

// One at a time, `each` long, `burst` of them at once.
int served_of(int burst, Duration each, Duration target) {
  GateRule r = rule(1, 1000);
  r.target = target;
  r.interval = 100ms;
  Gate gate(1, r);
  std::deque<Guest> guests;
  for (int i = 0; i < burst; ++i) guests.emplace_back(gate, 0s);
  int served = 0;
  for (Duration now = each;; now += each, ++served) {
    const auto inside = std::find_if(guests.begin(), guests.end(), [](const Guest& g) { return g.place.at == At::Inside; });
    if (inside == guests.end()) return served;
    inside->leave(now);
  }
}

TEST(Gate, CutsAQueueThatStandsAndNoBurst) {
  EXPECT_EQ(served_of(9, 10ms, 5ms), 9) << "over within the interval";
  EXPECT_EQ(served_of(60, 10ms, 5ms), 12) << "an interval to see that it stands";
  EXPECT_EQ(served_of(60, 1s, 5ms), 3) << "however seldom a place becomes free";
  EXPECT_EQ(served_of(60, 10ms, 0ms), 60) << "without a target nobody is shed";
  EXPECT_EQ(served_of(60, 10ms, 1s), 60) << "a wait that is all right";
}

TEST(Gate, AQueueThatStoodLongAgoCutsNobody) {
  GateRule r = rule(1, 1000);
  r.target = 5ms;
  r.interval = 100ms;
  Gate gate(1, r);
  {
    Guest inside(gate, 0s), slow(gate, 0s);
    inside.leave(50ms);  // slow has waited 50 ms
  }
  Guest again(gate, 60s), waits(gate, 60s), too(gate, 60s);
  again.leave(60s + 20ms);
  EXPECT_EQ(waits.place.at, At::Inside);
  EXPECT_EQ(too.place.at, At::Waiting);
}

TEST(Gate, CutsTheQueueOfOnePriorityAndNotThatOfAnother) {
  GateRule r = rule(1, 1000);
  r.target = 5ms;
  r.interval = 100ms;
  Gate gate(1, r);
  std::deque<Guest> guests;
  Guest inside(gate, 0s);
  for (int i = 0; i < 40; ++i) guests.emplace_back(gate, 0s);
  Guest* last = &inside;
  int critical = 0;
  std::deque<Guest> others;
  // Every other place goes to a critical one who has hardly waited.
  for (Duration now = 10ms; now < 600ms; now += 10ms) {
    const bool turn = now.count() / 10'000'000 % 2 == 0;
    if (turn) others.emplace_back(gate, now - 1ms, Priority::Critical);
    last->leave(now);
    if (turn) {
      last = &others.back();
      critical += last->place.at == At::Inside ? 1 : 0;
      continue;
    }
    const auto next = std::find_if(guests.begin(), guests.end(), [](const Guest& g) { return g.place.at == At::Inside; });
    if (next == guests.end()) break;
    last = &*next;
  }
  EXPECT_GT(critical, 4);
  EXPECT_EQ(std::count_if(guests.begin(), guests.end(), [](const Guest& g) { return g.place.at == At::Waiting; }), 0) << "cut, although critical ones never waited";
}

TEST(Gate, FindsItsLimitByHowLongRequestsTake) {
  GateRule r = rule(100, 0);
  r.least = 2;
  r.initial = 10;
  Gate gate(1, r);
  const auto load = [&](Duration began, Duration each) {
    std::deque<Guest> guests;
    std::size_t inside = 0;
    for (int i = 0; i < 120; ++i) inside += guests.emplace_back(gate, began).came == At::Inside ? 1U : 0U;
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
  for (int i = 30; i < 60; ++i) shrunk = load(i * 1s, i * 1s);
  EXPECT_EQ(shrunk, 2U) << "longer and longer";
  for (int i = 100; i < 200; ++i) load(i * 1s, 10ms);
  EXPECT_GT(load(200s, 10ms), 10U) << "and back";
}

TEST(Gate, IsExactOverEightThreadsAndWakesWhoeverItLetsIn) {
  Gate gate(1, rule(3, 4));
  std::atomic<int> inside{0}, most{0}, turned_away{0}, served{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5'000; ++i) {
        Gate::Place place;
        place.key = "k";
        std::atomic<bool> called{false};
        if (gate.enter(place, true, at(0s)).at == At::Waiting) {
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
        gate.leave(place, true, at(0s));
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_LE(most, 3);
  EXPECT_EQ(served + turned_away, 40'000);
  EXPECT_EQ(gate.keys(), 0U);
}

}  // namespace
}  // namespace gatelab::test
