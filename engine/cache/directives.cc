// SPDX-License-Identifier: Apache-2.0
#include "cache/directives.h"

#include <algorithm>

#include "base/text.h"
#include "cache/seconds.h"

namespace gatelab::cache {
namespace {

// What stands behind a directive's name, in either syntax.
struct Argument {
  bool present = false;
  std::optional<Duration> seconds;        // it is a number of them
  std::optional<std::string_view> names;  // it can be read as a list
};

struct Directive {
  std::string_view name;
  Argument argument;
  bool hides = false;  // there may be directives in it that nobody sees
};

// DQUOTE *( qdtext / quoted-pair ) DQUOTE and nothing behind (RFC 9110 §5.6.4).
bool is_quoted_string(std::string_view text) noexcept {
  if (text.size() < 2 || text.front() != '"') return false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') return i + 1 == text.size();
    if (text[i] == '\\') ++i;
  }
  return false;
}

// cache-directive = token [ "=" ( token / quoted-string ) ] (RFC 9111 §5.2). Blanks around "=" are not in the grammar: the
// directive is recognised, its argument can't be read.
Directive parse_directive(std::string_view element) noexcept {
  const std::size_t equals = element.find('=');
  Directive out{.name = trim_ows(element.substr(0, equals))};
  const bool hides = element.find(',') != std::string_view::npos;
  if (!http::is_token(out.name)) return {.name = {}, .hides = hides};
  if (equals == std::string_view::npos) return out;
  out.argument.present = true;
  std::string_view text = element.substr(equals + 1);
  if (is_quoted_string(text)) text = text.substr(1, text.size() - 2);
  else if (!http::is_token(text)) return {.name = out.name, .argument = {.present = true}, .hides = hides};
  if (out.name.size() != equals || text.find('\\') != std::string_view::npos) return out;
  out.argument.seconds = parse_delta_seconds(text);
  out.argument.names = text;
  return out;
}

Argument argument_of(const http::structured::Member& member) noexcept {
  using http::structured::Kind;
  const http::structured::Value& value = member.item.value;
  if (!member.is_list && value.kind == Kind::Boolean && value.boolean) return {};
  Argument out{.present = true};
  if (member.is_list) return out;
  if (value.kind == Kind::Integer && value.number >= 0) out.seconds = std::min<Duration>(kForever, std::chrono::seconds(std::min<std::int64_t>(value.number, std::int64_t{1} << 31)));
  if (value.kind == Kind::String || value.kind == Kind::Token) out.names = value.text;
  return out;
}

// 0 for what can't be read or was said to be something else.
void set(std::optional<Duration>& into, const Argument& argument) noexcept {
  const Duration said = argument.seconds.value_or(Duration{});
  into = into && *into != said ? Duration{} : said;
}

// Without names that can be read it is about the whole response.
void set(bool& whole, FieldNames& names, const Argument& argument) noexcept {
  std::string_view rest = argument.names.value_or(std::string_view()), name;
  bool any = false;
  while (next_list_element(rest, name)) {
    any = true;
    if (!http::is_token(name) || !names.add(name)) whole = true;
  }
  whole = whole || !any;
}

// False for a directive that is not known here (§5.2.3: is ignored).
bool set_number(ResponseDirectives& out, std::string_view name, const Argument& argument) noexcept {
  if (iequals(name, "max-age")) return set(out.max_age, argument), true;
  if (iequals(name, "s-maxage")) return set(out.s_maxage, argument), true;
  if (iequals(name, "stale-while-revalidate")) return set(out.stale_while_revalidate, argument), true;
  if (iequals(name, "stale-if-error")) return set(out.stale_if_error, argument), true;
  return false;
}

void set(ResponseDirectives& out, std::string_view name, const Argument& argument) noexcept {
  if (set_number(out, name, argument)) return;
  if (iequals(name, "no-store")) out.no_store = true;
  else if (iequals(name, "no-cache")) set(out.no_cache, out.no_cache_fields, argument);
  else if (iequals(name, "private")) set(out.is_private, out.private_fields, argument);
  else if (iequals(name, "must-revalidate")) out.must_revalidate = true;
  else if (iequals(name, "proxy-revalidate")) out.proxy_revalidate = true;
  else if (iequals(name, "no-transform")) out.no_transform = true;
  else if (argument.present) return;
  else if (iequals(name, "public")) out.is_public = true;
  else if (iequals(name, "must-understand")) out.must_understand = true;
  else if (iequals(name, "immutable")) out.immutable = true;
}

// What a client says is advice (§5.2.1): a number that can't be read asks for nothing, but for max-age, which limits.
void set(RequestDirectives& out, std::string_view name, const Argument& argument) noexcept {
  const auto smaller = [](std::optional<Duration>& into, Duration said) { into = into ? std::min(*into, said) : said; };
  if (iequals(name, "no-cache")) out.no_cache = true;
  else if (iequals(name, "no-store")) out.no_store = true;
  else if (iequals(name, "no-transform")) out.no_transform = true;
  else if (iequals(name, "only-if-cached")) out.only_if_cached = true;
  else if (iequals(name, "max-age")) smaller(out.max_age, argument.seconds.value_or(Duration{}));
  else if (iequals(name, "max-stale") && !argument.present) smaller(out.max_stale, Duration::max());
  else if (!argument.seconds) return;
  else if (iequals(name, "max-stale")) smaller(out.max_stale, *argument.seconds);
  else if (iequals(name, "stale-if-error")) smaller(out.stale_if_error, *argument.seconds);
  else if (iequals(name, "min-fresh")) out.min_fresh = std::max(out.min_fresh.value_or(Duration{}), *argument.seconds);
}

template <class Directives>
Directives of_cache_control(const http::Fields& fields) noexcept {
  Directives out;
  if (!fields.may_have(http::FieldId::CacheControl)) return out;
  for (const http::Field& field : fields) {
    if (field.id != http::FieldId::CacheControl) continue;
    std::string_view rest = field.value, element;
    while (next_list_element(rest, element)) {
      const Directive one = parse_directive(element);
      if (one.hides) out.no_store = true;
      set(out, one.name, one.argument);
    }
  }
  return out;
}

bool pragma_is_no_cache(const http::Fields& request) noexcept {
  for (const http::Field& field : request) {
    if (!iequals(field.name, "Pragma")) continue;
    std::string_view rest = field.value, element;
    while (next_list_element(rest, element))
      if (iequals(element, "no-cache")) return true;
  }
  return false;
}

}  // namespace

bool FieldNames::add(std::string_view name) noexcept {
  if (contains(name)) return true;
  if (size_ == kMax) return false;
  names_[size_++] = name;
  return true;
}

bool FieldNames::contains(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < size_; ++i)
    if (iequals(names_[i], name)) return true;
  return false;
}

RequestDirectives request_directives(const http::Fields& request) noexcept {
  RequestDirectives out = of_cache_control<RequestDirectives>(request);
  if (request.count(http::FieldId::CacheControl) == 0) out.no_cache = pragma_is_no_cache(request);
  return out;
}

ResponseDirectives response_directives(const http::Fields& response) noexcept { return of_cache_control<ResponseDirectives>(response); }

ResponseDirectives response_directives(const http::structured::Dictionary& dictionary) noexcept {
  ResponseDirectives out;
  for (const http::structured::Member& member : dictionary.members) set(out, member.name, argument_of(member));
  return out;
}

}  // namespace gatelab::cache
