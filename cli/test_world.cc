// SPDX-License-Identifier: Apache-2.0
#include "cli/test_world.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include "cli/cli.h"
#include "cli/same_file.h"
#include "io/real.h"

namespace gatelab::cli {
namespace {

std::atomic<bool> interrupted{false};
int stop_pipe[2] = {-1, -1};  // readable once interrupted

// The first signal lets the reports be written, the second one ends the program as usual.
void on_interrupt() {
  if (::pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0) stop_pipe[0] = stop_pipe[1] = -1;
  struct sigaction action {};
  action.sa_handler = [](int) {
    interrupted = true;
    if (::write(stop_pipe[1], "", 1) < 0) return;  // nobody waits, or has been told
  };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

// Delays of mocks and plans of loads are exact to this.
constexpr Duration kTick = std::chrono::microseconds(50);

// One case's sockets: the gateway's loops, and one more for clients and mocks.
class SocketWorld final : public harness::RealDriver {
 public:
  SocketWorld(std::uint32_t workers, std::uint64_t seed) : world_({workers + 1, seed, kTick}), environment_(world_.environment()) {
    outside_ = environment_.loops.back();
    environment_.loops.pop_back();
  }
  ~SocketWorld() override {
    world_.stop();
    world_.join();
  }

  io::Environment& environment() noexcept override { return environment_; }
  io::Loop& outside() noexcept override { return *outside_; }
  void start() override { world_.start(); }
  bool shift_policy(Duration by) noexcept override { return world_.shift_policy(by); }

  bool wait(const std::function<bool()>& done, Duration budget) override {
    const auto until = std::chrono::steady_clock::now() + budget;
    while (!done()) {
      if (std::chrono::steady_clock::now() >= until) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return true;
  }

 private:
  io::RealWorld world_;
  io::Environment environment_;
  io::Loop* outside_;
};

}  // namespace

int stop_descriptor() noexcept { return stop_pipe[0]; }

int exit_of(const harness::TestSummary& summary) {
  if (!summary.environment_error.empty()) {
    complain(summary.environment_error);
    return kEnvironment;
  }
  if (!summary.misuse.empty()) {
    complain(summary.misuse);
    return kUsage;
  }
  if (summary.invalid) return kInvalid;
  if (summary.interrupted) return kInterrupted;
  return summary.failed > 0 || (summary.cases == 0 && !summary.empty_shard) ? kFailed : kOk;
}

harness::TestOptions test_options() {
  harness::TestOptions run;
  run.same_file = &is_same_file;
  run.env = {&io::environment_variable, nullptr};
  run.real_world = [](std::uint32_t workers, std::uint64_t seed) { return std::make_unique<SocketWorld>(workers, seed); };
  run.interrupted = [] { return interrupted.load(); };
  run.version = GATELAB_VERSION;
  on_interrupt();
  return run;
}

}  // namespace gatelab::cli
