// SPDX-License-Identifier: Apache-2.0
// Parameters as values, by their styles (OpenAPI 3.1.0, Style Values; RFC 6570). Pure; any thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "http/fields.h"
#include "policy/openapi/document.h"

namespace gatelab::policy {

// Where a request's parameters stand.
struct ApiRequest {
  std::string_view query;
  const http::Fields& fields;
  std::span<const std::string_view> segments;  // of the path, raw, that are parameters, in their order
  const ApiOperation& operation;
};

// What came of one parameter.
struct ApiValue {
  enum class State : std::uint8_t { Absent, There, Malformed } state = State::Absent;
  json::Document document;  // There: its root is the value
};
ApiValue value_of_parameter(const ApiParameter& parameter, const ApiRequest& request, const schema::Set& set, Arena& arena);
// A header field's, of an answer.
ApiValue value_of_field(const ApiParameter& parameter, const http::Fields& fields, const schema::Set& set, Arena& arena);

}  // namespace gatelab::policy
