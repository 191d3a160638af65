// SPDX-License-Identifier: Apache-2.0
// The first part of a cache's key (RFC 9111 §2): whose, which URI, which fields of the request. The second is vary.h's. Pure,
// any thread; what is returned lives in the arena or is a view of what went in.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "cache/rules.h"
#include "cache/target.h"
#include "http/fields.h"

namespace gatelab::cache {

// What of a query counts. Names are compared decoded; a pattern may end with "*".
struct QueryRules {
  std::vector<std::string> keep;  // only these, unless empty
  std::vector<std::string> drop;  // not these: utm_*
  bool sort = false;              // by name; of one name the order stays
  bool operator==(const QueryRules&) const = default;
};

struct Query {
  std::string_view text;
  bool present = false;
};

// The query of which keys are made, and with which the request has to go upstream: what is not in the key must not shape the
// answer. A parameter with ";" stays whatever its name, for there are servers to which it is two; so does everything of a
// query with more than kMaxParameters.
inline constexpr std::size_t kMaxParameters = 256;
Query normalised_query(Query query, const QueryRules& rules, Arena& arena) noexcept;

struct KeyParts {
  KeyScope scope = KeyScope::Shared;
  std::string_view consumer;             // of KeyScope::Consumer
  std::string_view route, upstream;      // who answered, by their names
  std::string_view forwarded;            // the path as it goes upstream
  std::uint16_t port = 0;                // of the gateway's that the client came to, which upstreams are told
  Target target;                         // its query normalised
  std::span<const std::string> fields{}; // names of fields of the request that are in the key, in the rules' order
  const http::Fields* request = nullptr; // never null where `fields` is not empty
};

// Injective: two keys are the same only if all parts are, and what is one consumer's is never another's nor everyone's. Fields
// are compared as by Vary (vary.h).
std::string_view primary_key(const KeyParts& parts, Arena& arena) noexcept;

}  // namespace gatelab::cache
