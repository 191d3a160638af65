// SPDX-License-Identifier: Apache-2.0
#include "cache/cache_status.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/arena_text.h"
#include "http/structured.h"

namespace gatelab::cache {
namespace {

namespace sf = http::structured;

constexpr std::array<std::string_view, 8> kForwards{"bypass", "method", "uri-miss", "vary-miss", "miss", "request", "stale", "partial"};

// sf-token begins with a letter or "*"; of what may follow, names of caches and words need no more than tokens have.
bool is_sf_token(std::string_view text) noexcept {
  if (!http::is_token(text)) return false;
  const char first = text.front();
  return (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '*';
}

sf::Value name(std::string_view text) noexcept { return {.kind = is_sf_token(text) ? sf::Kind::Token : sf::Kind::String, .text = text}; }
sf::Value number(std::int64_t value) noexcept { return {.kind = sf::Kind::Integer, .number = value}; }
sf::Value boolean(bool value) noexcept { return {.kind = sf::Kind::Boolean, .boolean = value}; }

std::string_view visible(std::string_view text, Arena& arena) noexcept {
  constexpr char kHex[] = "0123456789ABCDEF";
  ArenaText out(arena, text.size() + 1);
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    const char escape[] = {'%', kHex[octet >> 4], kHex[octet & 15]};
    if (octet < 0x20 || octet > 0x7e) out.add({escape, 3});
    else out.add(c);
  }
  return out.view();
}

}  // namespace

Forward forward_of(Why why) noexcept {
  switch (why) {
    case Why::NotStored: return Forward::UriMiss;
    case Why::RequestNoCache:
    case Why::RequestMaxAge:
    case Why::RequestMinFresh: return Forward::Request;
    case Why::Fresh:
    case Why::MaxStale:
    case Why::StaleWhileRevalidate:
    case Why::NoCache:
    case Why::Invalidated:
    case Why::MustRevalidate:
    case Why::Stale: return Forward::Stale;
  }
  return Forward::Miss;
}

std::string_view cache_status(const CacheStatus& status, Arena& arena) noexcept {
  std::array<sf::Parameter, 8> parameters;
  std::size_t count = 0;
  const auto say = [&](std::string_view parameter, const sf::Value& value) { parameters[count++] = {parameter, value}; };
  if (!status.forward) {
    say("hit", boolean(true));
  } else {
    say("fwd", {.kind = sf::Kind::Token, .text = kForwards[static_cast<std::size_t>(*status.forward)]});
    if (status.status) say("fwd-status", number(*status.status));
  }
  if (status.ttl) say("ttl", number(floor_seconds(*status.ttl)));
  if (status.forward && status.stored) say("stored", boolean(true));
  if (status.forward && status.collapsed) say("collapsed", boolean(*status.collapsed));
  if (!status.key.empty() && status.key.size() <= kMaxKey) say("key", {.kind = sf::Kind::String, .text = visible(status.key, arena)});
  if (!status.detail.empty()) say("detail", name(status.detail));
  ArenaText out(arena);
  sf::write(out, sf::Item{name(status.cache), std::span(parameters).first(count)});
  return out.view();
}

void add_cache_status(http::Fields& response, const CacheStatus& status) noexcept { response.add("Cache-Status", cache_status(status, response.arena())); }

void set_age(http::Fields& response, Duration age) noexcept {
  char digits[20];
  const char* end = std::to_chars(digits, digits + sizeof digits, std::max<std::int64_t>(0, floor_seconds(age))).ptr;
  response.remove(http::FieldId::Age);
  response.add(http::FieldId::Age, "Age", response.arena().copy({digits, static_cast<std::size_t>(end - digits)}));
}

}  // namespace gatelab::cache
