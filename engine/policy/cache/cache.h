// SPDX-License-Identifier: Apache-2.0
// The policy cache: docs/policies/cache.md.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "policy/cache/plan.h"
#include "policy/catalog.h"

namespace gatelab::policy {

// The value of `cache:`. Null if it was wrong; diagnostics are in `context.sink`.
std::unique_ptr<Policy> parse_cache(const config::Node& node, Context& context);

// How large each cache of the configuration is.
struct Caches {
  static constexpr std::string_view kDefault = "default";
  static constexpr std::size_t kDefaultBytes = std::size_t{64} * 1024 * 1024;
  struct One {
    std::size_t bytes = kDefaultBytes;
    diag::Span span;
    mutable bool used = false;
  };
  std::map<std::string, One> by_name;
};
// `caches:`, a map of names to sizes; null: there is none.
Caches parse_caches(const config::Node* node, diag::Sink& sink);

}  // namespace gatelab::policy
