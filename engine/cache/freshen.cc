// SPDX-License-Identifier: Apache-2.0
#include "cache/freshen.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "cache/validators.h"

namespace gatelab::cache {
namespace {

bool same_date(const Validators& a, const Validators& b) noexcept { return a.modified_at && b.modified_at && *a.modified_at == *b.modified_at; }
bool has_any(const Validators& v) noexcept { return v.etag || v.modified_at; }
// A Last-Modified is weak unless it can be told to be strong (RFC 9110 §8.8.2.2), which only matters where there is no tag.
bool has_strong(const Validators& v) noexcept { return v.etag ? !v.etag->weak : v.date_is_strong; }

bool matches_strongly(const Validators& newer, const Validators& stored) noexcept {
  if (newer.etag) return stored.etag && strong_match(*newer.etag, *stored.etag);
  return stored.date_is_strong && same_date(newer, stored);
}

bool matches_weakly(const Validators& newer, const Validators& stored) noexcept {
  if (newer.etag) return stored.etag && weak_match(*newer.etag, *stored.etag);
  return same_date(newer, stored);
}

bool belongs_to_content(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"Content-Encoding", "Content-Length", "Content-Range"};
  return std::any_of(kNames.begin(), kNames.end(), [name](std::string_view one) { return iequals(name, one); });
}

bool same_field(const http::Field& a, const http::Field& b) noexcept {
  return a.id != http::FieldId::Other ? a.id == b.id : iequals(a.name, b.name);
}

}  // namespace

void select_for_update(const http::Fields& not_modified, std::span<const Candidate> candidates, std::span<bool> chosen, Instant now) noexcept {
  std::fill(chosen.begin(), chosen.end(), false);
  const Validators newer = validators_of(not_modified, now);
  if (!has_any(newer)) {
    // §4.3.4, the third rule.
    if (candidates.size() == 1) chosen[0] = !has_any(validators_of(*candidates[0].fields, now));
    return;
  }
  const bool strong = has_strong(newer);
  std::size_t latest = candidates.size();
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Validators stored = validators_of(*candidates[i].fields, now);
    if (strong) {
      chosen[i] = matches_strongly(newer, stored);
      continue;
    }
    if (!matches_weakly(newer, stored)) continue;
    const auto age = [&candidates](std::size_t k) { return std::pair(candidates[k].date, candidates[k].response_time); };
    if (latest == candidates.size() || age(i) > age(latest)) latest = i;
  }
  if (latest != candidates.size()) chosen[latest] = true;
}

Freshened freshen(std::uint16_t status, const http::Fields& stored, const http::Fields& newer, const Rules& rules, Times times, Arena& arena) noexcept {
  const auto replaces = [&](const http::Field& field) { return is_kept(field.name, {}, rules) && !belongs_to_content(field.name); };
  const bool dated = newer.find(http::FieldId::Date) != nullptr;
  http::Fields merged(arena);
  for (const http::Field& old : stored) {
    const bool replaced = std::any_of(newer.begin(), newer.end(), [&](const http::Field& field) { return same_field(field, old) && replaces(field); });
    if (!replaced && (dated || old.id != http::FieldId::Date)) merged.add(old.id, old.name, old.value);
  }
  for (const http::Field& field : newer)
    if (replaces(field)) merged.add(field.id, field.name, field.value);
  const Control control = response_control(merged, rules.targets, arena);
  Freshened out{stored_fields(merged, control, rules, times.response_time, arena), control, facts_of(status, merged, control, rules, times)};
  out.facts.initial_age = corrected_initial_age(newer, times);  // its Age is not among the merged fields
  return out;
}

HeadEffect head_effect(const http::Fields& head, std::optional<std::uint64_t> head_length, const http::Fields& stored, std::uint64_t stored_length, Instant now) noexcept {
  const Validators newer = validators_of(head, now), old = validators_of(stored, now);
  if (head.find("ETag") != nullptr && !(newer.etag && old.etag && newer.etag->as_sent == old.etag->as_sent)) return HeadEffect::Expire;
  if (head.find("Last-Modified") != nullptr && !same_date(newer, old)) return HeadEffect::Expire;
  return head_length && *head_length != stored_length ? HeadEffect::Expire : HeadEffect::Freshen;
}

}  // namespace gatelab::cache
