// SPDX-License-Identifier: Apache-2.0
// Expectations of one answer, or of many, against what happened. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/scenario/client.h"
#include "harness/scenario/run_case.h"
#include "observe/record.h"

namespace gatelab::harness {

// One request as every side saw it.
struct Observation {
  Answer answer;
  const observe::OwnedRecord* record = nullptr;  // null: the gateway logged none
  const std::string* log_line = nullptr;         // its access-log line as JSON
  std::vector<const SeenRequest*> upstream;      // what reached mocks for it
};

// Adds what failed to `result` and counts what was looked at.
void check_answer(const Expect& expect, const Observation& seen, const std::string& step, CaseResult& result);
void check_totals(const Totals& totals, const std::vector<Observation>& all, const std::string& step, CaseResult& result);
// The gateway's decisions and attempts, for people.
std::vector<std::string> trace_of(const Observation& seen);

}  // namespace gatelab::harness
