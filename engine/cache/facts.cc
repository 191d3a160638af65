// SPDX-License-Identifier: Apache-2.0
#include "cache/facts.h"

#include <algorithm>

#include "cache/vary.h"

namespace gatelab::cache {
namespace {

bool is_of_the_rules(LifetimeSource source) noexcept {
  return source == LifetimeSource::StatusTtl || source == LifetimeSource::DefaultTtl || source == LifetimeSource::Heuristic;
}

bool varies_by_cookie(const http::Fields& response, Arena& arena) noexcept {
  const Vary vary = parse_vary(response, arena);
  return std::find(vary.names.begin(), vary.names.end(), "cookie") != vary.names.end();
}

}  // namespace

Facts facts_of(std::uint16_t status, const http::Fields& response, const Control& control, const Rules& rules, Times times) noexcept {
  const ResponseDirectives& d = control.directives;
  const Lifetime lifetime = freshness_lifetime(status, response, control, rules, times.response_time);
  const bool says_stale = d.stale_while_revalidate || d.stale_if_error;
  return {
      .response_time = times.response_time,
      .date = date_of(response, times.response_time),
      .initial_age = corrected_initial_age(response, times),
      .lifetime = lifetime.value,
      .stale_while_revalidate = d.stale_while_revalidate.value_or(rules.stale_while_revalidate),
      .stale_if_error = d.stale_if_error.value_or(rules.stale_if_error),
      .status = status,
      .source = lifetime.source,
      .no_cache = d.no_cache,
      .must_revalidate = d.must_revalidate || d.proxy_revalidate || (d.s_maxage && !(rules.stale_beside_s_maxage && says_stale)),
      .immutable = d.immutable,
      .has_validator = response.find("ETag") != nullptr || response.find("Last-Modified") != nullptr,
  };
}

void expire(Facts& facts, Instant now) noexcept { facts.lifetime = std::min(facts.lifetime, current_age(facts, now)); }

bool is_ever_usable(const Facts& facts) noexcept {
  if (facts.has_validator) return true;
  if (facts.no_cache) return false;
  if (facts.lifetime > facts.initial_age) return true;
  return !facts.must_revalidate && (facts.stale_while_revalidate > Duration{} || facts.stale_if_error > Duration{});
}

Admission admit(const Exchanged& exchanged, const Rules& rules, Times times, Arena& arena) noexcept {
  Admission out{storable(exchanged, rules, arena), {}};
  if (out.verdict != Storable::Yes) return out;
  out.facts = facts_of(exchanged.status, *exchanged.response, *exchanged.control, rules, times);
  if (exchanged.request_has_cookie && is_of_the_rules(out.facts.source) && !rules.ignores_cookies && !varies_by_cookie(*exchanged.response, arena)) out.verdict = Storable::RequestCookie;
  else if (!is_ever_usable(out.facts)) out.verdict = Storable::NeverUsable;
  return out;
}

}  // namespace gatelab::cache
