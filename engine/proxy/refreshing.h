// SPDX-License-Identifier: Apache-2.0
// A stored answer that is asked for anew while a stale one serves (RFC 5861 §3): all that the call needs, none of it the exchange's.
// Used by the proxy's own.
#pragma once

#include <memory>

#include "cache/store.h"
#include "policy/cache/plan.h"
#include "proxy/call.h"

namespace gatelab::proxy {

struct Refreshing {
  explicit Refreshing(std::unique_ptr<Arena> a) noexcept : arena(std::move(a)), fields(*arena) {}
  std::unique_ptr<Arena> arena;
  http::Fields fields;
  CallRequest request;
  policy::CacheUse use;  // its plan is the snapshot's
  cache::Place place;
  cache::Hit hit;
  cache::Fill fill;
};

}  // namespace gatelab::proxy
