// SPDX-License-Identifier: Apache-2.0
// The step `load` as checked values. Immutable once parsed; any thread.
#pragma once

#include <string>
#include <vector>

#include "harness/load/judge.h"
#include "harness/scenario/file.h"

namespace gatelab::harness {

struct LoadRequest {
  Send send;
  std::vector<std::uint16_t> expected;  // empty: all under 400
  diag::Span span;
};

struct LoadFlow {
  double weight = 1;
  std::vector<LoadRequest> requests;
};

struct LoadSpec {
  load::Load plan;  // but for flows and data, which are made when the step runs
  std::vector<LoadFlow> flows;
  std::string data;  // a file, beside the scenario
  diag::Span data_span;
  std::uint32_t rounds = 1, threads = 1;
  std::vector<During> during;
  std::vector<load::Threshold> thresholds;
  double confidence = 0.95;
  bool pass_inconclusive = false;
};

// load_step.cc needs a step's totals as thresholds, which are not matched but judged. Reports.
void parse_load_step(Step& step, const config::Node& node, config::Reader& r, const World& world, diag::Sink& sink);

}  // namespace gatelab::harness
