// SPDX-License-Identifier: Apache-2.0
// What `gatelab load` stands on: generators on threads of their own, and, if a configuration is to be loaded, its gateway and
// mocks on others. Main thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/mocks.h"
#include "gateway/gateway.h"
#include "harness/load/generate.h"
#include "harness/load/served.h"
#include "io/real.h"

namespace gatelab::cli {

// Set by the first SIGINT or SIGTERM; the second one ends the program.
void watch_load_signals();
bool load_interrupted() noexcept;

// Where requests go: a gateway that runs in here, or one that runs elsewhere.
class LoadTarget {
 public:
  virtual ~LoadTarget() = default;
  const harness::load::Target& target() const noexcept { return target_; }
  // "host:port" for Host, and the path and query that a URL named; "/" else.
  const std::string& authority() const noexcept { return authority_; }
  const std::string& path() const noexcept { return path_; }
  // What its targets did so far; nothing of a gateway that runs elsewhere.
  virtual harness::load::ServedAll served() const { return {}; }

 protected:
  harness::load::Target target_;
  std::string authority_, path_ = "/";
};

struct LoadTls {
  bool insecure = false;
  std::string ca;  // a file; empty: the system's
};

// `named`: a URL, or a file of a gateway. Null after a complaint; `exit` says how the program ends then.
std::unique_ptr<LoadTarget> open_load_target(const std::string& named, const LoadTls& tls, std::uint32_t workers, int& exit);

class LoadThreads {
 public:
  LoadThreads(std::uint32_t threads, std::uint64_t seed);
  ~LoadThreads();
  // Blocks; `look` is called about ten times a second, with the time since the round began.
  harness::load::Round run(const harness::load::Load& load, const harness::load::Target& target, std::uint32_t round, const std::function<void(Duration, harness::load::Progress&)>& look);

 private:
  io::RealWorld world_;
  harness::load::Generators generators_;
};

}  // namespace gatelab::cli
