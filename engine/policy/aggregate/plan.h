// SPDX-License-Identifier: Apache-2.0
// What one aggregate policy says: its parts, and what becomes of those that fail. Immutable; any thread, off the loop too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "json/document.h"
#include "json/pointer.h"
#include "policy/catalog.h"
#include "policy/json/value.h"
#include "policy/policy.h"
#include "policy/statuses.h"
#include "policy/template.h"
#include "policy/when.h"

namespace gatelab::policy {

// What the answer is without a part.
enum class OnFailure : std::uint8_t {
  Fail,     // none: 502 or 504
  Pass,     // the part's own, if it has one
  Omit,     // the others'
  Null,     // likewise, with null in its place
  Default,  // likewise, with `fallback` in its place
};

struct AggregatePart {
  std::string name;
  std::int32_t upstream = -1;
  std::string method = "GET";
  Template path;
  std::optional<Template> query;
  std::vector<std::pair<std::string, Template>> headers;
  std::optional<JsonNewValue> body;
  When when;
  Duration timeout{};               // zero: as long as all of it may take
  std::size_t max_size = 0;         // octets of its answer
  std::optional<Statuses> accepted; // none: every 2xx
  std::optional<json::Pointer> pick;
  json::Pointer at;                 // its place in the answer
  OnFailure on_failure = OnFailure::Fail;
  std::string fallback;             // JSON
  std::unique_ptr<Policy> cache;    // null: none
  std::vector<std::size_t> after;   // parts whose values it needs
  bool is_read = false;             // others need its values
};

struct AggregatePlan {
  static constexpr std::size_t kMostParts = 32;
  static constexpr json::Limits kLimits{128, 1'000'000};  // of each part

  std::vector<AggregatePart> parts;      // in file order
  Duration timeout{};                    // of all of it
  std::optional<json::Pointer> errors;   // where the answer says which parts it is without; none: it does not
  std::size_t find(std::string_view name) const noexcept {
    std::size_t i = 0;
    while (i < parts.size() && parts[i].name != name) ++i;
    return i;
  }
};

// Reports. Null if it was wrong.
std::shared_ptr<const AggregatePlan> parse_plan(const config::Node& node, Context& context);

}  // namespace gatelab::policy
