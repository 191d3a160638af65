// SPDX-License-Identifier: Apache-2.0
// How much of its rate one request uses up: `cost` of rate-limit. Immutable once parsed; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "config/reader.h"
#include "http/message.h"

namespace gatelab::policy {

struct Cost {
  enum class From : std::uint8_t { Constant, Request, Response };
  From from = From::Constant;
  std::string header;         // of the request or the answer
  std::uint64_t usual = 1;    // where the field is missing; what a request costs until its answer says more
  std::uint64_t most = 1;     // never more than this

  // What is charged before the request goes on: at least 1.
  std::uint64_t before(const http::Fields& request) const noexcept;
  // What the answer says that it cost, perhaps nothing; `usual` if it doesn't say.
  std::uint64_t after(const http::Fields& answer) const noexcept;
};

// The value of `cost`. Reports; what it returns can be used all the same.
Cost parse_cost(const config::Node& node, diag::Sink& sink);

}  // namespace gatelab::policy
