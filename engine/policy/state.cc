// SPDX-License-Identifier: Apache-2.0
#include "policy/state.h"

namespace gatelab::policy {

void StateStore::begin() {
  std::lock_guard lock(mutex_);
  used_.clear();
  kept_.clear();
  std::erase_if(states_, [](const auto& entry) { return entry.second.expired(); });
}

StateStore::Report StateStore::report() {
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
