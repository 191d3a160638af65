// SPDX-License-Identifier: Apache-2.0
// Cache-Control and all that follows from it: the first line of the input is the status and the seconds that pass, the lines up to an
// empty one are fields of a response, the others those of a request. Whatever comes: more said never means more kept, the order of
// lines is none, lifetimes and ages stay within their bounds, and nothing is stored or served that a directive forbids.
#include <cstdint>
#include <string>
#include <vector>

#include "cache/freshen.h"
#include "cache/reuse.h"
#include "lines.h"

using namespace gatelab;
using namespace gatelab::cache;
using fuzz::check;

namespace {

constexpr Instant kNow = Instant::from_seconds(1'767'225'600);

void bounded(const std::optional<Duration>& d) { check(!d || (*d >= Duration{} && *d <= kForever)); }

// Of two that were said apart and of both together: each restriction of the parts is one of the whole, and no number is larger.
void restricts(const ResponseDirectives& whole, const ResponseDirectives& part) {
  check(whole.no_store >= part.no_store && whole.no_cache >= part.no_cache && whole.is_private >= part.is_private);
  check(whole.must_revalidate >= part.must_revalidate && whole.proxy_revalidate >= part.proxy_revalidate && whole.no_transform >= part.no_transform);
  const auto less = [](const std::optional<Duration>& all, const std::optional<Duration>& one) { check(!one || (all && *all <= *one)); };
  less(whole.max_age, part.max_age);
  less(whole.s_maxage, part.s_maxage);
  less(whole.stale_while_revalidate, part.stale_while_revalidate);
  less(whole.stale_if_error, part.stale_if_error);
}

bool same(const ResponseDirectives& a, const ResponseDirectives& b) {
  return a.max_age == b.max_age && a.s_maxage == b.s_maxage && a.stale_while_revalidate == b.stale_while_revalidate && a.stale_if_error == b.stale_if_error &&
         a.no_store == b.no_store && a.no_cache == b.no_cache && a.is_private == b.is_private && a.is_public == b.is_public && a.must_revalidate == b.must_revalidate &&
         a.proxy_revalidate == b.proxy_revalidate && a.must_understand == b.must_understand && a.no_transform == b.no_transform && a.immutable == b.immutable;
}

void lines(const http::Fields& response, Arena& arena) {
  const ResponseDirectives whole = response_directives(response);
  http::Fields backwards(arena);
  for (std::size_t i = response.size(); i-- > 0;) backwards.add(response.begin()[i].name, response.begin()[i].value);
  check(same(whole, response_directives(backwards)));
  for (const http::Field& field : response) {
    http::Fields alone(arena);
    alone.add(field.name, field.value);
    restricts(whole, response_directives(alone));
  }
  http::Fields forbidden(arena);
  for (const http::Field& field : response) forbidden.add(field.name, field.value);
  forbidden.add("Cache-Control", "no-store");
  check(response_directives(forbidden).no_store);
  for (const auto& d : {whole.max_age, whole.s_maxage, whole.stale_while_revalidate, whole.stale_if_error}) bounded(d);
}

void decisions(std::uint16_t status, Duration passed, const http::Fields& request, const http::Fields& response, const Rules& rules, Arena& arena) {
  const RequestDirectives asked = request_directives(request);
  const Control control = response_control(response, rules.targets, arena);
  const ResponseDirectives& d = control.directives;
  const Exchanged exchanged{.asked = asked, .status = status, .response = &response, .control = &control};
  const Admission admission = admit(exchanged, rules, {kNow, kNow + std::chrono::seconds(1)}, arena);
  if (admission.verdict == Storable::Yes) check(status >= 200 && !d.is_private && (!d.no_store || d.must_understand) && !asked.no_store);

  const Facts facts = facts_of(status, response, control, rules, {kNow, kNow + std::chrono::seconds(1)});
  const Instant now = kNow + passed;
  check(facts.lifetime >= Duration{} && facts.lifetime <= rules.max_ttl && facts.initial_age >= Duration{} && facts.initial_age <= kForever);
  check(current_age(facts, now) >= facts.initial_age && current_age(facts, now) <= kForever);
  const Reuse use = reuse(&facts, asked, rules, now);
  check(use.age == current_age(facts, now) && use.ttl == time_to_live(facts, now) && use.use != Use::Miss);
  if (use.use == Use::Hit || use.use == Use::StaleWhileRevalidate) check(!d.no_cache && !asked.no_cache && (use.ttl > Duration{} || !(d.must_revalidate || d.proxy_revalidate || d.s_maxage)));
  if (use.use == Use::GatewayTimeout) check(asked.only_if_cached);
  if (asked.only_if_cached) check(use.use != Use::Revalidate);
  if (may_serve_on_error(facts, asked, rules, now)) check(!d.no_cache && !d.must_revalidate && !d.proxy_revalidate && !d.s_maxage);

  const http::Fields kept = stored_fields(response, control, rules, kNow, arena);
  for (const http::Field& field : kept)
    check(field.id == http::FieldId::Date || (!d.no_cache_fields.contains(field.name) && !d.private_fields.contains(field.name) && !iequals(field.name, "Set-Cookie")));
  // Freshened by itself it is as it was.
  const Freshened once = freshen(status, kept, kept, rules, {now, now}, arena), twice = freshen(status, once.fields, once.fields, rules, {now, now}, arena);
  check(once.fields.size() == twice.fields.size());
  // Its Date may be among what is not kept. Ours stands there then: Expires is nearer to it, and Last-Modified further away.
  const bool dated_anew = d.no_cache_fields.contains("Date") || d.private_fields.contains("Date");
  if (!dated_anew) check(twice.facts.lifetime == once.facts.lifetime);
  else if (twice.facts.source != LifetimeSource::Heuristic) check(twice.facts.lifetime <= once.facts.lifetime);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size), line;
  Arena arena;
  http::Fields response(arena), request(arena);
  std::uint64_t status = 0, seconds = 0;
  if (!fuzz::next_line(rest, line)) return 0;
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos || !parse_decimal(line.substr(0, blank), status) || !parse_decimal(line.substr(blank + 1), seconds)) return 0;
  if (status < 100 || status > 599 || seconds > 1'000'000'000) return 0;
  while (fuzz::next_line(rest, line) && !line.empty()) fuzz::add_line(response, line);
  while (fuzz::next_line(rest, line)) fuzz::add_line(request, line);
  lines(response, arena);
  Rules rules;
  decisions(static_cast<std::uint16_t>(status), std::chrono::seconds(static_cast<std::int64_t>(seconds)), request, response, rules, arena);
  rules.default_ttl = std::chrono::seconds(30);
  rules.stale_if_error = rules.stale_while_revalidate = std::chrono::seconds(60);
  rules.targets = {"A-Cache-Control", "CDN-Cache-Control"};
  decisions(static_cast<std::uint16_t>(status), std::chrono::seconds(static_cast<std::int64_t>(seconds)), request, response, rules, arena);
  return 0;
}
