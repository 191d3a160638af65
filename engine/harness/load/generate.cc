// SPDX-License-Identifier: Apache-2.0
#include "harness/load/generate.h"

#include <algorithm>

namespace gatelab::harness::load {
namespace {

constexpr Duration kLead = std::chrono::milliseconds(5);  // for every lane to hear of it

}  // namespace

RoundRun::RoundRun(const Generators& generators, const Load& load, const Target& target, std::uint32_t round, Progress* progress) : generators_(generators) {
  const auto lanes = static_cast<std::uint32_t>(generators.loops.size());
  for (std::uint32_t i = 0; i < lanes; ++i) {
    LaneWorld world{generators.network, *generators.loops[i], load, target};
    world.round = round;
    world.part = {load.shard.index * lanes + i, load.shard.of * lanes};
    world.connections = std::max(1U, load.connections / lanes);
    world.progress = progress;
    world.thread_time = generators.thread_time;
    lanes_.push_back(std::make_unique<Lane>(world));
  }
}

RoundRun::~RoundRun() { assert(done()); }

void RoundRun::start() {
  left_->store(lanes_.size());
  began_ = generators_.clock.io_now() + kLead;
  for (std::size_t i = 0; i < lanes_.size(); ++i)
    generators_.loops[i]->post_remote([lane = lanes_[i].get(), at = began_, left = left_] { lane->start(at, [left] { left->fetch_sub(1, std::memory_order_acq_rel); }); });
}

void RoundRun::stop() {
  // Nothing runs any more, maybe not even the loops.
  if (done()) return;
  // A lane must live until its loop has run this, and others may end meanwhile: done() waits for it too.
  left_->fetch_add(lanes_.size(), std::memory_order_acq_rel);
  for (std::size_t i = 0; i < lanes_.size(); ++i)
    generators_.loops[i]->post_remote([lane = lanes_[i].get(), left = left_] {
      lane->stop();
      left->fetch_sub(1, std::memory_order_acq_rel);
    });
}

Round RoundRun::result() const {
  Round out;
  for (const auto& lane : lanes_) out.merge(lane->result());
  return out;
}

}  // namespace gatelab::harness::load
