// SPDX-License-Identifier: Apache-2.0
// The step `load`: rounds of requests at the case's gateway, and a verdict. Generators are threads of their own on sockets,
// and a loop of the simulation in virtual time. The runner's thread.
#pragma once

#include <memory>

#include "harness/load/generate.h"
#include "harness/load/result.h"
#include "harness/scenario/case_world.h"
#include "harness/scenario/load_spec.h"

namespace gatelab::harness {

class LoadStep {
 public:
  explicit LoadStep(CaseWorld& world) : world_(world) {}
  void run(const Step& step);

 private:
  struct Round;
  bool aim(const Step& step, load::Target& target, load::Load& load);
  bool make_flows(const LoadSpec& spec, const gateway::Bound& bound, load::Load& load);
  bool one_round(const Step& step, const load::Generators& generators, const load::Load& load, const load::Target& target, std::uint32_t number, load::Outcome& outcome);
  io::Task<void> happen(std::shared_ptr<Round> round, const During& during, Instant at);
  void judge(const Step& step, const load::Outcome& outcome);
  // What was there before the step.
  struct Before {
    std::size_t seen, unmatched;
  };
  void unmatched(const Step& step, const Before& before);

  CaseWorld& world_;
};

}  // namespace gatelab::harness
