// SPDX-License-Identifier: Apache-2.0
// Answers that are stored, or are being stored, as one client gets them: its conditions, its range, its age (RFC 9111 §4, RFC 9110
// §13, §14), and what the cache says of itself (RFC 9211).
#include "http/hop.h"
#include "proxy/caching.h"

namespace gatelab::proxy {

// Writes the head. What the client gets of the content; none: `left` is 0.
Exchange::Cut Exchange::begin_stored(std::uint16_t status, http::Fields& fields, const cache::Facts& facts, std::optional<std::uint64_t> length) noexcept {
  Caching& c = *caching_;
  Cut cut;
  AnswerHead out;
  out.framing = length ? http::BodyFraming{http::Framing::Length, *length} : http::BodyFraming{http::Framing::Chunked, 0};
  if (cache::evaluate(c.client.fields, fields, facts) == cache::Condition::NotModified) {
    status = 304;
    keep_for_304(fields);
  } else if (length) {
    status = cut_range(status, fields, facts, *length, cut, out.framing);
  }
  tell_cache(fields, &facts);
  fields.add(http::FieldId::Via, "Via", services_.via);
  out.bodiless = head_.method == http::Method::Head || status == 204 || status == 304;
  finish_fields(status, fields, false, out.framing);
  if (status == 204 || status == 304) out.framing = {};
  if (out.bodiless || (out.framing.kind == http::Framing::Length && out.framing.length == 0)) cut.left = 0;
  out.status = status;
  out.fields = &fields;
  record_.status = status;
  send_head(out);
  return cut;
}

void Exchange::keep_for_304(http::Fields& fields) noexcept {
  const bool has_etag = fields.find("ETag") != nullptr;
  http::Fields kept(arena_);
  for (const http::Field& f : fields)
    if (cache::goes_into_304(f.name, has_etag)) kept.add(f.id, f.name, f.value);
  fields = kept;
}

// The status that the answer has then.
std::uint16_t Exchange::cut_range(std::uint16_t status, http::Fields& fields, const cache::Facts& facts, std::uint64_t length, Cut& cut,
                                  http::BodyFraming& framing) noexcept {
  const cache::RangeDecision range = cache::decide_range(caching_->client, fields, facts, length);
  if (range.answer == cache::RangeAnswer::Whole) return status;
  if (range.answer == cache::RangeAnswer::Unsatisfiable) {
    fields.set("Content-Range", cache::unsatisfied_range(length, arena_));
    framing.length = 0;
    return 416;
  }
  fields.set("Content-Range", cache::content_range(range.range, length, arena_));
  framing.length = range.range.size();
  cut = {range.range.first, range.range.size()};
  return 206;
}

// Age and Cache-Status. `facts`: of what is stored; null: the answer is not.
void Exchange::tell_cache(http::Fields& fields, const cache::Facts* facts) noexcept {
  Caching& c = *caching_;
  if (facts != nullptr) {
    const Instant now = services_.loop.clock().policy_now();
    const Duration age = cache::current_age(*facts, now);
    if (age >= std::chrono::seconds(1) || !c.status.forward) cache::set_age(fields, age);
    c.status.ttl = cache::time_to_live(*facts, now);
  }
  cache::add_cache_status(fields, c.status);
}

io::Task<void> Exchange::end_stored(io::Code code) {
  if (held_ != nullptr && !aborted_.word.empty()) co_return co_await refuse(aborted_);
  const Caching& c = *caching_;
  if (c.answered_by.empty()) end(c.use.by->kind(), c.use.by->id, observe::reason::kCompleted.word, observe::Phase::Respond);
  else end("upstream", c.answered_by, observe::reason::kCompleted.word, observe::Phase::Respond);
  if (!client_failed(code)) co_return;
  const Refusal why = aborted_.word.empty() ? refusal_of(observe::reason::kShutdown) : aborted_;
  end(why.by, why.id, why.word, observe::Phase::Respond);
  record_.truncated = true;
  inbound_.reset();
}

// What the client reads will not come to its end.
io::Task<void> Exchange::break_off(const observe::Reason& reason) {
  const std::string& upstream = snapshot_->upstreams[static_cast<std::size_t>(record_.upstream_index)]->name();
  if (held_ != nullptr) {
    // The client has seen nothing of it yet.
    Refusal refusal = refusal_of(&reason == &observe::reason::kTruncated ? observe::reason::kUpstreamReset : reason);
    refusal.by = "upstream";
    refusal.id = upstream;
    refusal.phase = observe::Phase::Respond;
    co_return co_await refuse(refusal);
  }
  end("upstream", upstream, reason.word, observe::Phase::Respond);
  record_.truncated = true;
  inbound_.reset();
}

// RFC 9111 §4.4. Whatever route it came by: the resource is the same.
void Exchange::invalidate(std::uint16_t status, const http::Fields& response) noexcept {
  const std::string_view authority = origin_.authority.empty() ? head_.authority : origin_.authority;
  const auto target = cache::make_target(input_.scheme, authority, matching_.path, head_.query, head_.has_query, listener_.path, arena_);
  if (!target) return;
  const Instant now = services_.loop.clock().policy_now();
  const cache::Invalidation invalid = cache::invalidated(head_.method, *target, status, response, listener_.path, arena_);
  for (const policy::CachePlan* plan : snapshot_->caches)
    for (cache::Target one : invalid) {
      const cache::Query query = cache::normalised_query({one.query, one.has_query}, plan->query, arena_);
      one.query = query.text;
      one.has_query = query.present;
      plan->state->store.purge_url(cache::to_text(one, arena_), cache::Purge::Invalid, now);
    }
}

}  // namespace gatelab::proxy
