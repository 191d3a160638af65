// SPDX-License-Identifier: Apache-2.0
// One case, from a fresh engine to its verdict.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/runner.h"
#include "harness/scenario/file.h"

namespace gatelab::harness {

struct Failure {
  diag::Span span;                  // what was expected
  std::string message;              // "got 200"
  std::string step;                 // its name, or "" ; "(3rd of 10)" for repeated ones
  std::vector<std::string> trace;   // what happened to the request
  std::string hint;
  std::vector<std::string> stubs{};  // those that did not answer, as a table
};

struct CaseResult {
  std::vector<Failure> failures;
  std::uint64_t seed = 1;
  std::size_t expectations = 0;     // that were looked at
  Duration virtual_time{};
  std::uint64_t trace = 0;          // of events and of what was said: equal for equal seeds
  std::set<std::uint32_t> used_stubs;  // where they stand
  std::set<std::string> used_credentials;
  std::size_t replayed = 0;         // exchanges of recordings
  struct Different {
    std::string exchange, signature;
  };
  std::vector<Different> differences;  // of replays
  std::vector<std::string> notes;   // for people who want to know more
  std::vector<std::string> left_out;  // what a replay was told to leave out: a pass says nothing of it
  bool interrupted = false;         // on sockets a step may be given up: the case proves nothing then
  bool ok() const noexcept { return failures.empty(); }
};

// Thread-safe: cases run beside each other.
CaseResult run_case(const File& file, const Case& c, std::uint64_t seed, const TestOptions& options, io::Files& files);

}  // namespace gatelab::harness
