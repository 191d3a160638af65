// SPDX-License-Identifier: Apache-2.0
// What people do with caches while they are in use: look at them, and purge them. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "cache/store.h"
#include "policy/state.h"

namespace gatelab::gateway {

// A cache, as it is now.
struct CacheReport {
  std::string name;
  std::size_t bytes = 0, limit = 0, entries = 0;
  cache::StoreCounts counts;
};

// What is to go from caches.
struct PurgeRequest {
  enum class By : std::uint8_t { Url, Prefix, Tag } by = By::Url;
  std::string what;   // a tag; a URL, or how URLs begin. With a slash first: of this machine, as `origins` say
  std::string cache;  // empty: all of them
  bool soft = false;  // stale from now on rather than gone
};

// Sorted by name.
std::vector<CacheReport> caches(const policy::StateStore& states);
// How many answers went. `origins`: "http://localhost:8080", for what begins with a slash. ids: no-such-cache, bad-url, bad-tag.
Result<std::size_t> purge(const policy::StateStore& states, const PurgeRequest& request, const std::vector<std::string>& origins, Instant now);

}  // namespace gatelab::gateway
