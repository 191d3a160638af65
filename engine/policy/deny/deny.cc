// SPDX-License-Identifier: Apache-2.0
#include "policy/deny/deny.h"

#include "policy/access_rule.h"

namespace gatelab::policy {
namespace {

class Deny final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "deny"; }
  Phase phase() const noexcept override { return Phase::Authorize; }

  Step step(Input& in) const noexcept override {
    const char* const misfit = rule.misfit(in);
    if (misfit != nullptr) return Step::go_on();
    return policy::deny(in, observe::reason::kDenied, in.detailed ? in.arena.concat("its ", rule.text(), " fit; would pass if one of them did not") : std::string_view());
  }

  AccessRule rule;
};

}  // namespace

std::unique_ptr<Policy> parse_deny(const config::Node& node, Context& context) {
  auto policy = std::make_unique<Deny>();
  if (!policy->rule.parse(node, context, "deny")) return nullptr;
  return policy;
}

}  // namespace gatelab::policy
