// SPDX-License-Identifier: Apache-2.0
// The step `send`: requests of the scenario's client, and what every side saw of them against what was expected. The runner's
// thread; requests run on the loop of the outside.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/scenario/case_world.h"
#include "harness/scenario/expect.h"
#include "harness/scenario/stream_steps.h"

namespace gatelab::harness {

class SendStep {
 public:
  // `saved`: what steps save, and later ones speak of.
  SendStep(CaseWorld& world, StreamSteps& streams, std::map<std::string, config::Node>& saved) : world_(world), streams_(streams), saved_(saved) {}

  void run(const Step& step);
  // Of what was said until now: equal for equal seeds (docs/time.md).
  std::uint64_t plaintext() const noexcept { return plaintext_; }

 private:
  struct Batch;
  // What was there before the step.
  struct Before {
    std::size_t records, seen;
  };

  const gateway::Bound* listener(const Step& step);
  Send addressed(const Send& send);
  bool secured(const Step& step, const gateway::Bound& bound, const Credential* credential, Secured& out);
  io::Task<void> happen(std::shared_ptr<Batch> batch, const During& during);
  io::Task<void> run_lane(std::shared_ptr<Batch> batch);
  void settle(std::size_t first, const std::vector<Answer>& answers);
  void judge(const Step& step, const Batch& batch, const Before& before);
  void unmatched(const Step& step, const std::vector<Observation>& all, const std::vector<SeenRequest>& seen, std::size_t first_seen);
  void trace(std::string_view text);
  void trace(const Texts& texts);
  void trace(const Answer& answer);
  void trace(const SeenRequest& request);

  CaseWorld& world_;
  StreamSteps& streams_;
  std::map<std::string, config::Node>& saved_;
  std::vector<gateway::Bound> bound_;
  std::map<std::string, std::shared_ptr<crypto::TlsSessions>> sessions_;
  std::uint64_t plaintext_ = 0;
};

}  // namespace gatelab::harness
