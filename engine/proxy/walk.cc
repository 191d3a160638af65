// SPDX-License-Identifier: Apache-2.0
#include "proxy/walk.h"

#include <utility>

#include "policy/condition.h"

namespace gatelab::proxy {
namespace {

bool is_limit(const policy::Policy& policy) noexcept {
  return policy.phase() == policy::Phase::PreLimit || policy.phase() == policy::Phase::Limit;
}

}  // namespace

Walk::Walk(std::span<const policy::Policy* const> policies, policy::Input& input, policy::Scratch& scratch,
           observe::Record& record) noexcept
    : policies_(policies), input_(input), current_(scratch), record_(record),
      places_(input.arena.array<Place>(policies.size())) {}

Walk::End Walk::run() noexcept {
  for (; next_ < policies_.size(); ++next_) {
    const policy::Policy& policy = *policies_[next_];
    current_ = places_[next_].scratch;
    stepped_ = next_ + 1;
    if (!std::exchange(resumes_, false)) {
      if (clock_ != nullptr) begun_ = clock_->io_now();
      if (policy.condition && leaves_out(policy)) continue;
    }
    step_ = policy.step(input_);
    places_[next_].scratch = current_;
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

bool Walk::leaves_out(const policy::Policy& policy) noexcept {
  if (policy.condition->holds(input_)) return false;
  places_[next_].is_left_out = true;
  policy.untell(input_);
  step_ = policy::Step::skip(input_.detailed ? policy.condition->misfit(input_) : std::string_view());
  note(policy, step_.outcome);
  return true;
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
    if (places_[i].is_left_out) continue;
    current_ = places_[i].scratch;
    call(*policies_[i]);
    places_[i].scratch = current_;
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
    if (!places_[i].is_left_out && policies_[i]->has_on_response()) return true;
  return false;
}

void Walk::on_end(const observe::Record& record) noexcept {
  each_reverse(stepped_, [this, &record](const policy::Policy& policy) { policy.on_end(input_, record); });
}

}  // namespace gatelab::proxy
