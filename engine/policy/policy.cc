// SPDX-License-Identifier: Apache-2.0
#include "policy/policy.h"

#include <algorithm>

namespace gatelab::policy {

bool Consumer::in_group(std::string_view group) const noexcept { return std::find(groups.begin(), groups.end(), group) != groups.end(); }

bool Consumer::in_any_of(const std::vector<std::string>& wanted) const noexcept {
  return std::any_of(wanted.begin(), wanted.end(), [this](const std::string& group) { return in_group(group); });
}

std::string_view Input::parameter(std::string_view name) const noexcept {
  for (const auto& [key, value] : parameters)
    if (key == name) return value;
  return {};
}

Step deny(Input& in, const observe::Reason& reason, std::string_view detail) noexcept {
  Step step;
  step.verdict = Verdict::Respond;
  step.outcome = Outcome::Deny;
  step.reason = reason.word;
  step.detail = detail;
  step.answer = in.arena.make<Answer>(in.arena);
  step.answer->status = reason.status;
  return step;
}

Step unavailable(Input& in, const observe::Reason& reason, std::string_view detail) noexcept {
  Step step = deny(in, reason, detail);
  step.outcome = Outcome::Error;
  step.answer->fields.add(http::FieldId::RetryAfter, "Retry-After", "1");
  return step;
}

}  // namespace gatelab::policy
