// SPDX-License-Identifier: Apache-2.0
// What a route asks of a claim: a scalar must be equal, a list names what it may be, a map holds predicates. Pure.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/reader.h"
#include "crypto/claims.h"

namespace re2 {
class RE2;
}

namespace gatelab::policy {

class ClaimRule {
 public:
  ClaimRule();
  ~ClaimRule();
  ClaimRule(ClaimRule&&) noexcept;
  ClaimRule& operator=(ClaimRule&&) noexcept;

  bool holds(const crypto::Claims& claims) const noexcept;
  // For people: "tenant equals acme".
  const std::string& text() const noexcept { return text_; }

  // One entry of `claims:`. Reports; nullopt if it is wrong.
  static std::optional<ClaimRule> parse(const config::Entry& entry, diag::Sink& sink);
  // All of `claims:`; null: there are none. Reports.
  static std::vector<ClaimRule> parse_all(const config::Node* claims, diag::Sink& sink);

 private:
  struct Scalar {
    crypto::JsonKind kind = crypto::JsonKind::Text;
    std::string text;  // of a number: as written
    double number = 0;
    bool is(const crypto::JsonValue& value) const noexcept;
  };
  static std::optional<Scalar> scalar(const config::Node& node, diag::Sink& sink, const std::string& what);
  bool predicate(config::Reader& r, const std::string& what, diag::Sink& sink);

  std::string path_, text_;
  std::optional<bool> present_;
  std::vector<Scalar> one_of_;    // empty: anything
  std::vector<Scalar> includes_;  // a list that holds all of these
  std::optional<double> ge_, le_;
  std::unique_ptr<re2::RE2> matches_;
};

}  // namespace gatelab::policy
