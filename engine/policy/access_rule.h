// SPDX-License-Identifier: Apache-2.0
// Whom allow and deny speak of: every key that is given must fit, and of its list one. Immutable once parsed; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/cidr.h"
#include "policy/catalog.h"
#include "policy/jwt/claim_rule.h"

namespace gatelab::policy {

class AccessRule {
 public:
  // Null: everything fits; else the key that does not.
  const char* misfit(const Input& in) const noexcept;
  // For people: "consumers a, b; methods GET".
  const std::string& text() const noexcept { return text_; }

  // Reports; false if it is wrong or says nothing.
  bool parse(const config::Node& node, const Context& context, std::string_view kind);
  // Who calls and from where, of a map that says more besides: consumers, groups, scopes, claims, addresses. Reports.
  void read_who(config::Reader& r, const Context& context);

 private:
  void check_names(config::Reader& r, const Context& context);
  std::vector<std::string> consumers_, groups_, scopes_, methods_;
  std::vector<ClaimRule> claims_;
  AddressSet addresses_;
  bool any_address_ = true;
  std::string text_;
};

}  // namespace gatelab::policy
