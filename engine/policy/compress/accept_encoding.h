// SPDX-License-Identifier: Apache-2.0
// Which content coding an answer goes out in, by Accept-Encoding (RFC 9110 §12.5.3). Pure; any thread.
#pragma once

#include <span>

#include "coding/coder.h"
#include "http/fields.h"

namespace gatelab::policy {

struct Accepted {
  int coding = -1;                // index into what is offered; -1: identity
  bool refuses_identity = false;  // `identity;q=0`, or `*;q=0` without it
};
// `offered` in the order in which they are liked: of those that the client likes equally, the first. Whoever sends no such field
// gets identity; so does whoever likes it better.
Accepted accept_encoding(const http::Fields& fields, std::span<const coding::Coding> offered) noexcept;

}  // namespace gatelab::policy
