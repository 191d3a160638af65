// SPDX-License-Identifier: Apache-2.0
// The world, passed in: everything an engine may know of the outside. main() makes the real one (make_real), a scenario
// makes a simulated one (Simulation). References must outlive the engine.
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "io/loop.h"
#include "io/network.h"
#include "io/resolver.h"

namespace gatelab::io {

// Small files, whole. Any thread.
class Files {
 public:
  virtual ~Files() = default;
  virtual Result<std::string> read(const std::string& path) const = 0;   // ids: not-found, denied, too-large (over 64 MiB)
  virtual Status write(const std::string& path, std::string_view text) = 0;  // atomically: temporary file, rename
  virtual Status append(const std::string& path, std::string_view text) = 0;  // for the access log
};

// Files that the program keeps for itself from one run to the next: small, whole, for this user's eyes only (0600). Any thread.
class StateFiles {
 public:
  virtual ~StateFiles() = default;
  virtual Result<std::string> read(const std::string& path) const = 0;  // ids: not-found, denied, too-large (over 64 MiB), io
  // Atomically, and durable when it returns: what was there before is there still if this fails.
  virtual Status write(const std::string& path, std::string_view text) = 0;
  // Another name for it; id exists: there is a file of that name, which stays as it is.
  virtual Status rename(const std::string& path, const std::string& to) = 0;
  // The right to write `path`, until the result is destroyed. id held: another process has it, and the message says which.
  class Hold {
   public:
    virtual ~Hold() = default;
  };
  virtual Result<std::unique_ptr<Hold>> hold(const std::string& path) = 0;
};

// Tells of changed files; debounced. Callbacks run on the given loop.
class Watch {
 public:
  virtual ~Watch() = default;
  virtual void files(Loop& loop, std::vector<std::string> paths, std::function<void()> on_change) = 0;
  virtual void stop() noexcept = 0;
};

// A bounded pool for blocking work. In simulation the job runs inline at the await.
class Compute {
 public:
  virtual ~Compute() = default;
  virtual Task<Code> run(Loop& loop, std::function<void()> job, Wait wait) = 0;  // TooMany when the queue is full
};

struct Environment {
  const Clock& clock;
  Random random;
  Network& network;
  Resolver& resolver;
  Files& files;
  StateFiles& state_files;
  Watch& watch;
  Compute& compute;
  // One loop a worker; index 0 also accepts and runs the gateway's own tasks.
  std::vector<Loop*> loops;
};

}  // namespace gatelab::io
