// SPDX-License-Identifier: Apache-2.0
// Which requests a policy speaks of: `when`, in the words of a route's `match`, or short: GET /orders/*. Immutable; any thread.
#pragma once

#include <memory>
#include <string_view>

#include "policy/policy.h"
#include "route/table.h"

namespace gatelab::policy {

class When {
 public:
  bool fits(const Input& in) const noexcept;
  bool is_always() const noexcept { return table_ == nullptr; }
  // Null: every request. Reports.
  static When parse(const config::Node* node, std::string_view kind, diag::Sink& sink);

 private:
  std::shared_ptr<const route::Table> table_;  // of one; null: everything fits
};

}  // namespace gatelab::policy
