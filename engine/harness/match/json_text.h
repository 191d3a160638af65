// SPDX-License-Identifier: Apache-2.0
// JSON that others have written. Values are copied, compared and written by functions that call themselves: what is nested too
// deep would take the stack. Pure, any thread.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

namespace gatelab::harness {

inline constexpr int kMostNested = 200;  // arrays and objects in each other

// Of a text that may be no JSON at all.
bool is_nested_too_deep(std::string_view text) noexcept;

// Discarded where it is no JSON, or nested too deep.
template <class Json = nlohmann::json>
Json parse_json_text(std::string_view text) {
  return is_nested_too_deep(text) ? Json(Json::value_t::discarded) : Json::parse(text, nullptr, false);
}

}  // namespace gatelab::harness
