// SPDX-License-Identifier: Apache-2.0
// Text with values of the request in it: ${claims.sub}, ${request.header.X-Tag:none} (docs/policies/templates.md). Read once,
// rendered for each request into its arena. Immutable; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diag/diagnostic.h"
#include "policy/policy.h"

namespace gatelab::policy {

// A claim as text: a list's scalars with commas between them; an object is nothing. Lives as long as claim and arena.
std::string_view claim_text(const crypto::JsonValue& claim, Arena& arena) noexcept;

// What earlier calls for the same request were answered, by the names that the policy aggregate gives its parts:
// ${part.user/address/city}. One request's; its thread.
class PartValues {
 public:
  // Empty: there is no such value, or it is an object. Lives as long as `arena`.
  virtual std::string_view part_value(std::string_view part, std::string_view pointer, Arena& arena) const noexcept = 0;

 protected:
  ~PartValues() = default;
};

class Template {
 public:
  // Nothing rendered is longer, in octets; what would be is cut off at the value that does not fit.
  static constexpr std::size_t kMost = 8 * 1024;

  // Reports (bad-template) and gives nullopt where a reference is none. `$${` stands for `${`. `parts`: names that ${part.NAME/…}
  // may speak of; null: there are no parts.
  static std::optional<Template> parse(std::string_view text, const diag::Span& span, diag::Sink& sink, const std::vector<std::string>* parts = nullptr);

  // A value that is not there is its default, or nothing. The result lives as long as the arena and this template.
  std::string_view render(const Input& in) const noexcept;
  // As part of a path: values are percent-encoded so that each stays within its segment; request.path and what the route's
  // template has taken of it stand there as they came. False: a value is not there, or all of it is longer than kMost; `why` says so.
  bool append_to_path(std::string& out, const Input& in, std::string_view& why) const noexcept;
  // As part of a query: values are percent-encoded whole, so that none makes another parameter. False: as of append_to_path().
  bool append_to_query(std::string& out, const Input& in, std::string_view& why) const noexcept;
  // Adds the names of the parts whose values it needs.
  void add_parts(std::vector<std::string_view>& out) const;
  // With an `x` for each value.
  std::string sample() const;
  bool is_literal() const noexcept { return parts_.size() <= 1 && (parts_.empty() || parts_.front().kind == Kind::Text); }

 private:
  enum class Kind : std::uint8_t { Text, Method, Path, Query, Host, Scheme, Header, Parameter, Cookie, RouteParameter, Route, Client, Consumer, Principal, Claim, Part };
  struct Part {
    Kind kind = Kind::Text;
    std::string name;      // the text itself, or of what
    std::string fallback;
  };
  struct Word {
    std::string_view word;
    Kind kind;
    bool named;  // behind it stands a name: request.header.NAME
  };
  static const Word* find(std::string_view reference, std::string_view& name) noexcept;
  bool append_encoded(std::string& out, const Input& in, std::string_view& why, bool keeps_segments) const noexcept;
  static std::string_view value(const Part& part, const Input& in) noexcept;
  std::vector<Part> parts_;
};

}  // namespace gatelab::policy
