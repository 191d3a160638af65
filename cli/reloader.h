// SPDX-License-Identifier: Apache-2.0
// Reads the configuration again on a thread of its own (a big file must not hold a worker up), then has worker 0 publish
// it. Requests that come while one runs are folded into one more. Any thread may ask.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "gateway/gateway.h"
#include "io/real.h"

namespace gatelab::cli {

struct ReloadOutcome {
  bool ok = false;
  std::string text;   // diagnostics or an error, for people; empty when ok
  gateway::ReloadReport report;
};

class Reloader {
 public:
  struct Doors {
    gateway::Gateway& gateway;
    io::RealWorld& world;
    std::string path;
    std::function<Status(const gateway::Model&)> prepare;                         // on the reloader's thread; may refuse
    std::function<void(const std::shared_ptr<const gateway::Model>&)> published;  // on the reloader's thread
    std::function<void(const ReloadOutcome&)> tell;                               // on the reloader's thread
  };
  explicit Reloader(Doors doors);
  ~Reloader();  // stop()s
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  // Soon, and not waited for.
  void ask();
  // Waits for a reload that began after the call.
  ReloadOutcome ask_and_wait();
  // Lets the one that runs finish; later ones are refused. Not on worker 0's thread, which it may be waiting for.
  void stop() noexcept;
  // The part of stop() that does not wait: for a signal's callback.
  void refuse_more() noexcept;

 private:
  void run();
  ReloadOutcome once();
  // On worker 0; false if the process stops before that.
  bool publish(const std::shared_ptr<const gateway::Model>& model, gateway::ReloadReport& report);

  Doors doors_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t asked_ = 0;
  std::uint64_t done_ = 0;
  ReloadOutcome last_;
  bool stopping_ = false;
  std::thread thread_;
};

// One object, one line: {"ok":true,"generation":2,"kept":[…],"reset":[…],"removed":[…],"listeners":[…]}.
std::string to_json(const ReloadOutcome& outcome);

}  // namespace gatelab::cli
