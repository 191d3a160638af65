// SPDX-License-Identifier: Apache-2.0
// One round of a load, made by a lane on each of some loops. Whoever started it asks whether it is done, and lets the loops
// run meanwhile.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "harness/load/lane.h"

namespace gatelab::harness::load {

// Where generators run, and what they read. All outlives them.
struct Generators {
  io::Network& network;
  const Clock& clock;
  std::vector<io::Loop*> loops;
  Duration (*thread_time)() = nullptr;  // of the thread that asks; null: not known
};

class RoundRun {
 public:
  // `load` and `target` outlive it.
  RoundRun(const Generators& generators, const Load& load, const Target& target, std::uint32_t round, Progress* progress = nullptr);
  ~RoundRun();  // when it is done, or was never started
  RoundRun(const RoundRun&) = delete;
  RoundRun& operator=(const RoundRun&) = delete;

  void start();
  // The plan's time 0.
  Instant began() const noexcept { return began_; }
  bool done() const noexcept { return left_->load(std::memory_order_acquire) == 0; }
  // It will be done soon. From the thread that asks done(); while the loops run, or when it is done.
  void stop();
  // Once it is done.
  Round result() const;

 private:
  const Generators& generators_;
  Instant began_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::shared_ptr<std::atomic<std::size_t>> left_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace gatelab::harness::load
