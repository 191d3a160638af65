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

class Template {
 public:
  // Nothing rendered is longer, in octets; what would be is cut off at the value that does not fit.
  static constexpr std::size_t kMost = 8 * 1024;

  // Reports (bad-template) and gives nullopt where a reference is none. `$${` stands for `${`.
  static std::optional<Template> parse(std::string_view text, const diag::Span& span, diag::Sink& sink);

  // A value that is not there is its default, or nothing. The result lives as long as the arena and this template.
  std::string_view render(const Input& in) const noexcept;
  // As part of a path: values are percent-encoded so that each stays within its segment; request.path and what the route's
  // template has taken of it stand there as they came. False: a value is not there, or all of it is longer than kMost; `why` says so.
  bool append_to_path(std::string& out, const Input& in, std::string_view& why) const noexcept;
  // With an `x` for each value.
  std::string sample() const;
  bool is_literal() const noexcept { return parts_.size() <= 1 && (parts_.empty() || parts_.front().kind == Kind::Text); }

 private:
  enum class Kind : std::uint8_t { Text, Method, Path, Query, Host, Scheme, Header, Parameter, Cookie, RouteParameter, Route, Client, Consumer, Principal, Claim };
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
  static std::string_view value(const Part& part, const Input& in) noexcept;
  std::vector<Part> parts_;
};

}  // namespace gatelab::policy
