// SPDX-License-Identifier: Apache-2.0
// The real world: An epoll reactor, sockets, the system's clocks and files. Owned by main() (or by a `--real` test run).
#pragma once

#include <functional>
#include <memory>

#include "io/environment.h"

namespace gatelab::io {

struct RealOptions {
  std::uint32_t workers = 1;
  std::uint64_t seed = 0;  // 0: from the system's random source
  // How late a deadline may be. Finer ones wake the loops more often: for who keeps to a plan.
  Duration tick = std::chrono::milliseconds(1);
};

class RealWorld {
 public:
  explicit RealWorld(const RealOptions& options);
  ~RealWorld();  // stop() first
  RealWorld(const RealWorld&) = delete;
  RealWorld& operator=(const RealWorld&) = delete;

  Environment& environment() noexcept;
  // Starts the threads of workers 1..n-1 and runs worker 0 on this thread until stop().
  void run();
  // Starts every worker on its own thread and returns.
  void start();
  // From any thread; run() returns, threads are joined by the destructor or by join().
  void stop() noexcept;
  void join() noexcept;

  // Callback on loop 0 for SIGTERM, SIGINT, SIGHUP; replaces the default action.
  void on_signal(int signal, std::function<void(int)> callback);
  // Shifts policy_now forward (Control's `clock`); negative is refused with false.
  bool shift_policy(Duration by) noexcept;
  Duration policy_shift() const noexcept;

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

// Processor time of the thread that asks.
Duration thread_time() noexcept;

// For cli/: $(env.X).
const std::string* environment_variable(void*, std::string_view name);

}  // namespace gatelab::io
