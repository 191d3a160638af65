// SPDX-License-Identifier: Apache-2.0
// Which answers a policy speaks of: `status`, as 404, 2xx or a list of them. Immutable; any thread.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "config/node.h"

namespace gatelab::policy {

class Statuses {
 public:
  bool has(std::uint16_t status) const noexcept;
  // Null: every status. Reports (bad-number).
  static Statuses parse(const config::Node* node, diag::Sink& sink);

 private:
  void add(const config::Node& node, diag::Sink& sink);
  std::vector<std::pair<std::uint16_t, std::uint16_t>> ranges_;  // both ends in it; empty: every status
};

}  // namespace gatelab::policy
