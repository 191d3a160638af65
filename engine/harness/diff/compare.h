// SPDX-License-Identifier: Apache-2.0
// Two accounts of one request, side by side. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/diff/side.h"

namespace gatelab::harness::diff {

// One thing that can be seen of a request, where the sides do not agree. nullopt: there is none on that side.
struct Difference {
  std::string what;  // "status", "header Retry-After", "upstream 1: header Host"
  std::optional<std::string> a, b;
};

// How a request ended: what differences are grouped by.
struct Ending {
  std::string route;   // "(none)"; empty: nothing was logged
  std::string policy;  // the id of the policy that ended it, else who did: "upstream orders", "client"
  std::string reason;
  int status = 0;
  auto operator<=>(const Ending&) const = default;
};
Ending ending_of(const Observed& seen);

// In the order in which people look: how it ended, what the client got, what upstreams saw, what the policies said.
std::vector<Difference> compare(const Observed& a, const Observed& b);

// Octets for people: what is not printable is escaped, what is long is cut.
std::string shown(std::string_view octets, std::size_t most = 160);

}  // namespace gatelab::harness::diff
