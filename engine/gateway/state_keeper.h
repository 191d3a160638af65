// SPDX-License-Identifier: Apache-2.0
// Keeps what must survive a restart in one file (docs/policies/quota.md): reads it at the start, writes it soon after it has
// changed and at the end, off every worker's way. Private to the room; loop 0's thread, unless a member says otherwise.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "io/environment.h"
#include "io/scope.h"
#include "observe/metrics.h"
#include "policy/state.h"

namespace gatelab::gateway {

class StateKeeper {
 public:
  // `tell`: for people, any thread; may be null.
  StateKeeper(io::Environment& environment, policy::StateStore& states, std::function<void(std::string_view)> tell);
  ~StateKeeper();  // finish() first

  // Makes the file this process's own, takes over what it holds, and proves that it can be written. `place`: where the
  // configuration names it. A file that can't be understood is set aside. Before the loops run, or on loop 0.
  Status start(std::string path, const std::string& place);
  // What was changed until now is on the disk, or somebody was told why not. Waits for the disk; any thread.
  void write();
  // Nothing is counted any more: writes for the last time and lets the file go, then calls `done`. Without `last`, it only
  // lets go, as a process does that is killed.
  void finish(bool last, std::function<void()> done);

  void add_metrics(observe::MetricsText& metrics) const;

 private:
  struct Inner;
  io::Task<void> write_later();
  io::Task<void> end(bool last, std::function<void()> done);

  io::Environment& environment_;
  io::Loop& loop_;
  std::shared_ptr<Inner> inner_;  // shared with jobs off the loop
  io::Signal changed_;
  io::Scope background_, control_;
};

}  // namespace gatelab::gateway
