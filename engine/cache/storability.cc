// SPDX-License-Identifier: Apache-2.0
#include "cache/storability.h"

#include <array>

#include "base/text.h"
#include "cache/vary.h"
#include "http/date.h"

namespace gatelab::cache {
namespace {

struct Line {
  Storable verdict;
  std::string_view word;
};

constexpr std::array<Line, 17> kWords{{
    {Storable::Yes, "stored"},
    {Storable::Method, "method"},
    {Storable::RequestBody, "request-body"},
    {Storable::RequestNoStore, "request-no-store"},
    {Storable::NotFinal, "not-final"},
    {Storable::Partial, "partial"},
    {Storable::OfItsRequest, "of-its-request"},
    {Storable::NotUnderstood, "not-understood"},
    {Storable::NoStore, "no-store"},
    {Storable::Private, "private"},
    {Storable::Authorization, "authorization"},
    {Storable::SetCookie, "set-cookie"},
    {Storable::VaryStar, "vary-star"},
    {Storable::VaryUnreadable, "vary-unreadable"},
    {Storable::NotCacheable, "not-cacheable"},
    {Storable::RequestCookie, "request-cookie"},
    {Storable::NeverUsable, "never-usable"},
}};

// Statuses about fields of the request that no key holds: credentials, preconditions, ranges, expectations, sizes.
bool is_of_its_request(std::uint16_t status) noexcept {
  switch (status) {
    case 304: case 401: case 407: case 412: case 416: case 417: case 431: return true;
    default: return false;
  }
}

// All that RFC 9110 says of these to caches is done here: what §5.2.2.3 calls understood.
bool is_understood(std::uint16_t status) noexcept {
  switch (status) {
    case 302: case 303: case 307: case 400: case 403: case 451: case 500: case 502: case 503: case 504: return true;
    default: return status != 206 && is_heuristically_cacheable(status);
  }
}

bool has_ttl_by_rule(std::uint16_t status, const Rules& rules) noexcept {
  for (const StatusTtl& one : rules.status_ttl)
    if (one.status == status) return true;
  return false;
}

// §3, the last item: something says that it may be stored.
bool is_cacheable(const Exchanged& e, const Rules& rules) noexcept {
  const ResponseDirectives& d = e.control->directives;
  if (d.is_public || d.max_age || d.s_maxage) return true;
  if (!e.control->targeted && e.response->find("Expires") != nullptr) return true;
  return is_heuristically_cacheable(e.status) || has_ttl_by_rule(e.status, rules);
}

Storable of_request(const Exchanged& e, const Rules& rules) noexcept {
  if (e.method != http::Method::Get) return Storable::Method;
  if (e.request_has_body) return Storable::RequestBody;
  return e.asked.no_store && rules.obey_clients ? Storable::RequestNoStore : Storable::Yes;
}

Storable of_status(const Exchanged& e) noexcept {
  if (e.status < 200) return Storable::NotFinal;
  if (e.status == 206 || e.response->find("Content-Range") != nullptr) return Storable::Partial;
  return is_of_its_request(e.status) ? Storable::OfItsRequest : Storable::Yes;
}

Storable of_directives(const Exchanged& e, const Rules& rules) noexcept {
  const ResponseDirectives& d = e.control->directives;
  if (d.must_understand && !is_understood(e.status)) return Storable::NotUnderstood;
  if (d.no_store && !d.must_understand) return Storable::NoStore;
  if (d.is_private) return Storable::Private;
  const bool shared = d.is_public || d.s_maxage || d.must_revalidate;  // §3.5
  if (e.authenticated && e.scope == KeyScope::Shared && !shared && !rules.share_authenticated) return Storable::Authorization;
  return Storable::Yes;
}

Storable of_fields(const Exchanged& e, const Rules& rules, Arena& arena) noexcept {
  const ResponseDirectives& d = e.control->directives;
  const bool cookie = e.response->find(http::FieldId::SetCookie) != nullptr;
  const bool excepted = d.no_cache_fields.contains("Set-Cookie") || d.private_fields.contains("Set-Cookie");
  if (cookie && !excepted && rules.set_cookie == SetCookie::Refuse) return Storable::SetCookie;
  const Vary vary = parse_vary(*e.response, arena);
  if (vary.star) return Storable::VaryStar;
  return vary.unreadable ? Storable::VaryUnreadable : Storable::Yes;
}

}  // namespace

std::string_view word(Storable verdict) noexcept { return kWords[static_cast<std::size_t>(verdict)].word; }

bool is_heuristically_cacheable(std::uint16_t status) noexcept {
  switch (status) {
    case 200: case 203: case 204: case 206: case 300: case 301: case 308: case 404: case 405: case 410: case 414: case 501: return true;
    default: return false;
  }
}

Storable storable(const Exchanged& exchanged, const Rules& rules, Arena& arena) noexcept {
  if (const Storable verdict = of_request(exchanged, rules); verdict != Storable::Yes) return verdict;
  if (const Storable verdict = of_status(exchanged); verdict != Storable::Yes) return verdict;
  if (const Storable verdict = of_directives(exchanged, rules); verdict != Storable::Yes) return verdict;
  if (const Storable verdict = of_fields(exchanged, rules, arena); verdict != Storable::Yes) return verdict;
  return is_cacheable(exchanged, rules) ? Storable::Yes : Storable::NotCacheable;
}

bool is_kept(std::string_view name, const ResponseDirectives& directives, const Rules& rules) noexcept {
  constexpr std::array<std::string_view, 7> kNever{"Age", "Content-Length", "Content-Range", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization", "Trailer"};
  for (const std::string_view never : kNever)
    if (iequals(name, never)) return false;
  if (rules.set_cookie != SetCookie::Store && iequals(name, "Set-Cookie")) return false;
  return !directives.no_cache_fields.contains(name) && !directives.private_fields.contains(name);
}

http::Fields stored_fields(const http::Fields& response, const Control& control, const Rules& rules, Instant response_time, Arena& arena) noexcept {
  http::Fields out(arena);
  for (const http::Field& field : response)
    if (is_kept(field.name, control.directives, rules)) out.add(field.id, field.name, field.value);
  if (out.find(http::FieldId::Date) == nullptr) {
    char* text = arena.room<char>(http::kDateOctets);
    http::write_date(response_time, text);
    out.add(http::FieldId::Date, "Date", {text, http::kDateOctets});
  }
  return out;
}

}  // namespace gatelab::cache
