// SPDX-License-Identifier: Apache-2.0
#include "policy/limit_fields.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "http/structured.h"

namespace gatelab::policy {
namespace {

// `name` and two numbers, each with what stands before it.
std::string_view item(std::string_view name, std::string_view first, std::uint64_t a, std::string_view second, std::int64_t b, Arena& arena) noexcept {
  constexpr std::size_t kNumber = 20;
  char* const text = static_cast<char*>(arena.allocate(name.size() + first.size() + second.size() + 2 * kNumber, 1));
  char* at = put(put(text, name), first);
  at = std::to_chars(at, at + kNumber, a).ptr;
  at = put(at, second);
  at = std::to_chars(at, at + kNumber, b).ptr;
  return {text, static_cast<std::size_t>(at - text)};
}

}  // namespace

std::string limit_name(std::string_view id) {
  std::string plain(id);
  std::replace_if(plain.begin(), plain.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return http::structured::quoted(plain);
}

std::string_view limit_policy(std::string_view name, std::uint64_t quota, std::int64_t window_seconds, Arena& arena) noexcept {
  return item(name, ";q=", quota, ";w=", window_seconds, arena);
}

void add_limit_fields(http::Fields& fields, std::string_view name, std::uint64_t remaining, std::int64_t reset_seconds, std::string_view policy, Arena& arena) noexcept {
  fields.add(http::FieldId::RateLimit, "RateLimit", item(name, ";r=", remaining, ";t=", reset_seconds, arena));
  fields.add(http::FieldId::RateLimitPolicy, "RateLimit-Policy", policy);
}

}  // namespace gatelab::policy
