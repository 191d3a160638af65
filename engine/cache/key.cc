// SPDX-License-Identifier: Apache-2.0
#include "cache/key.h"

#include <algorithm>

#include "base/arena_text.h"
#include "base/wildcard.h"
#include "cache/encoding.h"
#include "cache/vary.h"
#include "http/uri.h"

namespace gatelab::cache {
namespace {

struct Parameter {
  std::string_view raw;   // name=value as it was sent
  std::string_view name;  // decoded
};

bool counts(const Parameter& parameter, const QueryRules& rules) noexcept {
  if (parameter.raw.find(';') != std::string_view::npos) return true;
  if (!rules.keep.empty() && !matches_any(rules.keep, parameter.name)) return false;
  return !matches_any(rules.drop, parameter.name);
}

}  // namespace

Query normalised_query(Query query, const QueryRules& rules, Arena& arena) noexcept {
  if (!query.present || (rules.keep.empty() && rules.drop.empty() && !rules.sort)) return query;
  const auto parts = static_cast<std::size_t>(std::count(query.text.begin(), query.text.end(), '&')) + 1;
  if (parts > kMaxParameters) return query;
  const std::span<Parameter> all = arena.array<Parameter>(parts);
  std::size_t count = 0;
  for (std::string_view rest = query.text; !rest.empty();) {
    const std::string_view raw = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), raw.size() + 1));
    const Parameter one{raw, http::decode_query(raw.substr(0, raw.find('=')), arena)};
    if (!raw.empty() && counts(one, rules)) all[count++] = one;
  }
  const std::span<Parameter> kept = all.first(count);
  if (rules.sort) std::stable_sort(kept.begin(), kept.end(), [](const Parameter& a, const Parameter& b) { return a.name < b.name; });
  ArenaText out(arena, query.text.size() + 1);
  for (const Parameter& one : kept) (out.empty() ? out : out.add('&')).add(one.raw);
  return {out.view(), !out.empty()};
}

std::string_view primary_key(const KeyParts& parts, Arena& arena) noexcept {
  ArenaText out(arena);
  switch (parts.scope) {
    case KeyScope::Shared: out.add('s'); break;
    case KeyScope::Consumer: add_part(out.add('c'), parts.consumer); break;
  }
  for (const std::string_view part : {parts.route, parts.upstream, parts.forwarded}) add_part(out, part);
  add_number(out, parts.port);
  const Target& target = parts.target;
  add_part(out, target.scheme);
  add_part(out, target.host);
  add_number(out, target.port);
  add_part(out, target.path);
  if (target.has_query) add_part(out, target.query);
  else out.add('-');
  for (const std::string& name : parts.fields) {
    std::string_view value;
    add_part(out, name);
    if (selecting_value(*parts.request, name, value, arena)) add_part(out, value);
    else out.add('-');
  }
  return out.view();
}

}  // namespace gatelab::cache
