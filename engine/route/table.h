// SPDX-License-Identifier: Apache-2.0
// Which route a request takes, and why the others did not (design §5: the ladder). Immutable once built; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "config/reader.h"
#include "http/message.h"

namespace gatelab::route {

enum class PathKind : std::uint8_t { Any, Exact, Prefix, Template, Regex };

// One name/value condition on a header or query parameter.
struct Condition {
  enum class Kind : std::uint8_t { Present, Equals, Regex };
  std::string name;
  Kind kind = Kind::Equals;
  std::string value;  // text or RE2 pattern
};

// `match:` of one route. Empty lists mean "any".
struct Match {
  std::vector<config::Located<std::string>> hosts;  // lower case; "*.example.local" matches one label or more; "*" any
  PathKind path_kind = PathKind::Any;
  std::string path;                                  // canonical: "/items" for /items/*, "/orders/{id}", or the pattern
  diag::Span path_span;
  std::vector<std::string> methods;
  std::vector<Condition> headers;
  std::vector<Condition> query;
};

struct Spec {
  std::string name;
  diag::Span span;   // of the name
  Match match;
};

// Reads `match:`; every error located. Null node: matches everything. `key`: what it is called there.
Match parse_match(const config::Node* node, diag::Sink& sink, std::string_view what, std::string_view key = "match");
// The same keys of a map that says more besides; the caller finishes the reader.
Match parse_match(config::Reader& r, std::string_view what);

// What the request is matched by.
struct Request {
  std::string_view host;    // without port, any case
  std::string_view path;    // canonical
  std::string_view query;
  std::string_view method;
  const http::Fields* fields = nullptr;
};

using Parameter = std::pair<std::string_view, std::string_view>;

struct Matched {
  std::int32_t route = -1;                  // index into the specs; -1: none
  std::span<const Parameter> parameters;    // in the arena; names live in the table
  // When none matched but only the method was wrong somewhere: what Allow should say ("GET, POST"), in the arena.
  std::string_view allow;
};

// Why a candidate lost: the first criterion of the ladder that it failed.
struct Rejected {
  std::int32_t route;
  std::string criterion;  // "host", "path", "method", "header X-Beta", "query v", "less specific than read-orders"
  std::string detail;     // "api.local ≠ other.local"
};

class Table {
 public:
  // Reports ids route-unreachable and route-tie as warnings, bad-regex as an error. The specs are copied.
  Table(std::vector<Spec> specs, diag::Sink& sink);
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  // No allocation but parameters and `allow` in the arena. HEAD also matches routes that list GET.
  Matched match(const Request& request, Arena& arena) const noexcept;
  // Whether there is one at all.
  bool matches(const Request& request, Arena& arena) const noexcept;
  // Every route but the winner, in file order. For people: allocates.
  std::vector<Rejected> explain(const Request& request, std::int32_t winner) const;
  std::size_t size() const noexcept;
  const Spec& spec(std::int32_t route) const noexcept;

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace gatelab::route
