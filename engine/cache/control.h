// SPDX-License-Identifier: Apache-2.0
// Which field of a response a cache obeys: the first of its target list that is there, can be read and says something (RFC
// 9213 §2.2), else Cache-Control and Expires. Pure, any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cache/directives.h"

namespace gatelab::cache {

struct Control {
  ResponseDirectives directives;
  std::string_view source;  // the name of the field, as the target list has it; empty: there is none
  bool targeted = false;    // then Cache-Control and Expires mean nothing
};

// `targets`: names in order, the most applicable first. Views of the fields, of `targets` or the arena.
Control response_control(const http::Fields& response, std::span<const std::string> targets, Arena& arena) noexcept;

}  // namespace gatelab::cache
