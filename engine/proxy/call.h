// SPDX-License-Identifier: Apache-2.0
// A request of the gateway's own to an upstream, without a client: forward-auth, a key set (design §4, `Call`). It is an
// exchange like any other from phase Forward on, so pools, timeouts and retries are the same; its answer is read whole.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/address.h"
#include "proxy/services.h"

namespace gatelab::proxy {

struct Refreshing;

// Where a call stands in a trace; no id: in none.
struct CallTrace {
  std::string_view id, state;
  std::string_view what;     // what makes the call, as its span is called; a literal
  std::uint64_t parent = 0;  // span
  bool sampled = false;
};

struct CallRequest {
  std::int32_t upstream = -1;  // index in the snapshot
  std::string_view method = "GET", path, query;
  const http::Fields* fields = nullptr;  // null: none; nothing that frames a message
  std::string_view body;
  std::size_t max_octets = 0;            // of the answer's body
  bool drops_answer = false;             // as long as it comes, to its end
  const upstream::HostPolicy* host = nullptr;  // null: the upstream's
  std::span<const std::pair<std::int32_t, upstream::Timeouts>> timeouts;  // as a route's
  Instant deadline = Instant::max();     // on io_now
  io::CancelToken* given_up = nullptr;   // nobody needs the answer any more, but for whoever else waits for it in a cache; null: never
  const policy::CacheUse* cache = nullptr;  // it may be answered from there; null: it may not
  observe::PartNote* note = nullptr;     // told how it went; null: nobody asks
  Refreshing* refreshing = nullptr;      // whose stored answer this one is for; null: none
  // On whose behalf: told to the target as for any request. Empty for what no client asked for.
  std::string_view parent, request_id, route, scheme = "http", authority, asked_method, asked_uri;
  Address client, local;
  CallTrace trace;
};

// Performs it on `services`' loop; `snapshot` is the one that `request.upstream` counts in. Everything that `request` views
// must live until it ends; `answer` is filled from `into`. Ends at once with `shutdown` when `cancel` is cancelled.
io::Task<void> call(Services& services, Pin snapshot, const CallRequest& request, io::CancelToken& cancel, policy::CallAnswer& answer, Arena& into);

// Fetches what nobody fetches yet, beside everything else; `resource` is told how it ended.
void begin_fetch(Services& services, const Pin& snapshot, const policy::Fetch& fetch);

}  // namespace gatelab::proxy
