// SPDX-License-Identifier: Apache-2.0
// One route's criteria, compiled. Private to the room. Immutable; any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "route/table.h"

namespace re2 {
class RE2;
}

namespace gatelab::route {

struct CompiledCondition {
  const Condition* condition = nullptr;
  http::FieldId id = http::FieldId::Other;
  std::shared_ptr<re2::RE2> regex;
};

struct Compiled {
  const Spec* spec = nullptr;
  std::int32_t index = -1;
  std::shared_ptr<re2::RE2> path;  // for PathKind::Regex; null if it was refused
  std::vector<CompiledCondition> headers, query;
  std::vector<std::string_view> parameters;  // names, in order
};

Compiled compile(const Spec& spec, std::int32_t index, diag::Sink& sink);

// Each criterion alone. What the table finds is what these say; `explain` and a test hold them together.
bool host_fits(const Match& match, std::string_view host) noexcept;
bool path_fits(const Compiled& route, std::string_view path) noexcept;
bool method_fits(const Match& match, std::string_view method) noexcept;
bool header_fits(const CompiledCondition& c, const http::Fields* fields) noexcept;
bool query_fits(const CompiledCondition& c, std::string_view query, Arena& arena) noexcept;
bool conditions_fit(const Compiled& route, const Request& request, Arena& arena) noexcept;

// Takes the next segment off `rest`, which begins with '/'.
std::string_view next_segment(std::string_view& rest) noexcept;

}  // namespace gatelab::route
