// SPDX-License-Identifier: Apache-2.0
#include "policy/credential.h"

#include "base/text.h"
#include "http/uri.h"

namespace gatelab::policy {
namespace {

using Where = CredentialPlace::Where;

// RFC 9110 §11.4: scheme, spaces, credentials; the scheme without case.
std::optional<std::string_view> behind_scheme(std::string_view value, std::string_view scheme) noexcept {
  if (scheme.empty()) return value;
  if (value.size() < scheme.size() || !iequals(value.substr(0, scheme.size()), scheme)) return std::nullopt;
  if (value.size() == scheme.size()) return std::string_view();
  if (value[scheme.size()] != ' ') return std::nullopt;
  return trim_ows(value.substr(scheme.size()));
}

void strip_query(std::string_view wanted, Input& in) noexcept {
  std::string_view rest = in.request.query, key, value, kept;
  while (http::next_query_pair(rest, key, value)) {
    if (http::decode_query(key, in.arena) == wanted) continue;
    const bool equals = value.data() != nullptr && value.data() == key.data() + key.size() + 1;
    kept = in.arena.concat(kept, kept.empty() ? "" : "&", key, equals ? "=" : "", value);
  }
  in.request.query = kept;
  in.request.has_query = !kept.empty();
}

// The pairs of one Cookie field without those of that name.
std::string_view without_cookie(std::string_view rest, std::string_view wanted, Arena& arena) noexcept {
  std::string_view pair, kept;
  while (http::next_cookie(rest, pair))
    if (pair.substr(0, pair.find('=')) != wanted) kept = arena.concat(kept, kept.empty() ? "" : "; ", pair);
  return kept;
}

void strip_cookie(std::string_view wanted, Input& in) noexcept {
  http::Fields& fields = in.request.fields;
  std::size_t n = 0;
  for (http::Field& field : fields) {
    if (field.id == http::FieldId::Cookie) field.value = without_cookie(field.value, wanted, in.arena);
    if (field.id != http::FieldId::Cookie || !field.value.empty()) fields.begin()[n++] = field;
  }
  fields.truncate(n);
}

}  // namespace

std::string_view CredentialPlace::where_word() const noexcept { return where == Where::Header ? "header" : where == Where::Query ? "query" : "cookie"; }

std::string CredentialPlace::text() const {
  return (where == Where::Header ? "header " : where == Where::Query ? "query parameter " : "cookie ") + name;
}

FoundCredential find_credential(const CredentialPlace& place, Input& in) noexcept {
  FoundCredential out;
  const auto take = [&out](std::string_view value) {
    out.value = value;
    ++out.count;
  };
  if (place.where == Where::Query) {
    std::string_view rest = in.request.query, key, value;
    while (http::next_query_pair(rest, key, value))
      if (http::decode_query(key, in.arena) == place.name) take(http::decode_query(value, in.arena));
    return out;
  }
  for (const http::Field& field : in.request.fields) {
    if (place.where == Where::Cookie) {
      if (field.id != http::FieldId::Cookie) continue;
      std::string_view rest = field.value, pair;
      while (http::next_cookie(rest, pair))
        if (const auto value = http::cookie_value(pair, place.name)) take(*value);
    } else if (iequals(field.name, place.name)) {
      if (const auto value = behind_scheme(field.value, place.scheme)) take(*value);
      else out.other_scheme = true;
    }
  }
  return out;
}

void strip_credential(const CredentialPlace& place, Input& in) noexcept {
  if (place.where == Where::Header) in.request.fields.remove(place.name);
  else if (place.where == Where::Query) strip_query(place.name, in);
  else strip_cookie(place.name, in);
}

void parse_place(CredentialPlace& place, config::Reader& r, std::string_view thing) {
  int places = 0;
  constexpr std::pair<std::string_view, Where> kPlaces[] = {{"header", Where::Header}, {"query", Where::Query}, {"cookie", Where::Cookie}};
  for (const auto& [key, where] : kPlaces) {
    auto name = r.text(key);
    if (!name) continue;
    if (++places > 1) r.sink().error("two-places", r.key_span(key), "a " + std::string(thing) + " is read from one place: header, query or cookie");
    if (where != Where::Query && !http::is_token(*name)) r.sink().error("bad-header", r.span_of(key), "`" + *name + "` is not a " + std::string(key) + " name");
    place.where = where;
    // A scheme stands in Authorization only; elsewhere the value is the credential.
    if (where != Where::Header || !iequals(*name, "Authorization")) place.scheme.clear();
    place.name = std::move(*name);
  }
}

}  // namespace gatelab::policy
