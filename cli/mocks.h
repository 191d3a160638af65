// SPDX-License-Identifier: Apache-2.0
// The `mock:` upstreams of `run`: served on a loop of their own, started again when a reload changes their stubs. The set
// before keeps answering what is still in flight; the one before that is stopped. Calls from one thread at a time, except
// locate().
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gateway/model.h"
#include "harness/mock/mock.h"
#include "io/real.h"

namespace gatelab::cli {

class Mocks {
 public:
  // `loop` is not one of the gateway's.
  Mocks(io::Network& network, io::Loop& loop) : network_(network), loop_(loop) {}
  Mocks(const Mocks&) = delete;
  Mocks& operator=(const Mocks&) = delete;

  // Serves this model's mocks. `running`: the loop runs already, and the call waits for it.
  Status serve(const gateway::Model& model, bool running);
  // The identity provider: bound there, before the loop runs. `address` is where it ended up.
  Status serve_identity(std::vector<harness::Stub> stubs, Address& address);
  // Where "upstream/target" is; nullopt: it is no mock. Any thread.
  std::optional<Address> locate(const std::string& target) const;
  // On the loop's thread; `done` is called there when no mock serves any more.
  void stop(std::function<void()> done);

 private:
  std::optional<Status> start_on_loop(harness::MockServers* next);

  io::Network& network_;
  io::Loop& loop_;
  std::string text_;  // of all stubs: what was served last
  std::atomic<bool> stopped_{false};
  mutable std::mutex mutex_;  // over what follows
  std::vector<std::unique_ptr<harness::MockServers>> sets_;  // the last two serve; kept to the end, as tasks refer to them
  std::unique_ptr<harness::MockServers> identity_;
  std::map<std::string, Address> addresses_;
};

}  // namespace gatelab::cli
