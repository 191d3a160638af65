// SPDX-License-Identifier: Apache-2.0
#include "cache/validators.h"

#include <algorithm>
#include <array>

#include "base/arena_text.h"
#include "base/text.h"
#include "http/date.h"

namespace gatelab::cache {
namespace {

bool is_etagc(char c) noexcept {
  const auto octet = static_cast<unsigned char>(c);
  return octet == 0x21 || (octet >= 0x23 && octet != 0x7f);
}

// An entity tag at the front of `text`; how many octets it has, or 0.
std::size_t entity_tag(std::string_view text, EntityTag& out) noexcept {
  const std::size_t quote = text.starts_with("W/") ? 2 : 0;  // case-sensitive
  if (text.size() <= quote || text[quote] != '"') return 0;
  std::size_t end = quote + 1;
  while (end < text.size() && is_etagc(text[end])) ++end;
  if (end == text.size() || text[end] != '"') return 0;
  out = {quote != 0, text.substr(quote, end + 1 - quote), text.substr(0, end + 1)};
  return end + 1;
}

// The only line of that field; null if there is none or more than one.
const http::Field* only(const http::Fields& fields, std::string_view name) noexcept {
  const http::Field* found = nullptr;
  for (const http::Field& field : fields) {
    if (!iequals(field.name, name)) continue;
    if (found != nullptr) return nullptr;
    found = &field;
  }
  return found;
}

// RFC 9110 §13.1.2: weakly, any of the list, or "*" for whatever is there. A list that can't be read matches nothing.
bool none_match_fails(const http::Fields& request, const Validators& stored) noexcept {
  bool any = false, bad = false;
  for (const http::Field& field : request) {
    if (!iequals(field.name, "If-None-Match")) continue;
    if (trim_ows(field.value) == "*") {
      any = true;
      continue;
    }
    std::string_view rest = field.value;
    EntityTag tag;
    while (next_entity_tag(rest, tag, bad))
      if (stored.etag && weak_match(tag, *stored.etag)) any = true;
  }
  return any && !bad;
}

// RFC 9110 §13.1.3; without Last-Modified the Date stands in for it (RFC 9111 §4.3.2).
bool not_modified_since(const http::Fields& request, const Validators& stored, const Facts& facts) noexcept {
  const http::Field* field = only(request, "If-Modified-Since");
  if (field == nullptr) return false;
  const std::optional<Instant> since = http::parse_date(field->value, facts.response_time);
  return since && stored.modified_at.value_or(facts.date) <= *since;
}

void remove_conditions(http::Fields& request) noexcept {
  for (const char* name : {"If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", "Range"}) request.remove(name);
}

}  // namespace

std::optional<EntityTag> parse_entity_tag(std::string_view text) noexcept {
  EntityTag out;
  if (entity_tag(text, out) != text.size() || text.empty()) return std::nullopt;
  return out;
}

bool next_entity_tag(std::string_view& rest, EntityTag& tag, bool& bad) noexcept {
  const std::size_t from = rest.find_first_not_of(" \t,");
  if (from == std::string_view::npos) return rest = {}, false;
  rest.remove_prefix(from);
  const std::size_t size = entity_tag(rest, tag);
  const std::size_t next = size == 0 ? std::string_view::npos : rest.find_first_not_of(" \t", size);
  if (size == 0 || (next != std::string_view::npos && rest[next] != ',')) return bad = true, rest = {}, false;
  rest.remove_prefix(size);
  return true;
}

Validators validators_of(const http::Fields& response, Instant now) noexcept {
  Validators out;
  if (const http::Field* etag = only(response, "ETag")) out.etag = parse_entity_tag(etag->value);
  const http::Field* modified = only(response, "Last-Modified");
  if (modified == nullptr) return out;
  out.last_modified = modified->value;
  out.modified_at = http::parse_date(modified->value, now);
  const http::Field* date = only(response, "Date");
  const std::optional<Instant> sent = date == nullptr ? std::nullopt : http::parse_date(date->value, now);
  out.date_is_strong = out.modified_at && sent && *out.modified_at + std::chrono::seconds(1) <= *sent;
  return out;
}

Condition evaluate(const http::Fields& request, const http::Fields& stored, const Facts& facts) noexcept {
  if (request.find("If-Match") != nullptr || request.find("If-Unmodified-Since") != nullptr) return Condition::ForOrigin;
  // RFC 9110 §13.2.1 and RFC 9111 §4.3.2: conditions are about a successful response.
  if (facts.status != 200) return Condition::Send;
  const Validators validators = validators_of(stored, facts.response_time);
  const bool holds_back = request.find("If-None-Match") != nullptr ? none_match_fails(request, validators) : not_modified_since(request, validators, facts);
  return holds_back ? Condition::NotModified : Condition::Send;
}

bool if_range_holds(const http::Fields& request, const http::Fields& stored, const Facts& facts) noexcept {
  if (request.find("If-Range") == nullptr) return true;
  const http::Field* field = only(request, "If-Range");
  if (field == nullptr) return false;
  const Validators validators = validators_of(stored, facts.response_time);
  if (const auto tag = parse_entity_tag(field->value)) return validators.etag && strong_match(*tag, *validators.etag);
  // A date has to be the very one, not a later one.
  return validators.date_is_strong && field->value == validators.last_modified;
}

void make_validation(http::Fields& request, std::span<const http::Fields* const> stored, Arena& arena) noexcept {
  remove_conditions(request);
  ArenaText tags(arena);
  std::size_t count = 0;
  for (const http::Fields* one : stored) {
    const auto etag = validators_of(*one, Instant{}).etag;
    if (!etag || count == kMaxTags) continue;
    if (count++ != 0) tags.add(", ");
    tags.add(etag->as_sent);
  }
  if (count != 0) request.add("If-None-Match", tags.view());
  if (stored.size() != 1) return;
  const std::string_view modified = validators_of(*stored.front(), Instant{}).last_modified;
  if (!modified.empty()) request.add("If-Modified-Since", arena.copy(modified));
}

bool goes_into_304(std::string_view name, bool has_etag) noexcept {
  constexpr std::array<std::string_view, 6> kOfContent{"Content-Type", "Content-Encoding", "Content-Language", "Content-Length", "Content-Range", "Accept-Ranges"};
  for (const std::string_view one : kOfContent)
    if (iequals(name, one)) return false;
  return !has_etag || !iequals(name, "Last-Modified");
}

}  // namespace gatelab::cache
