// SPDX-License-Identifier: Apache-2.0
// The URI that a stored response is of, in parts and in one spelling (RFC 9110 §4.2.3), and the URIs that a change makes
// invalid (RFC 9111 §4.4). Pure, any thread; views of what went in or of the arena.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/arena.h"
#include "http/message.h"
#include "http/uri.h"

namespace gatelab::cache {

struct Target {
  std::string_view scheme;  // "http" or "https"
  std::string_view host;    // in small letters, brackets kept
  std::uint16_t port = 0;   // the scheme's own if none was said
  std::string_view path;    // canonical (http/uri.h)
  std::string_view query;
  bool has_query = false;   // "/a?" is not "/a"
};

// nullopt: `authority` is none or `path` has no canonical form.
std::optional<Target> make_target(std::string_view scheme, std::string_view authority, std::string_view path, std::string_view query, bool has_query,
                                  const http::PathOptions& options, Arena& arena) noexcept;

// A reference as Location has it, seen from `base` (RFC 3986 §5.2), without its fragment. nullopt: not of http or https, or not
// well formed.
std::optional<Target> resolve(const Target& base, std::string_view reference, const http::PathOptions& options, Arena& arena) noexcept;

// As a URI, always with its port: what stored responses are purged by, whole or by how it begins.
std::string_view to_text(const Target& target, Arena& arena) noexcept;

bool is_same_origin(const Target& a, const Target& b) noexcept;  // RFC 9110 §4.3.1
bool operator==(const Target& a, const Target& b) noexcept;

struct Invalidation {
  std::array<Target, 3> targets;
  std::size_t count = 0;
  const Target* begin() const noexcept { return targets.data(); }
  const Target* end() const noexcept { return targets.data() + count; }
};
// Which URIs the answer to a request makes invalid: none, unless the method is not safe and the status is 2xx or 3xx; then the
// request's own, and those in Location and Content-Location that are of its origin.
Invalidation invalidated(http::Method method, const Target& target, std::uint16_t status, const http::Fields& response, const http::PathOptions& options,
                         Arena& arena) noexcept;

}  // namespace gatelab::cache
