// SPDX-License-Identifier: Apache-2.0
// Two configurations, the same requests, and where their answers part: the door of `gatelab diff`. One call is one run.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/diff/compare.h"
#include "harness/replay/replay.h"
#include "io/environment.h"

namespace gatelab::harness::diff {

struct Options {
  std::uint64_t seed = 1;
  std::size_t explore = 5'000;         // probes, at most
  bool combine = true;                 // two of them at once, as long as that is not reached
  std::vector<std::string> scenarios;  // files and directories: what they send; empty: none
  diag::SourcePtr traffic;             // a recording, HAR, access log, …; null: none
  std::vector<Replay::Secret> secrets; // that are put back into it
  std::uint32_t jobs = 1;
  config::EnvSource env;
  const io::Files* files = nullptr;
  std::function<bool()> interrupted;   // asked between probes; may be null
};

// Requests whose answers part in the same way.
struct Group {
  Ending a, b;
  std::size_t count = 0;
  // Of the first of them:
  std::string about;                    // what it was sent for
  Probe probe;                          // up to and with it
  std::vector<Difference> differences;
  std::vector<std::string> trace_a, trace_b;
};

struct Report {
  std::size_t probes = 0, requests = 0, different = 0;
  std::size_t marked = 0, marked_refused = 0;  // requests whose secrets had been taken out, and those of them that both refuse with 401 or 403
  std::vector<Group> groups;            // as they were met
  std::vector<std::string> notes;       // what was not compared, and why
  Tokens tokens;
  References references;                // what a probe's texts are printed with; all other texts here have them already
  Origin origin_a;                      // of curl commands: A's first listener; printed as probes are
  bool interrupted = false;
};

// All that has to do with credentials was refused by both: nothing is known of what lies behind.
inline bool is_vacuous(const Report& r) noexcept { return r.different == 0 && r.marked > 0 && r.marked == r.marked_refused; }

// nullopt: a file was refused, the sinks say why, or `problem` does: nothing can be sent.
std::optional<Report> run(const diag::SourcePtr& a, const diag::SourcePtr& b, const Options& options, diag::Sink& of_a, diag::Sink& of_b, diag::Sink& of_requests, std::string& problem);

std::string as_text(const Report& report, const std::string& name_a, const std::string& name_b, diag::Colour colour);
std::string as_json(const Report& report, const std::string& name_a, const std::string& name_b);

}  // namespace gatelab::harness::diff
