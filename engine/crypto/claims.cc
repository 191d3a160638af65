// SPDX-License-Identifier: Apache-2.0
#include "crypto/claims.h"

#include <algorithm>
#include <cmath>

namespace gatelab::crypto {
namespace {

Failure<JoseFault> malformed(std::string_view detail) { return {{JoseReason::Malformed, detail}}; }

std::optional<Instant> instant_of(const JsonValue& claim) {
  const auto seconds = claim.as_number();
  if (!seconds || std::signbit(*seconds)) return std::nullopt;
  constexpr double kLast = static_cast<double>(Instant::max().ns / 1'000'000'000);
  if (*seconds >= kLast) return Instant::max();
  const double whole = std::floor(*seconds);
  return Instant{static_cast<std::int64_t>(whole) * 1'000'000'000 + static_cast<std::int64_t>((*seconds - whole) * 1e9)};
}

bool is_list_of_texts(const JsonValue& value) {
  if (!value.is(JsonKind::List)) return false;
  for (auto one = value.first(); one; one = one->next())
    if (!one->is(JsonKind::Text)) return false;
  return true;
}

// Calls `visit` with each element of a list of texts, or with each word of a text (`words`) or the whole of it. True as soon
// as `visit` is.
template <class Visit>
bool any_of(const std::optional<JsonValue>& claim, bool words, const Visit& visit) {
  if (!claim) return false;
  if (const auto text = claim->as_text()) {
    if (!words) return visit(*text);
    for (std::size_t from = 0; from < text->size();) {
      const std::size_t space = std::min(text->find(' ', from), text->size());
      if (space > from && visit(text->substr(from, space - from))) return true;
      from = space + 1;
    }
    return false;
  }
  for (auto one = claim->first(); one; one = one->next())
    if (visit(one->scalar())) return true;
  return false;
}

std::optional<JsonValue> find_in(const JsonValue& object, std::string_view path) {
  if (const auto found = object.member(path)) return found;
  for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.', dot + 1))
    if (const auto inner = object.member(path.substr(0, dot)))
      if (const auto found = find_in(*inner, path.substr(dot + 1))) return found;
  return std::nullopt;
}

}  // namespace

Result<Claims, JoseFault> Claims::parse(std::string_view payload, const JoseLimits& limits) {
  auto document = JsonDocument::parse(payload, {.size = limits.token, .depth = limits.depth, .values = limits.values});
  if (!document) return malformed("the payload is no strict JSON, or it is too deep or too large");
  if (!document->root().is(JsonKind::Object)) return malformed("the payload is not a JSON object");
  Claims out(std::move(*document));
  const JsonValue all = out.all();
  for (const char* name : {"iss", "sub", "jti", "scope"})
    if (const auto claim = all.member(name); claim && !claim->is(JsonKind::Text)) return malformed("iss, sub, jti or scope is not a text");
  const auto take = [&all](const char* name, std::optional<Instant>& into) {
    const auto claim = all.member(name);
    if (claim) into = instant_of(*claim);
    return !claim || into;
  };
  if (!take("exp", out.expires_) || !take("nbf", out.not_before_) || !take("iat", out.issued_at_))
    return malformed("exp, nbf or iat is not a number of seconds");
  for (const char* name : {"aud", "scp"})
    if (const auto claim = all.member(name); claim && !claim->is(JsonKind::Text) && !is_list_of_texts(*claim))
      return malformed("aud or scp is neither a text nor a list of texts");
  return out;
}

std::optional<std::string_view> Claims::text(std::string_view name) const noexcept {
  const auto claim = all().member(name);
  return claim ? claim->as_text() : std::nullopt;
}

std::vector<std::string_view> Claims::audiences() const {
  std::vector<std::string_view> out;
  any_of(all().member("aud"), false, [&out](std::string_view one) { return out.push_back(one), false; });
  return out;
}

bool Claims::has_audience(std::string_view audience) const noexcept {
  return any_of(all().member("aud"), false, [audience](std::string_view one) { return one == audience; });
}

std::vector<std::string_view> Claims::scopes() const {
  std::vector<std::string_view> out;
  for (const char* name : {"scope", "scp"}) any_of(all().member(name), true, [&out](std::string_view one) { return out.push_back(one), false; });
  return out;
}

bool Claims::has_scope(std::string_view scope) const noexcept {
  const auto same = [scope](std::string_view one) { return one == scope; };
  return any_of(all().member("scope"), true, same) || any_of(all().member("scp"), true, same);
}

std::optional<JsonValue> Claims::find(std::string_view path) const noexcept { return find_in(all(), path); }

}  // namespace gatelab::crypto
