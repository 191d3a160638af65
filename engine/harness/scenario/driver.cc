// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/driver.h"

#include <atomic>

namespace gatelab::harness {
namespace {

class SimDriver final : public Driver {
 public:
  SimDriver(std::uint64_t seed, Instant start, std::uint32_t workers) : sim_(options(seed, start, workers)) {}
  io::Environment& environment() noexcept override { return sim_.environment(); }
  io::Loop& outside() noexcept override { return sim_.outside(); }
  bool simulated() const noexcept override { return true; }
  void start() override { sim_.drain(); }
  void on(io::Loop&, const std::function<void()>& job) override { job(); }

  std::string run_until(const std::function<bool()>& done, Duration budget) override {
    const io::SimEnd end = sim_.run_until(done, budget);
    // What the answer left behind at this instant (a log line, a closing connection) belongs to the step.
    if (end == io::SimEnd::Idle) sim_.drain();
    return explain(end);
  }
  std::string advance(Duration by) override { return explain(sim_.advance(by)); }
  Instant now() const override { return sim_.now(); }
  std::uint64_t trace() const noexcept override { return sim_.trace_hash(); }

 private:
  static io::SimOptions options(std::uint64_t seed, Instant start, std::uint32_t workers) {
    io::SimOptions out;
    out.seed = seed;
    out.start = start;
    out.workers = workers;
    return out;
  }

  std::string explain(io::SimEnd end) const {
    switch (end) {
      case io::SimEnd::Idle: return {};
      case io::SimEnd::Livelock: return "livelock: a million events ran without time moving";
      case io::SimEnd::Budget: return "the step took longer than ten virtual minutes" + waiting();
      case io::SimEnd::Stuck: break;
    }
    return "stuck: nothing can happen any more" + waiting();
  }
  std::string waiting() const {
    std::string out;
    for (const std::string& w : sim_.waiting()) out += (out.empty() ? "; waiting: " : ", ") + w;
    return out;
  }

  io::Simulation sim_;
};

class RealTimeDriver final : public Driver {
 public:
  RealTimeDriver(std::unique_ptr<RealDriver> world, std::function<bool()> interrupted) : world_(std::move(world)), interrupted_(std::move(interrupted)) {}
  io::Environment& environment() noexcept override { return world_->environment(); }
  io::Loop& outside() noexcept override { return world_->outside(); }
  bool simulated() const noexcept override { return false; }
  void start() override { world_->start(); }

  void on(io::Loop& loop, const std::function<void()>& job) override {
    // Shared: should the loop be stuck, the job must not find a frame that is gone.
    auto done = std::make_shared<std::atomic<bool>>(false);
    loop.post_remote([job, done] {
      job();
      done->store(true, std::memory_order_release);
    });
    world_->wait([done] { return done->load(std::memory_order_acquire); }, std::chrono::minutes(1));
  }
  std::string run_until(const std::function<bool()>& done, Duration budget) override {
    const bool in_time = world_->wait([this, &done] { return done() || give_up(); }, budget);
    return given_up_ && !winding_down_ ? "interrupted" : in_time ? "" : "the step took too long in real time";
  }
  bool wind_down() override {
    winding_down_ = true;
    return given_up_;
  }
  std::string advance(Duration by) override { return world_->shift_policy(by) ? "" : "time can't be moved back"; }
  Instant now() const override { return world_->environment().clock.policy_now(); }
  std::uint64_t trace() const noexcept override { return 0; }

 private:
  bool give_up() {
    if (!winding_down_ && interrupted_ && interrupted_()) given_up_ = true;
    return given_up_ && !winding_down_;
  }

  std::unique_ptr<RealDriver> world_;
  std::function<bool()> interrupted_;
  bool given_up_ = false, winding_down_ = false;
};

}  // namespace

std::unique_ptr<Driver> make_simulated(std::uint64_t seed, Instant start, std::uint32_t workers) { return std::make_unique<SimDriver>(seed, start, workers); }
std::unique_ptr<Driver> make_real(std::unique_ptr<RealDriver> world, std::function<bool()> interrupted) {
  return std::make_unique<RealTimeDriver>(std::move(world), std::move(interrupted));
}

}  // namespace gatelab::harness
