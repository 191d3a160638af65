// SPDX-License-Identifier: Apache-2.0
// `gatelab replay`: a scenario made of what the command line says, and run. One call is one run; call from one thread.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "harness/runner.h"

namespace gatelab::harness {

struct ReplayOptions {
  std::string from, gateway;                  // files
  std::string url;                            // instead of `gateway`: one that runs already
  std::string against;                        // another configuration; empty: the recording
  std::string path, method;                   // a regular expression, a method; empty: any
  std::vector<std::string> exchanges;         // ids; empty: any
  std::string pace = "recorded", upstreams;   // empty: recorded if they were
  std::string remint;
  std::vector<std::pair<std::string, std::string>> secrets;  // mark, and the name of the variable that has the text
  std::vector<std::string> ignore_headers, ignore_json, unordered;
  std::uint32_t learn = 0;
  bool skip_left_out = false;
  bool allow_unused_masks = false;
  bool shrink = false;
  std::string rerun;                          // the command line
};

// With what the command line leaves to the recording; a file that can't be read is no error here.
ReplayOptions said_in_full(ReplayOptions options, io::Files& files);
// A ready scenario, which does what these say if they are said in full.
std::string scenario_of(const ReplayOptions& options);

// What failed goes to `out`, with `shrink` a scenario of the smallest list that differs in the same way, and what failed to `err`.
TestSummary run_replay(const ReplayOptions& replay, const TestOptions& options, io::Files& files, std::ostream& out, std::ostream& err);

}  // namespace gatelab::harness
