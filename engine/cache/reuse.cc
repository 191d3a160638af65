// SPDX-License-Identifier: Apache-2.0
#include "cache/reuse.h"

#include <algorithm>
#include <array>

namespace gatelab::cache {
namespace {

constexpr std::array<std::string_view, 11> kWords{"fresh",   "max-stale",        "stale-while-revalidate", "not-stored",        "no-cache", "invalidated",
                                                  "request-no-cache", "request-max-age", "request-min-fresh",      "must-revalidate", "stale"};

// What stands against a response whatever its freshness; Fresh: nothing.
Why objection(const Facts& stored, const RequestDirectives& asked, const Reuse& numbers) noexcept {
  if (stored.invalid) return Why::Invalidated;
  if (stored.no_cache) return Why::NoCache;
  if (asked.no_cache) return Why::RequestNoCache;
  // RFC 8246 §2.1: a reload is no reason to validate what never changes while it is fresh.
  const bool never_changes = stored.immutable && numbers.ttl > Duration{};
  if (asked.max_age && numbers.age > *asked.max_age && !never_changes) return Why::RequestMaxAge;
  return Why::Fresh;
}

// Of a response to which there is no objection.
Reuse by_freshness(const Facts& stored, const RequestDirectives& asked, Reuse out) noexcept {
  const auto is = [&out](Use use, Why why) { return out.use = use, out.why = why, out; };
  const Duration staleness = -out.ttl;
  // max-stale and min-fresh together ask for nothing that is both: the stricter one counts.
  if (asked.min_fresh && out.ttl < *asked.min_fresh) return is(Use::Revalidate, Why::RequestMinFresh);
  if (staleness < Duration{}) return is(Use::Hit, Why::Fresh);
  if (stored.must_revalidate) return is(Use::Revalidate, Why::MustRevalidate);
  if (asked.max_stale && staleness <= *asked.max_stale) return is(Use::Hit, Why::MaxStale);
  // §5.2.1.1: who says max-age and not max-stale wants nothing stale.
  const bool window = stored.stale_while_revalidate > Duration{} && staleness <= stored.stale_while_revalidate;
  if (window && !asked.max_age) return is(Use::StaleWhileRevalidate, Why::StaleWhileRevalidate);
  return is(Use::Revalidate, Why::Stale);
}

}  // namespace

std::string_view word(Why why) noexcept { return kWords[static_cast<std::size_t>(why)]; }

Reuse reuse(const Facts* stored, const RequestDirectives& asked_for, const Rules& rules, Instant now) noexcept {
  const RequestDirectives asked = rules.obey_clients ? asked_for : RequestDirectives{};
  Reuse out;
  if (stored != nullptr) {
    out.age = current_age(*stored, now);
    out.ttl = stored->lifetime - out.age;
    out.use = Use::Revalidate;
    out.why = objection(*stored, asked, out);
    if (out.why == Why::Fresh) out = by_freshness(*stored, asked, out);
  }
  const bool upstream = out.use == Use::Revalidate || out.use == Use::Miss;
  if (asked.only_if_cached && upstream) out.use = Use::GatewayTimeout;
  return out;
}

bool is_stale_if_error(std::uint16_t status) noexcept { return status == 500 || status == 502 || status == 503 || status == 504; }

bool may_serve_on_error(const Facts& stored, const RequestDirectives& asked_for, const Rules& rules, Instant now) noexcept {
  const RequestDirectives asked = rules.obey_clients ? asked_for : RequestDirectives{};
  if (stored.invalid || stored.no_cache || stored.must_revalidate || asked.no_cache) return false;
  const Duration allowed = std::max(stored.stale_if_error, asked.stale_if_error.value_or(Duration{}));
  const Duration staleness = -time_to_live(stored, now);
  return staleness < Duration{} || (allowed > Duration{} && staleness <= allowed);
}

}  // namespace gatelab::cache
