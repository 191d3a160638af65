// SPDX-License-Identifier: Apache-2.0
// `if` beside a policy: which requests it has to do with at all. A route's words (`match`), those of allow and deny, and `not`.
// Looked at when the policy's turn comes, on the request as it is then. Immutable; any thread.
#pragma once

#include <memory>
#include <string_view>

#include "policy/access_rule.h"
#include "policy/when.h"

namespace gatelab::policy {

class Condition {
 public:
  bool holds(const Input& in) const noexcept;
  // Why it does not hold, in the arena. For people: allocates.
  std::string_view misfit(const Input& in) const;
  // It looks at who calls: somebody has to have found that out.
  bool asks_who() const noexcept { return asks_who_; }

  // For a policy of this kind and phase. Null: reported.
  static std::shared_ptr<const Condition> parse(const config::Node& node, std::string_view kind, Phase phase, const Context& context);

 private:
  When when_;
  AccessRule who_;
  std::shared_ptr<const Condition> not_;  // null: none
  bool asks_who_ = false;
};

}  // namespace gatelab::policy
