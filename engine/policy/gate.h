// SPDX-License-Identifier: Apache-2.0
// How many requests are under way at once for each key, and who waits for a place (docs/policies/concurrency.md and
// load-shed.md). Exact for several workers (key_table.h). Bounded: only what is under way or waits is remembered. Time is an
// argument. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "policy/key_table.h"
#include "policy/state.h"

namespace gatelab::policy {

// In the order in which those who wait are let in. Sheddable ones make room for the others.
enum class Priority : std::uint8_t { Critical, Normal, Sheddable };
inline constexpr std::size_t kPriorities = 3;

// What the policies of a gate say of it.
struct GateRule {
  std::uint32_t most = 1;   // under way at once
  std::uint32_t least = 0;  // above 0: how many is found by how long they take, between this and `most`
  std::uint32_t initial = 0;
  double tolerance = 1.5;   // how much longer than usual they may take before there are fewer
  std::uint32_t queue = 0;  // how many wait, of all priorities together
  Duration target{};        // of the wait (CoDel, RFC 8289 §3.2); zero: whoever waits is let in however long it took
  Duration interval{};      // for which every wait must be longer than `target` before anyone is shed
};

class Gate final : public State {
 public:
  Gate(std::uint64_t seed, const GateRule& rule) noexcept : rule_(rule), next_(rule), shards_(seed, rule) {}

  enum class At : std::uint8_t { Outside, Waiting, Inside };
  struct Place;
  struct Waiter {
    Place* place;
    Instant since;
    std::function<void()> woken;
  };
  // One request's, from enter() to leave(), at an address that stays. `key` must live as long.
  struct Place {
    std::string_view key;
    std::list<Waiter>::iterator waiter;  // while it waits
    Instant inside_since;
    At at = At::Outside;
    Priority priority = Priority::Normal;
  };
  // What the key's requests were when somebody came.
  struct Seen {
    At at = At::Outside;
    std::uint32_t inside = 0, limit = 0, waiting = 0;
  };

  // From when its configuration is in force on, also for those who are inside or wait. Reload time.
  void propose(const GateRule& rule) noexcept;
  void in_force() noexcept override;
  void measure(std::vector<Measure>& out) const override;

  // Inside, or waiting, or, as there is no room to wait either, outside. Without `may_wait` nobody is made to.
  Seen enter(Place& place, bool may_wait, Instant now);
  // Calls `woken` when the place waits no more, on whatever thread that happens; at once if it doesn't wait.
  void when_called(Place& place, std::function<void()> woken);
  // No longer than this: who still waits is outside then. Where the place is.
  At settle(Place& place) noexcept;
  // From wherever it is, once or more; lets the next ones in. `tells`: how long the request took says how many there may be.
  void leave(Place& place, bool tells, Instant now) noexcept;

  std::size_t keys() const noexcept { return shards_.size(); }  // that are remembered

 private:
  // Whether the queue stands: for an interval and longer, everyone who left it had waited longer than the target.
  struct Delay {
    std::optional<Instant> above_since;
    bool standing = false;
  };
  struct Entry {
    std::uint32_t inside = 0;
    std::array<std::list<Waiter>, kPriorities> queues;
    std::array<Delay, kPriorities> delays;  // a queue may stand behind one that doesn't
    double limit = 0;  // adaptive: now
    double usual = 0;  // adaptive: ns, the long run's mean
    std::size_t waiting() const noexcept { return queues[0].size() + queues[1].size() + queues[2].size(); }
  };
  struct Shard {
    Shard(std::uint64_t seed, const GateRule& r) : map(0, KeyHash{seed}), rule(r) {}
    mutable std::mutex mutex;
    KeyMap<Entry> map;
    GateRule rule;   // a copy, so that one lock is enough
    Instant latest;  // that anyone has come or gone
  };
  using Woken = std::vector<std::function<void()>>;

  static void give_up(Shard& shard, Place& place) noexcept;
  static std::uint32_t limit_of(Entry& entry, const GateRule& rule) noexcept;
  static void learn(Entry& entry, const GateRule& rule, Duration took) noexcept;
  static void saw(Delay& delay, const GateRule& rule, Duration waited, Instant now) noexcept;
  static void turn_away(std::list<Waiter>& queue, std::list<Waiter>::iterator waiter, Woken& woken);
  static bool displace(Entry& entry, Priority by, Woken& woken);
  static void let_in(Entry& entry, const GateRule& rule, Instant now, Woken& woken);

  GateRule rule_, next_;
  Shards<Shard, 4> shards_;
};

}  // namespace gatelab::policy
