// SPDX-License-Identifier: Apache-2.0
// The step `replay`: a recording, sent again, and its answers held against the recorded ones or those of another configuration.
// The runner's thread.
#pragma once

#include <vector>

#include "harness/replay/compare.h"
#include "harness/replay/difference_text.h"
#include "harness/replay/redact.h"
#include "harness/scenario/player.h"

namespace gatelab::harness {

class ReplayStep {
 public:
  explicit ReplayStep(CaseWorld& world) : world_(world), redactor_("compared, and never written") {}
  void run(const Step& step);
  // Of what was said until now: equal for equal seeds (docs/time.md).
  std::uint64_t plaintext() const noexcept { return plaintext_; }

 private:
  void unanswered(const Replay& replay, const std::vector<const RecordedExchange*>& exchanges);
  void tell_marks(const Replay& replay, const std::vector<const RecordedExchange*>& exchanges);
  bool playable(const Replay& replay, std::vector<const RecordedExchange*>& out);
  void vacuous(const Replay& replay, const Player& player);
  // A world of its own for these exchanges, behind `gateway`. False: it failed, and so has the case.
  bool elsewhere(const Replay& replay, const std::string& gateway, std::uint64_t seed, const std::vector<const RecordedExchange*>& exchanges, std::vector<Played>& out);
  void compare(const Replay& replay, const std::vector<const RecordedExchange*>& exchanges, const std::vector<Played>& now);
  void judge(const Replay& replay, const Comparison& comparison, const std::vector<DifferentExchange>& different, std::size_t compared);
  ComparedAnswer recorded(const RecordedExchange& exchange) const;
  ComparedAnswer seen(const Answer& answer, bool marks) const;
  void trace(const Answer& answer);

  CaseWorld& world_;
  Redactor redactor_;
  std::uint64_t plaintext_ = 0;
};

}  // namespace gatelab::harness
