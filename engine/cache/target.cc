// SPDX-License-Identifier: Apache-2.0
#include "cache/target.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace gatelab::cache {
namespace {

std::string_view lower(std::string_view text, Arena& arena) noexcept {
  char* out = arena.room<char>(text.size());
  std::transform(text.begin(), text.end(), out, ascii_lower);
  return {out, text.size()};
}

// Takes `scheme ":"` off the front of a reference: ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) before any "/", "?" or "#".
bool take_scheme(std::string_view& reference, std::string_view& scheme) noexcept {
  const std::size_t end = reference.find_first_of(":/?#");
  if (end == std::string_view::npos || end == 0 || reference[end] != ':') return false;
  scheme = reference.substr(0, end);
  reference.remove_prefix(end + 1);
  return true;
}

// What no URI has: blanks and controls. canonical_path() looks at paths itself.
bool is_query(std::string_view text) noexcept { return has_no_control(text) && text.find(' ') == std::string_view::npos; }

// RFC 3986 §5.2.3
std::string_view merged(std::string_view base, std::string_view relative, Arena& arena) noexcept {
  return arena.concat(base.substr(0, base.rfind('/') + 1), relative);
}

}  // namespace

std::optional<Target> make_target(std::string_view scheme, std::string_view authority, std::string_view path, std::string_view query, bool has_query,
                                  const http::PathOptions& options, Arena& arena) noexcept {
  const bool secure = iequals(scheme, "https");
  if (!secure && !iequals(scheme, "http")) return std::nullopt;
  const auto parts = http::parse_authority(authority);
  if (!parts || !is_query(query)) return std::nullopt;
  const http::CanonicalPath canonical = http::canonical_path(path.empty() ? "/" : path, options, arena);
  if (canonical.rule != http::Rule::Ok) return std::nullopt;
  const std::uint16_t own = secure ? 443 : 80;
  return Target{secure ? "https" : "http", lower(parts->host, arena), parts->port.value_or(own), canonical.path, query, has_query};
}

std::optional<Target> resolve(const Target& base, std::string_view reference, const http::PathOptions& options, Arena& arena) noexcept {
  reference = reference.substr(0, reference.find('#'));
  std::string_view scheme = base.scheme, authority;
  const bool absolute = take_scheme(reference, scheme);
  const bool has_authority = reference.starts_with("//");
  if (absolute && !has_authority) return std::nullopt;
  if (has_authority) {
    reference.remove_prefix(2);
    authority = reference.substr(0, reference.find_first_of("/?"));
    reference.remove_prefix(authority.size());
  }
  const std::size_t mark = reference.find('?');
  const std::string_view path = reference.substr(0, mark);
  std::string_view query = mark == std::string_view::npos ? std::string_view() : reference.substr(mark + 1);
  bool has_query = mark != std::string_view::npos;
  if (has_authority) return make_target(scheme, authority, path, query, has_query, options, arena);
  if (path.empty() && !has_query) query = base.query, has_query = base.has_query;
  const std::string_view whole = path.empty() ? base.path : path.front() == '/' ? path : merged(base.path, path, arena);
  const http::CanonicalPath canonical = http::canonical_path(whole, options, arena);
  if (canonical.rule != http::Rule::Ok || !is_query(query)) return std::nullopt;
  return Target{base.scheme, base.host, base.port, canonical.path, query, has_query};
}

std::string_view to_text(const Target& target, Arena& arena) noexcept {
  char port[32];  // five would do, but GCC warns of what put() does with longer texts
  const auto digits = static_cast<std::size_t>(std::to_chars(port, port + sizeof port, target.port).ptr - port);
  return arena.concat(target.scheme, "://", target.host, ":", std::string_view(port, digits), target.path, target.has_query ? "?" : "", target.query);
}

bool is_same_origin(const Target& a, const Target& b) noexcept { return a.scheme == b.scheme && a.host == b.host && a.port == b.port; }

bool operator==(const Target& a, const Target& b) noexcept {
  return is_same_origin(a, b) && a.path == b.path && a.query == b.query && a.has_query == b.has_query;
}

Invalidation invalidated(http::Method method, const Target& target, std::uint16_t status, const http::Fields& response, const http::PathOptions& options,
                         Arena& arena) noexcept {
  Invalidation out;
  if (http::is_safe(method) || status < 200 || status > 399) return out;
  out.targets[out.count++] = target;
  for (const char* name : {"Location", "Content-Location"}) {
    const http::Field* field = response.find(name);
    const std::optional<Target> other = field == nullptr ? std::nullopt : resolve(target, field->value, options, arena);
    if (other && is_same_origin(*other, target) && std::find(out.begin(), out.end(), *other) == out.end()) out.targets[out.count++] = *other;
  }
  return out;
}

}  // namespace gatelab::cache
