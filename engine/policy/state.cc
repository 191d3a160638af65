// SPDX-License-Identifier: Apache-2.0
#include "policy/state.h"

#include <algorithm>

namespace gatelab::policy {

void ChangeFlag::set() noexcept {
  if (set_.load(std::memory_order_relaxed) || set_.exchange(true, std::memory_order_acq_rel)) return;
  std::lock_guard lock(mutex_);
  if (call_) call_();
}

void ChangeFlag::when_set(std::function<void()> call) {
  std::lock_guard lock(mutex_);
  call_ = std::move(call);
}

void StateStore::begin() {
  std::lock_guard lock(mutex_);
  used_.clear();
  kept_.clear();
  agreed_.clear();
  std::erase_if(states_, [](const auto& entry) { return entry.second.expired(); });
}

void StateStore::agree(const std::string& id, const std::string& said, std::string_view what, const diag::Span& span, diag::Sink& sink) {
  std::lock_guard lock(mutex_);
  const auto [first, fresh] = agreed_.try_emplace(id, said, span);
  if (fresh || first->second.first == said) return;
  diag::Diagnostic d;
  d.id = "shared-differs";
  const std::size_t space = std::min(id.find(' '), id.size());  // "bucket search"
  d.message = "two policies count in one " + id.substr(0, space) + ", `" + id.substr(std::min(id.size(), space + 1)) + "`, and don't say the same of it";
  d.span = span;
  d.related.push_back({first->second.second, "the other is here"});
  d.hint = std::string(what) + " must be the same in both";
  sink.report(std::move(d));
}

std::vector<std::pair<std::string, std::shared_ptr<State>>> StateStore::alive() {
  std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, std::shared_ptr<State>>> out;
  for (const auto& [key, state] : states_)
    if (auto held = state.lock()) out.emplace_back(key.first, std::move(held));
  return out;
}

StateStore::Report StateStore::report() {
  for (const auto& [id, state] : alive())
    if (used_.count(id) > 0) state->in_force();
  std::lock_guard lock(mutex_);
  Report out;
  out.kept.assign(kept_.begin(), kept_.end());
  for (const std::string& id : in_force_) {
    if (used_.count(id) == 0) out.removed.push_back(id);
    else if (kept_.count(id) == 0) out.reset.push_back(id);
  }
  in_force_ = used_;
  return out;
}

}  // namespace gatelab::policy
