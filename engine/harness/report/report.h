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
};

struct RunReport {
  std::string version;
  bool real = false;  // then nothing that depends on time is written
  std::vector<CaseReport> cases;  // in file order
};

// "wrong-aud is refused (row 2)".
std::string title_of(const CaseReport& c);
// The block for one failed case, as at the end of docs/scenarios.md.
std::string failure_text(const CaseReport& c, diag::Colour colour);

std::string to_json(const RunReport& report);
std::string to_junit(const RunReport& report);
std::string to_tap(const RunReport& report);
std::string to_github(const RunReport& report);  // workflow commands: ::error file=…

}  // namespace gatelab::harness
