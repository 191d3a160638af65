// SPDX-License-Identifier: Apache-2.0
#include "policy/allow/allow.h"

#include "policy/access_rule.h"

namespace gatelab::policy {
namespace {

class Allow final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "allow"; }
  Phase phase() const noexcept override { return Phase::Authorize; }

  Step step(Input& in) const noexcept override {
    const char* const misfit = rule.misfit(in);
    if (misfit == nullptr) return Step::go_on();
    return policy::deny(in, observe::reason::kNotAllowed, in.detailed ? in.arena.concat("the ", misfit, " is not one that is allowed; would pass with ", rule.text()) : std::string_view());
  }

  AccessRule rule;
};

}  // namespace

std::unique_ptr<Policy> parse_allow(const config::Node& node, Context& context) {
  auto policy = std::make_unique<Allow>();
  if (!policy->rule.parse(node, context, "allow")) return nullptr;
  return policy;
}

}  // namespace gatelab::policy
