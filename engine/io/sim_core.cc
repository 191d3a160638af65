// SPDX-License-Identifier: Apache-2.0
#include "io/sim_core.h"

#include <algorithm>

#include "base/units.h"

namespace gatelab::io {

const Clock& SimLoop::clock() const noexcept { return core_.clock; }
void SimLoop::add_timer(Waiter& w) noexcept { core_.add(w); }
void SimLoop::remove_timer(Waiter& w) noexcept { core_.remove(w); }

SimCore::SimCore(Random random, Instant start, std::uint64_t events_per_instant)
    : turns_(random.fork("turns")), events_per_instant_(events_per_instant) {
  clock.now = start;
}

SimLoop& SimCore::add_loop() {
  loops_.push_back(std::make_unique<SimLoop>(*this, static_cast<std::uint32_t>(loops_.size())));
  return *loops_.back();
}

void SimCore::at(Instant when, std::function<void()> event) {
  timed_.emplace(Key{when, ++sequence_}, Timed{nullptr, std::move(event)});
  ++foreground_;
}

void SimCore::add(Waiter& w) {
  w.timed = true;
  w.timer_sequence = ++sequence_;
  timed_.emplace(Key{w.wait().deadline, w.timer_sequence}, Timed{&w, {}});
  if (w.wait().deadline != Instant::max() && !w.wait().background) ++foreground_;
}

void SimCore::remove(Waiter& w) noexcept {
  w.timed = false;
  timed_.erase(Key{w.wait().deadline, w.timer_sequence});
  if (w.wait().deadline != Instant::max() && !w.wait().background) --foreground_;
}

// One event of the loop that the dice choose among those that have one.
bool SimCore::run_one() {
  std::size_t candidates = 0;
  for (const auto& loop : loops_) candidates += loop->ready_.empty() ? 0 : 1;
  if (candidates == 0) return false;
  std::uint64_t chosen = candidates == 1 ? 0 : turns_.below(candidates);
  for (const auto& loop : loops_) {
    if (loop->ready_.empty() || chosen-- != 0) continue;
    SimLoop::Ready ready = std::move(loop->ready_.front());
    loop->ready_.pop_front();
    note(loop->index() + 1);
    if (ready.handle) ready.handle.resume();
    else ready.job();
    return true;
  }
  return false;
}

bool SimCore::drain() {
  for (std::uint64_t events = 0; events < events_per_instant_; ++events) {
    if (run_one()) continue;
    if (timed_.empty() || timed_.begin()->first.when > clock.now) return true;
    fire(clock.now);
  }
  return false;
}

bool SimCore::next(Instant& when, bool& foreground) const {
  foreground = foreground_ > 0;
  if (timed_.empty() || timed_.begin()->first.when == Instant::max()) return false;
  when = timed_.begin()->first.when;
  return true;
}

void SimCore::fire(Instant when) {
  clock.now = std::max(clock.now, when);
  note(1000);
  const auto first = timed_.begin();
  if (first->second.waiter != nullptr) return first->second.waiter->complete(Code::TimedOut);
  const std::function<void()> event = std::move(first->second.event);
  timed_.erase(first);
  --foreground_;
  event();
}

std::vector<std::string> SimCore::waiting() const {
  std::vector<std::string> out;
  for (const auto& [key, timed] : timed_) {
    if (timed.waiter == nullptr || timed.waiter->wait().background) continue;
    std::string text(timed.waiter->wait().what);
    if (key.when != Instant::max()) text += " (deadline +" + format(key.when - clock.now) + ")";
    out.push_back(std::move(text));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace gatelab::io
