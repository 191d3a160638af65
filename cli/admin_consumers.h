// SPDX-License-Identifier: Apache-2.0
// The admin API's door to consumers: who asks how much, how it goes, how long it takes. Any thread.
#pragma once

#include <string>

#include "gateway/gateway.h"

namespace gatelab::cli {

// What `/consumers` is asked for.
struct ConsumerQuery {
  std::string sort = "requests";
  std::size_t limit = 100;
  bool buckets = false;  // latencies in full too, as pairs of microseconds and how many
};
inline constexpr std::size_t kMaxConsumers = 10'000;

// Sorts that there are: requests, errors, bytes, p50, p90, p99, last (largest first), name.
bool is_consumer_sort(std::string_view word) noexcept;
const char* consumer_sorts() noexcept;

// An object with its `consumers`, largest first.
std::string consumers_json(const gateway::Gateway& gateway, const ConsumerQuery& query, Instant now);

}  // namespace gatelab::cli
