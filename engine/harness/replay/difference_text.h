// SPDX-License-Identifier: Apache-2.0
// Differences as people read them: those that are alike together, the first of each in full. Pure.
#pragma once

#include <string>
#include <vector>

#include "harness/replay/compare.h"

namespace gatelab::harness {

struct DifferentExchange {
  const RecordedExchange* exchange = nullptr;
  std::vector<Difference> differences;
  std::vector<std::string> trace;  // what the gateway decided now
  std::string request = {};        // as shown, without its secrets; empty: as it is in the exchange
};

// Where they differ, and how their statuses do: alike for what has most likely one cause.
std::string signature(const DifferentExchange& one);
// Several lines, each indented by two.
std::string difference_text(const std::vector<DifferentExchange>& all, std::size_t compared);
// Where nothing differs but fields that every gateway makes anew (X-Request-Id, Date): the flags that ignore them. Empty: other
// things differ too, or nothing does.
std::string hint_of_fresh(const std::vector<DifferentExchange>& all);

}  // namespace gatelab::harness
