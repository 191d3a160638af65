// SPDX-License-Identifier: Apache-2.0
#include "policy/gate.h"

#include <algorithm>

namespace gatelab::policy {
namespace {

constexpr double kLongRun = 2.0 / 601;  // weight of one request in the mean of about the last 600
constexpr double kStep = 0.2;           // how far the limit goes at once towards what a request asks for
constexpr double kHeadroom = 4;         // how many more are tried while all is as usual

std::size_t index_of(Priority priority) noexcept { return static_cast<std::size_t>(priority); }

}  // namespace

std::uint32_t Gate::limit_of(Entry& entry, const GateRule& rule) noexcept {
  if (rule.least == 0) return rule.most;
  if (entry.limit == 0) entry.limit = rule.initial;
  entry.limit = std::clamp(entry.limit, static_cast<double>(rule.least), static_cast<double>(rule.most));
  return static_cast<std::uint32_t>(entry.limit);
}

// By gradient: the limit shrinks as requests take longer than they usually do, and grows while they don't. A gate that is
// less than half used says nothing about how many could be inside.
void Gate::learn(Entry& entry, const GateRule& rule, Duration took) noexcept {
  limit_of(entry, rule);
  const double limit = entry.limit;  // with what it has grown by, less than one
  // One who reads slowly says little of the upstream.
  double now = static_cast<double>(std::max<std::int64_t>(1, took.count()));
  if (entry.usual > 0) now = std::min(now, 10 * entry.usual);
  entry.usual = entry.usual == 0 ? now : entry.usual + (now - entry.usual) * kLongRun;
  if (entry.usual > 2 * now) entry.usual *= 0.95;  // what was usual under load is not what is now
  if (static_cast<double>(entry.inside) < limit / 2) return;
  const double gradient = std::clamp(rule.tolerance * entry.usual / now, 0.5, 1.0);
  entry.limit = limit + (limit * gradient + (gradient < 1 ? 0 : kHeadroom) - limit) * kStep;
  limit_of(entry, rule);
}

void Gate::saw(Delay& delay, const GateRule& rule, Duration waited, Instant now) noexcept {
  if (rule.target == Duration{} || waited <= rule.target) {
    delay = {};
    return;
  }
  if (!delay.above_since) delay.above_since = now;
  delay.standing = now - *delay.above_since >= rule.interval;
}

void Gate::turn_away(std::list<Waiter>& queue, std::list<Waiter>::iterator waiter, Woken& woken) {
  waiter->place->at = At::Outside;
  if (waiter->woken) woken.push_back(std::move(waiter->woken));
  queue.erase(waiter);
}

// The last to come of the lowest priority below `by` makes room.
bool Gate::displace(Entry& entry, Priority by, Woken& woken) {
  for (std::size_t i = kPriorities; i-- > index_of(by) + 1;) {
    std::list<Waiter>& queue = entry.queues[i];
    if (queue.empty()) continue;
    turn_away(queue, std::prev(queue.end()), woken);
    return true;
  }
  return false;
}

void Gate::let_in(Entry& entry, const GateRule& rule, Instant now, Woken& woken) {
  // Behind a standing queue everyone would come too late: who has waited twice the target goes, so that others are served
  // while they still care.
  for (std::size_t i = 0; i < kPriorities; ++i)
    while (entry.delays[i].standing && !entry.queues[i].empty() && now - entry.queues[i].front().since > 2 * rule.target) turn_away(entry.queues[i], entry.queues[i].begin(), woken);
  const std::uint32_t limit = limit_of(entry, rule);
  for (std::size_t i = 0; i < kPriorities; ++i) {
    std::list<Waiter>& queue = entry.queues[i];
    while (entry.inside < limit && !queue.empty()) {
      Waiter& next = queue.front();
      saw(entry.delays[i], rule, now - next.since, now);
      ++entry.inside;
      next.place->at = At::Inside;
      next.place->inside_since = now;
      if (next.woken) woken.push_back(std::move(next.woken));
      queue.pop_front();
    }
  }
}

void Gate::propose(const GateRule& rule) noexcept { next_ = rule; }

// Who waits has waited for just this.
void Gate::in_force() noexcept {
  rule_ = next_;
  Woken woken;
  for (Shard& s : shards_) {
    std::lock_guard lock(s.mutex);
    s.rule = rule_;
    for (auto& [key, entry] : s.map) let_in(entry, s.rule, s.latest, woken);
  }
  for (const auto& call : woken) call();
}

void Gate::measure(std::vector<Measure>& out) const {
  double inside = 0, waiting = 0;
  for (const Shard& s : shards_) {
    std::lock_guard lock(s.mutex);
    for (const auto& [key, entry] : s.map) {
      inside += entry.inside;
      waiting += static_cast<double>(entry.waiting());
    }
  }
  out.push_back({"gatelab_gate_inside", "Requests that hold a place of concurrency or load-shed, by policy or pool.", inside});
  out.push_back({"gatelab_gate_waiting", "Requests that wait for a place of concurrency or load-shed, by policy or pool.", waiting});
}

Gate::Seen Gate::enter(Place& place, bool may_wait, Instant now) {
  Woken woken;
  Seen seen;
  {
    Shard& s = shards_.of(place.key);
    std::lock_guard lock(s.mutex);
    const GateRule& rule = s.rule;
    s.latest = std::max(s.latest, now);
    auto known = s.map.find(place.key);
    if (known == s.map.end()) known = s.map.try_emplace(std::string(place.key)).first;
    Entry& entry = known->second;
    seen = {At::Outside, entry.inside, limit_of(entry, rule), static_cast<std::uint32_t>(entry.waiting())};
    // Nobody passes those who wait.
    if (entry.inside < seen.limit && seen.waiting == 0) {
      entry.delays = {};
      ++entry.inside;
      place.inside_since = now;
      place.at = At::Inside;
    } else if (may_wait && rule.queue > 0 && (seen.waiting < rule.queue || displace(entry, place.priority, woken))) {
      std::list<Waiter>& queue = entry.queues[index_of(place.priority)];
      place.waiter = queue.insert(queue.end(), Waiter{&place, now, {}});
      place.at = At::Waiting;
    }
    seen.at = place.at;
  }
  for (const auto& call : woken) call();
  return seen;
}

void Gate::when_called(Place& place, std::function<void()> woken) {
  {
    std::lock_guard lock(shards_.of(place.key).mutex);
    if (place.at == At::Waiting) {
      place.waiter->woken = std::move(woken);
      return;
    }
  }
  woken();
}

void Gate::give_up(Shard& s, Place& place) noexcept {
  if (place.at != At::Waiting) return;
  s.map.find(place.key)->second.queues[index_of(place.priority)].erase(place.waiter);
  place.at = At::Outside;
}

Gate::At Gate::settle(Place& place) noexcept {
  Shard& s = shards_.of(place.key);
  std::lock_guard lock(s.mutex);
  give_up(s, place);
  return place.at;
}

void Gate::leave(Place& place, bool tells, Instant now) noexcept {
  Woken woken;
  {
    Shard& s = shards_.of(place.key);
    std::lock_guard lock(s.mutex);
    give_up(s, place);
    if (place.at == At::Outside) return;
    const GateRule& rule = s.rule;
    s.latest = std::max(s.latest, now);
    const auto known = s.map.find(place.key);
    Entry& entry = known->second;
    if (rule.least > 0 && tells && now >= place.inside_since) learn(entry, rule, now - place.inside_since);
    --entry.inside;
    place.at = At::Outside;
    let_in(entry, rule, now, woken);
    // What an adaptive gate has learnt is kept: its keys are few (concurrency.cc).
    if (entry.inside == 0 && entry.waiting() == 0 && rule.least == 0) s.map.erase(known);
  }
  for (const auto& call : woken) call();
}

}  // namespace gatelab::policy
