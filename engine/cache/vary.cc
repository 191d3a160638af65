// SPDX-License-Identifier: Apache-2.0
#include "cache/vary.h"

#include <algorithm>

#include "base/arena_text.h"
#include "base/text.h"
#include "cache/encoding.h"
#include "http/signature_base.h"

namespace gatelab::cache {
namespace {

enum class Syntax : std::uint8_t {
  Unknown,    // only what stands around the whole value is blank for sure
  List,       // blanks around its members
  Parameters, // and around ";" and "="
  Ranges,     // the same, in small letters
  Codings,    // of Accept-Encoding: the same, a q of 1 says nothing, and order and repetition are without meaning
};

// What may be changed in a value without changing what it means, by the field's own specification.
Syntax syntax_of(std::string_view name) noexcept {
  if (iequals(name, "accept-encoding")) return Syntax::Codings;  // RFC 9110 §12.5.3
  // Order stays: §12.5.1 and §12.5.4 give it no meaning, servers do.
  if (iequals(name, "accept-language") || iequals(name, "accept-charset")) return Syntax::Ranges;
  if (iequals(name, "accept")) return Syntax::Parameters;  // values of parameters may have a case
  if (iequals(name, "cache-control") || iequals(name, "prefer") || iequals(name, "access-control-request-headers")) return Syntax::List;
  return Syntax::Unknown;
}

// Without blanks beside ";" and "=" outside of quotes.
std::string_view without_inner_blanks(std::string_view text, Arena& arena) noexcept {
  if (text.find_first_of(" \t") == std::string_view::npos) return text;
  char* out = arena.room<char>(text.size());
  std::size_t n = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\' && i + 1 < text.size()) {
      out[n++] = c;
      out[n++] = text[++i];
      continue;
    }
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == ' ' || c == '\t')) {
      const std::size_t next = text.find_first_not_of(" \t", i);
      const bool before = next != std::string_view::npos && (text[next] == ';' || text[next] == '=');
      if (before || (n > 0 && (out[n - 1] == ';' || out[n - 1] == '='))) continue;
    }
    out[n++] = c;
  }
  return {out, n};
}

std::string_view lower(std::string_view text, Arena& arena) noexcept {
  if (std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) return text;
  char* out = arena.room<char>(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) out[i] = ascii_lower(text[i]);
  return {out, text.size()};
}

// "gzip;q=1.000" is "gzip" (RFC 9110 §12.4.2).
std::string_view coding(std::string_view member, Arena& arena) noexcept {
  const std::string_view text = lower(without_inner_blanks(member, arena), arena);
  const std::size_t weight = text.find(";q=1");
  if (weight == std::string_view::npos || weight == 0) return text;
  const std::string_view rest = text.substr(weight + 4);
  const bool is_one = rest.empty() || (rest.size() <= 4 && rest.front() == '.' && rest.find_first_not_of('0', 1) == std::string_view::npos);
  return is_one ? text.substr(0, weight) : text;
}

// Members beyond so many are compared as they were sent: nobody's list of codings is so long.
constexpr std::size_t kMaxCodings = 32;

std::string_view normal(std::string_view joined, Syntax syntax, Arena& arena) noexcept {
  joined = trim_ows(joined);  // a line without a value leaves blanks at an end
  // No coding has a quote: what it would hide from whoever looks for commas is left where it is.
  if (syntax == Syntax::Unknown || (syntax == Syntax::Codings && joined.find('"') != std::string_view::npos)) return joined;
  const std::span<std::string_view> codings = arena.array<std::string_view>(syntax == Syntax::Codings ? kMaxCodings : 0);
  std::size_t count = 0;
  ArenaText out(arena, joined.size() + 1);
  std::string_view rest = joined, member;
  while (next_list_element(rest, member)) {
    if (syntax == Syntax::Codings) {
      if (count == kMaxCodings) return joined;
      codings[count++] = coding(member, arena);
      continue;
    }
    if (!out.empty()) out.add(',');
    const std::string_view text = syntax == Syntax::List ? member : without_inner_blanks(member, arena);
    out.add(syntax == Syntax::Ranges ? lower(text, arena) : text);
  }
  if (syntax != Syntax::Codings) return out.view();
  const auto all = codings.first(count);
  std::sort(all.begin(), all.end());
  const auto end = std::unique(all.begin(), all.end());
  for (auto one = all.begin(); one != end; ++one) (one == all.begin() ? out : out.add(',')).add(*one);
  return out.view();
}

}  // namespace

Vary parse_vary(const http::Fields& response, Arena& arena) noexcept {
  Vary out;
  if (!response.may_have(http::FieldId::Vary)) return out;
  const std::span<std::string_view> names = arena.array<std::string_view>(Vary::kMaxNames);
  std::size_t count = 0;
  for (const http::Field& field : response) {
    if (field.id != http::FieldId::Vary) continue;
    std::string_view rest = field.value, element;
    while (next_list_element(rest, element)) {
      if (element == "*") {
        out.star = true;
        continue;
      }
      const std::string_view name = lower(element, arena);
      const auto known = names.first(count);
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      if (!http::is_token(name) || count == Vary::kMaxNames) {
        out.unreadable = true;
        continue;
      }
      names[count++] = name;
    }
  }
  const auto all = names.first(count);
  std::sort(all.begin(), all.end());
  out.names = all;
  return out;
}

bool selecting_value(const http::Fields& request, std::string_view name, std::string_view& value, Arena& arena) noexcept {
  bool found = false;
  value = normal(http::combined_field(request, name, arena, found), syntax_of(name), arena);
  return found;
}

std::string_view variant_key(std::span<const std::string_view> names, const http::Fields& request, Arena& arena) noexcept {
  if (names.empty()) return {};
  ArenaText out(arena);
  for (const std::string_view name : names) {
    std::string_view value;
    const bool present = selecting_value(request, name, value, arena);
    add_part(out, name);
    if (present) add_part(out, value);
    else out.add('-');
  }
  return out.view();
}

std::size_t choose_variant(std::span<const Variant> variants, const http::Fields& request, Arena& arena) noexcept {
  const auto better = [](const Variant& a, const Variant& b) {
    if (a.names.empty() != b.names.empty()) return !a.names.empty();
    if (a.date != b.date) return a.date > b.date;
    return a.response_time > b.response_time;
  };
  std::size_t best = kNoVariant;
  // Variants of one URI mostly vary by the same fields.
  std::span<const std::string_view> names;
  std::string_view key;
  for (std::size_t i = 0; i < variants.size(); ++i) {
    const Variant& one = variants[i];
    if (best != kNoVariant && !better(one, variants[best])) continue;
    if (!std::equal(names.begin(), names.end(), one.names.begin(), one.names.end())) {
      names = one.names;
      key = variant_key(names, request, arena);
    }
    if (key == one.key) best = i;
  }
  return best;
}

}  // namespace gatelab::cache
