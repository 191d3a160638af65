// SPDX-License-Identifier: Apache-2.0
#include "cli/admin_caches.h"

#include <nlohmann/json.hpp>

#include "cli/admin_body.h"
#include "harness/scenario/file.h"

namespace gatelab::cli {

std::string caches_json(const gateway::Gateway& gateway) {
  using Json = nlohmann::ordered_json;
  Json out = Json::array();
  for (const gateway::CacheReport& one : gateway.caches())
    out.push_back({{"name", one.name},
                   {"bytes", one.bytes},
                   {"limit", one.limit},
                   {"entries", one.entries},
                   {"stored", one.counts.stored},
                   {"evicted", one.counts.evicted},
                   {"purged", one.counts.purged}});
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::size_t> purge_caches(gateway::Gateway& gateway, const std::string& body) {
  diag::Sink sink;
  const auto tree = parse_body("purge", body, sink);
  if (!tree) return fail("bad-purge", diag::render_all(sink, diag::Colour::Off));
  const gateway::PurgeRequest request = harness::parse_purge(*tree, sink);
  if (sink.has_errors()) return fail("bad-purge", diag::render_all(sink, diag::Colour::Off));
  return gateway.purge(request);
}

}  // namespace gatelab::cli
