// SPDX-License-Identifier: Apache-2.0
// What `run` does, for commands that do more beside it. Main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "io/tap.h"
#include "observe/record.h"

namespace gatelab::cli {

struct ServeOptions {
  std::string config = "gateway.yaml";
  std::uint32_t workers = 0;
  std::uint64_t seed = 0;
  std::string grace = "30s";
  std::string idp;
  bool no_watch = false;
  io::Tap* tap = nullptr;  // must outlive serve()
  std::function<void(const observe::Record&)> on_record;
  std::function<void()> on_failed_start;  // nothing was served, and the process may end behind it
};

// Until SIGTERM or SIGINT; the command's exit code.
int serve(ServeOptions& options);

}  // namespace gatelab::cli
