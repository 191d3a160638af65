// SPDX-License-Identifier: Apache-2.0
// The recordings that a scenario replays, read and checked before anything runs. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "harness/scenario/file.h"
#include "io/environment.h"

namespace gatelab::harness {

class Recordings {
 public:
  explicit Recordings(const io::Files& files) : files_(files) {}
  // Gives every `replay` of the file its recording, and worlds that start with one their start. Reports.
  void load(File& file, diag::Sink& sink);
  // The time of a world that starts with what is replayed: of its first exchange.
  static void set_start(Case& of);

 private:
  std::shared_ptr<const Recording> read(const std::string& path, const diag::Span& span, diag::Sink& sink);
  void load(const File& file, Replay& replay, diag::Sink& sink);

  const io::Files& files_;
  std::map<std::string, std::shared_ptr<const Recording>> read_;  // null: refused, which has been told
};

}  // namespace gatelab::harness
