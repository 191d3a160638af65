// SPDX-License-Identifier: Apache-2.0
// Paths, queries and authorities. Pure; results live in the given arena or are views of the input.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"
#include "http/rule.h"

namespace gatelab::http {

enum class EncodedSlash : std::uint8_t { Reject, Keep };
enum class DuplicateSlash : std::uint8_t { Keep, Merge, Reject };
enum class ForwardPath : std::uint8_t { Canonical, Original };
struct PathOptions {
  EncodedSlash encoded_slash = EncodedSlash::Reject;
  DuplicateSlash duplicate_slash = DuplicateSlash::Keep;
  ForwardPath forward_path = ForwardPath::Canonical;  // which one goes to the target; matching sees the canonical one
};

// The one canonical path that matching and policies see (design §5, RFC 3986 §6.2.2): %XX of unreserved octets decoded,
// other %XX kept with upper-case hex, dot segments resolved (never above the root), %2F by option, but never one that would
// make a dot segment when decoded; a backslash, NUL or control octet (raw or encoded), a bad %XX or an octet that no path
// may have is BadPath. A path that is canonical
// already comes back as the same view, without a copy. Idempotent.
struct CanonicalPath {
  Rule rule = Rule::Ok;  // BadPath, EncodedSlash, DuplicateSlash
  std::string_view path;
};
CanonicalPath canonical_path(std::string_view raw, const PathOptions& options, Arena& arena) noexcept;

// Walks `query` (without '?'): name and value raw, split at '&' and the first '='. False at the end.
bool next_query_pair(std::string_view& rest, std::string_view& name, std::string_view& value) noexcept;
// %XX and '+' decoded into the arena; bad %XX is left as it is.
std::string_view decode_query(std::string_view raw, Arena& arena) noexcept;
// The first value of that (decoded) name, decoded.
std::optional<std::string_view> query_value(std::string_view query, std::string_view name, Arena& arena) noexcept;
// Takes the next `name=value` of a Cookie field off `rest`; false if there is none.
bool next_cookie(std::string_view& rest, std::string_view& pair) noexcept;
// The first cookie of that name among the Cookie field's value (RFC 6265 §4.2.1).
std::optional<std::string_view> cookie_value(std::string_view cookie, std::string_view name) noexcept;

// host[:port]: a name, IPv4 or [IPv6]; no userinfo, port 1..65535 or empty. Of RFC 3986's reg-name (§3.2.2) only what a
// name in DNS may have: sub-delims and %XX are in no name, and a list of hosts would pass for one.
struct Authority {
  std::string_view host;   // brackets kept
  std::optional<std::uint16_t> port;
};
std::optional<Authority> parse_authority(std::string_view text) noexcept;

// An upstream's address from a configuration: http://host[:port], no path, query, userinfo or fragment.
struct BaseUrl {
  std::string scheme;     // "http" or "https"
  std::string host;       // brackets removed
  std::uint16_t port = 80;
  std::string authority;  // host[:port] as it goes into Host
  std::string socket;     // the path of a unix socket, instead of host and port
};
Result<BaseUrl> parse_base_url(std::string_view text);

}  // namespace gatelab::http
