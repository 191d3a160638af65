// SPDX-License-Identifier: Apache-2.0
// The world a case runs in, simulated or real, behind the few things that a runner does to it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "harness/runner.h"
#include "io/sim.h"

namespace gatelab::harness {

class Driver {
 public:
  virtual ~Driver() = default;
  virtual io::Environment& environment() noexcept = 0;
  virtual io::Loop& outside() noexcept = 0;
  virtual bool simulated() const noexcept = 0;
  // After the gateway and the mocks have been set up.
  virtual void start() = 0;
  // Runs `job` on the loop's thread and waits for it.
  virtual void on(io::Loop& loop, const std::function<void()>& job) = 0;
  // Until `done` holds; empty, or why it never did: "stuck: …".
  virtual std::string run_until(const std::function<bool()>& done, Duration budget) = 0;
  virtual std::string advance(Duration by) = 0;
  virtual Instant now() const = 0;
  virtual std::uint64_t trace() const noexcept = 0;  // 0 in real time
  // The steps are over: from here nothing is given up. True if a step was, because the user has interrupted the run.
  virtual bool wind_down() { return false; }
};

std::unique_ptr<Driver> make_simulated(std::uint64_t seed, Instant start, std::uint32_t workers = 2);
// `interrupted` may be null. Virtual time is over in no time; real time is the user's, who does not wait for it.
std::unique_ptr<Driver> make_real(std::unique_ptr<RealDriver> world, std::function<bool()> interrupted);

}  // namespace gatelab::harness
