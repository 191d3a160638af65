// SPDX-License-Identifier: Apache-2.0
// Structured concurrency: a Scope owns child tasks and must be joined before it is destroyed (asserted). Cancellation
// reaches the children's waits through the scope's token. One loop, one thread.
#pragma once

#include <cstddef>

#include "io/loop.h"
#include "io/task.h"

namespace gatelab::io {

class Scope {
 public:
  explicit Scope(Loop& loop) noexcept : loop_(loop) {}
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Starts `task` from the ready queue. Its frame is freed when it ends.
  void spawn(Task<void> task) noexcept;
  CancelToken& token() noexcept { return token_; }
  void cancel() noexcept { token_.cancel(); }
  std::size_t running() const noexcept { return running_; }
  // Waits until no child runs. The deadline may pass: the code says so, children still run then.
  Task<Code> join(Wait wait);
  Loop& loop() noexcept { return loop_; }

 private:
  struct Detached;
  static Detached run(Scope& scope, Task<void> task);
  Loop& loop_;
  CancelToken token_;
  std::size_t running_ = 0;
  Signal ended_;
};

}  // namespace gatelab::io
