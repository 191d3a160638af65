// SPDX-License-Identifier: Apache-2.0
// The admin API's doors to caches: what is in them, and purges. Any thread.
#pragma once

#include <string>

#include "gateway/gateway.h"

namespace gatelab::cli {

// An array, one object a cache.
std::string caches_json(const gateway::Gateway& gateway);
// `body` says which answers go, as a scenario's `purge` does. How many went. ids: bad-purge, and those of Gateway::purge().
Result<std::size_t> purge_caches(gateway::Gateway& gateway, const std::string& body);

}  // namespace gatelab::cli
