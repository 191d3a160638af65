// SPDX-License-Identifier: Apache-2.0
#include "proxy/walk.h"

#include <utility>

namespace gatelab::proxy {
namespace {

bool is_limit(const policy::Policy& policy) noexcept {
  return policy.phase() == policy::Phase::PreLimit || policy.phase() == policy::Phase::Limit;
}

}  // namespace

Walk::Walk(std::span<const policy::Policy* const> policies, policy::Input& input, policy::Scratch& scratch,
           observe::Record& record) noexcept
    : policies_(policies), input_(input), current_(scratch), record_(record),
      memory_(input.arena.array<policy::Scratch>(policies.size())) {}

Walk::End Walk::run() noexcept {
  for (; next_ < policies_.size(); ++next_) {
    const policy::Policy& policy = *policies_[next_];
    current_ = memory_[next_];
    stepped_ = next_ + 1;
    if (clock_ != nullptr && !std::exchange(resumes_, false)) begun_ = clock_->io_now();
    step_ = policy.step(input_);
    memory_[next_] = current_;
    input_.effect_done = false;
    if (step_.verdict == policy::Verdict::Need) {
      resumes_ = true;
      return End::Effect;
    }
    if (step_.verdict == policy::Verdict::Continue) {
      note(policy, step_.outcome);
      continue;
    }
    if (policy.mode == policy::Policy::Mode::Observe) {
      note(policy, observe::Outcome::Observe);
      continue;
    }
    note(policy, step_.outcome);
    if (is_limit(policy) && step_.outcome == observe::Outcome::Deny) undo_limits();
    return step_.verdict == policy::Verdict::Respond ? End::Answer : End::Abort;
  }
  return End::Through;
}

void Walk::note(const policy::Policy& policy, observe::Outcome outcome) noexcept {
  observe::Decision decision;
  decision.policy = policy.kind();
  decision.id = policy.id;
  decision.place = policy.place;
  decision.reason = step_.reason;
  decision.detail = step_.detail;
  decision.phase = policy.phase();
  decision.outcome = outcome;
  record_.decisions.add(decision);
  if (clock_ != nullptr) record_.timings.add({policy.phase(), begun_ - origin_, clock_->io_now() - origin_, static_cast<std::int32_t>(record_.decisions.size()) - 1});
}

template <class F>
void Walk::each_reverse(std::size_t from, F&& call) noexcept {
  for (std::size_t i = from; i-- > 0;) {
    current_ = memory_[i];
    call(*policies_[i]);
    memory_[i] = current_;
  }
}

// Limits of one request are charged all or none: the one that refused has charged nothing, those before it give back.
void Walk::undo_limits() noexcept {
  each_reverse(next_, [this](const policy::Policy& policy) {
    if (is_limit(policy)) policy.undo(input_);
  });
}

void Walk::on_response(policy::ResponseInput& response) noexcept {
  each_reverse(stepped_, [&response](const policy::Policy& policy) {
    if (policy.has_on_response()) policy.on_response(response);
  });
}

bool Walk::has_on_response() const noexcept {
  for (std::size_t i = 0; i < stepped_; ++i)
    if (policies_[i]->has_on_response()) return true;
  return false;
}

void Walk::on_end(const observe::Record& record) noexcept {
  each_reverse(stepped_, [this, &record](const policy::Policy& policy) { policy.on_end(input_, record); });
}

}  // namespace gatelab::proxy
