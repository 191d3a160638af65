// SPDX-License-Identifier: Apache-2.0
#include "cache/freshness.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "cache/storability.h"
#include "http/date.h"

namespace gatelab::cache {
namespace {

constexpr std::array<std::string_view, 7> kWords{"none", "s-maxage", "max-age", "expires", "status-ttl", "default-ttl", "heuristic"};

// Expires is there: its time, which for what can't be read or differs from line to line is long over (§5.3, §4.2.1).
std::optional<Instant> expires(const http::Fields& response, Instant now) noexcept {
  std::optional<std::string_view> first;
  std::optional<Instant> out;
  for (const http::Field& field : response) {
    if (!iequals(field.name, "Expires")) continue;
    if (!first) out = http::parse_date(field.value, now).value_or(Instant{});
    else if (*first != field.value) out = Instant{};
    first = field.value;
  }
  return out;
}

// A share of how long the representation had not changed when it was sent (§4.2.2).
std::optional<Duration> heuristic(const http::Fields& response, const Rules& rules, Instant response_time) noexcept {
  const http::Field* field = response.find("Last-Modified");
  if (!rules.heuristics || field == nullptr) return std::nullopt;
  const std::optional<Instant> modified = http::parse_date(field->value, response_time);
  if (!modified) return std::nullopt;
  const Duration unchanged = between(*modified, date_of(response, response_time));
  return std::min(rules.heuristic_cap, Duration{unchanged.count() / 1'000'000 * rules.heuristic_share.millionths});
}

Lifetime uncapped(std::uint16_t status, const http::Fields& response, const Control& control, const Rules& rules, Instant response_time) noexcept {
  const ResponseDirectives& d = control.directives;
  if (d.s_maxage) return {*d.s_maxage, LifetimeSource::SMaxAge};
  if (d.max_age) return {*d.max_age, LifetimeSource::MaxAge};
  // RFC 9213 §2.2: beside a targeted field Expires means nothing.
  if (!control.targeted)
    if (const auto time = expires(response, response_time)) return {between(date_of(response, response_time), *time), LifetimeSource::Expires};
  for (const StatusTtl& one : rules.status_ttl)
    if (one.status == status) return {one.ttl, LifetimeSource::StatusTtl};
  if (!is_heuristically_cacheable(status) && !d.is_public) return {};
  if (rules.default_ttl) return {*rules.default_ttl, LifetimeSource::DefaultTtl};
  if (const auto value = heuristic(response, rules, response_time)) return {*value, LifetimeSource::Heuristic};
  return {};
}

}  // namespace

std::string_view word(LifetimeSource source) noexcept { return kWords[static_cast<std::size_t>(source)]; }

Lifetime freshness_lifetime(std::uint16_t status, const http::Fields& response, const Control& control, const Rules& rules, Instant response_time) noexcept {
  Lifetime out = uncapped(status, response, control, rules, response_time);
  out.value = std::clamp(out.value, Duration{}, std::min(rules.max_ttl, kForever));
  return out;
}

Instant date_of(const http::Fields& response, Instant response_time) noexcept {
  const http::Field* field = response.find(http::FieldId::Date);
  if (field == nullptr) return response_time;
  return http::parse_date(field->value, response_time).value_or(response_time);
}

Duration age_value(const http::Fields& response) noexcept {
  const http::Field* field = response.find(http::FieldId::Age);
  if (field == nullptr) return {};
  const std::string_view first = trim_ows(field->value.substr(0, field->value.find(',')));
  return parse_delta_seconds(first).value_or(Duration{});
}

Duration corrected_initial_age(const http::Fields& response, Times times) noexcept {
  const Duration apparent_age = between(date_of(response, times.response_time), times.response_time);
  const Duration response_delay = between(times.request_time, times.response_time);
  const Duration corrected_age_value = sum(age_value(response), response_delay);
  return std::max(apparent_age, corrected_age_value);
}

}  // namespace gatelab::cache
