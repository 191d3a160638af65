// SPDX-License-Identifier: Apache-2.0
// What a client is told of a message that is not as its schema has it: the places, in a problem document (RFC 9457). Bounded, whatever
// names the client has chosen.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/policy.h"
#include "schema/schema.h"

namespace gatelab::policy {

// Where the value stood: body, query, headers…
struct InvalidPart {
  std::string_view in;  // a literal
  schema::Failure failure;
};

// A refusal for `reason`, with `errors` and the first of them in `detail`. `failures` is not empty.
Step refuse_invalid(Input& in, const observe::Reason& reason, const std::vector<InvalidPart>& failures) noexcept;
// "/lines/0/sku: is missing", cut where it is long.
std::string first_of(const std::vector<InvalidPart>& failures);

}  // namespace gatelab::policy
