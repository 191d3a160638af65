// SPDX-License-Identifier: Apache-2.0
// Results of a run as text for people and as files for other programs. Pure. The same results give the same octets.
#pragma once

#include <string>
#include <vector>

#include "harness/scenario/run_case.h"

namespace gatelab::harness {

struct CaseReport {
  const File* file = nullptr;
  const Case* of = nullptr;
  CaseResult result;
  bool real = false;   // on sockets
  Duration elapsed{};  // of the user's time; not in reports of virtual time, which are equal for equal seeds
};

// Why a run failed, beside its cases: a file was refused, a stub was never used, it ended before its last case.
struct RunProblem {
  diag::Span span;  // may be nowhere
  std::string message, hint;
};

struct RunReport {
  std::string version;
  bool real = false;  // then nothing that depends on time is written
  std::vector<CaseReport> cases;  // in file order
  std::string shard;              // "2/5"; empty: all of it
  std::size_t left_out = 0;       // selected, and not run: a failure or the user ended the run
  std::vector<RunProblem> problems;
};

std::size_t failed(const RunReport& report);

// "wrong-aud is refused (row 2)".
std::string title_of(const CaseReport& c);
// The block for one failed case, as at the end of docs/scenarios.md.
std::string failure_text(const CaseReport& c, diag::Colour colour);
// What stands at the place of a failure: its line, with a caret under the span and the message beside it.
std::string snippet(const diag::Span& span, const std::string& message, diag::Colour colour);
// "gatelab test a.yaml -k 'a case' --seed 7", for a shell.
std::string rerun_of(const CaseReport& c);

std::string to_json(const RunReport& report);
std::string to_junit(const RunReport& report);
std::string to_tap(const RunReport& report);
std::string to_html(const RunReport& report);    // one page that needs nothing else
std::string to_github(const RunReport& report);  // workflow commands: ::error file=…

}  // namespace gatelab::harness
