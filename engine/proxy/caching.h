// SPDX-License-Identifier: Apache-2.0
// What an exchange knows of its cache (docs/policies/cache.md): where its answer is kept, what is there, and what it brings.
// Private to the exchange, in its arena; one thread.
#pragma once

#include <optional>
#include <vector>

#include "cache/cache_status.h"
#include "cache/freshen.h"
#include "cache/range.h"
#include "cache/reuse.h"
#include "cache/store.h"
#include "cache/validators.h"
#include "policy/cache/plan.h"
#include "proxy/exchange.h"

namespace gatelab::proxy {

struct Caching {
  Caching(const policy::CacheUse& u, Arena& arena) noexcept : use(u), store(u.plan->state->store), request(arena), client(arena) {}

  const policy::CacheUse& use;
  cache::Store& store;
  cache::Place place;
  cache::RequestDirectives asked;
  http::Fields request;              // as it would go upstream, without conditions and range: what variants are chosen by
  http::RequestHead client;          // the client's conditions and range, where the gateway has taken them out
  std::optional<cache::Hit> hit;     // what is stored, and is not enough or may be stale
  std::vector<cache::Hit> validated; // what the request that went upstream validates
  cache::Fill fill;                  // open: this exchange leads
  cache::CacheStatus status;         // what Cache-Status will say
  std::string_view word;             // what the log says
  std::string_view answered_by;      // the upstream whose answer is being stored; empty: what is stored answers
  Instant asked_at;                  // policy_now when the request went upstream
  bool refreshes = false;            // nobody waits for the answer
  std::uint32_t rounds = 0;
  io::CancelToken token;             // of a fill: it goes on when its client has gone
};

// Which octets of the content this client gets.
struct Exchange::Cut {
  std::uint64_t skip = 0, left = UINT64_MAX;
  // What of the next piece that is; advances.
  std::string_view of(std::string_view piece) noexcept {
    const std::uint64_t skipped = std::min<std::uint64_t>(skip, piece.size());
    skip -= skipped;
    piece = piece.substr(skipped, left);
    left -= piece.size();
    return piece;
  }
};

}  // namespace gatelab::proxy
