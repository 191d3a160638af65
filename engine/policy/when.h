// SPDX-License-Identifier: Apache-2.0
// Which requests a policy speaks of: `when`, in the words of a route's `match`, or short: GET /orders/*. Immutable; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "policy/policy.h"
#include "route/table.h"

namespace gatelab::policy {

class When {
 public:
  bool fits(const Input& in) const noexcept;
  bool is_always() const noexcept { return table_ == nullptr; }
  // The first criterion that a request which does not fit fails: "method", "header X-Beta". For people: allocates.
  std::string misfit(const Input& in) const;
  // Null: every request. Reports.
  static When parse(const config::Node* node, std::string_view kind, diag::Sink& sink);
  // The same keys of a map that says more besides; the caller finishes the reader.
  static When parse(config::Reader& r);
  // What a short form spells out as: { methods: GET, path: /orders/* }. Nullopt: reported.
  static std::optional<config::Node> spelt_out(const config::Node& text, diag::Sink& sink);

 private:
  std::shared_ptr<const route::Table> table_;  // of one; null: everything fits
};

}  // namespace gatelab::policy
