// SPDX-License-Identifier: Apache-2.0
// Phase CacheStore: what an answer from upstream means for what is stored, and how it gets there while it goes to the client. A
// fill belongs to the cache: it goes on when its first client has gone.
#include <algorithm>

#include "base/text.h"
#include "cache/tags.h"
#include "cache/vary.h"
#include "http/forwarded.h"
#include "http/hop.h"
#include "proxy/attempt.h"
#include "proxy/caching.h"
#include "proxy/waking.h"

namespace gatelab::proxy {
namespace {

using cache::Fill;
using cache::Hit;

// Of content that is not stored and goes to followers only: the leader reads no further ahead of the slowest.
constexpr std::uint64_t kMostBehind = 256 * 1024;
constexpr std::size_t kFairOctets = 256 * 1024;
const observe::Reason& kClosing = observe::reason::kShutdown;

http::Fields copy_of(const http::Fields& fields, Arena& arena) noexcept {
  http::Fields out(arena);
  for (const http::Field& f : fields) out.add(f.id, f.name, f.value);
  return out;
}

bool is_stream(const http::Fields& fields) noexcept {
  const http::Field* type = fields.find(http::FieldId::ContentType);
  return type != nullptr && iequals(trim_ows(type->value.substr(0, type->value.find(';'))), "text/event-stream");
}

// A response that varies by what the gateway tells its upstream: no request of a client holds that.
bool varies_by_gateway(const cache::Vary& vary, std::string_view request_id_name) noexcept {
  return std::any_of(vary.names.begin(), vary.names.end(), [request_id_name](std::string_view name) {
    return name != "host" && (http::is_gateways_own(name) || http::is_forwarding_field(name) || iequals(name, request_id_name));
  });
}

}  // namespace

cache::Exchanged Exchange::exchanged(std::uint16_t status, const http::Fields& response, const cache::Control& control) const noexcept {
  const Caching& c = *caching_;
  cache::Exchanged out;
  out.method = head_.method;
  out.authenticated = c.use.authenticated;
  out.scope = c.use.scope;
  out.request_has_cookie = c.request.find(http::FieldId::Cookie) != nullptr;
  out.asked = c.asked;
  out.status = status;
  out.response = &response;
  out.control = &control;
  return out;
}

// The final answer has come, and no other try follows.
io::Task<const observe::Reason*> Exchange::answer_caching(Attempt& attempt) {
  Caching& c = *caching_;
  c.status.status = attempt.head.status;
  if (cache::is_stale_if_error(attempt.head.status) && may_serve_stale()) {
    finish_unread(attempt);
    auto serving = serve_stale();
    co_await serving;
    co_return nullptr;
  }
  http::Fields response = copy_of(attempt.head.fields, arena_);
  http::strip_hop_by_hop(response);
  if (head_.method == http::Method::Head && attempt.head.status == 200) freshen_by_head(attempt, response);
  if (c.fill.is_open() && attempt.head.status == 304 && !c.validated.empty()) {
    const Hit valid = freshen_by_304(response);
    finish_unread(attempt);
    c.word = "revalidated";
    auto serving = serve(valid);
    co_await serving;
    co_return nullptr;
  }
  cache::Facts facts;
  if (c.fill.is_open() && begin_fill(attempt, response, facts)) {
    if (attempt.answered_whole()) co_return co_await store_whole(attempt, response, facts);
    co_return co_await lead(attempt, response, facts);
  }
  begin_answer(attempt);
  if (!attempt.answered_whole()) co_return co_await relay(attempt);
  const std::string_view body = attempt.unread().substr(0, attempt.head.body.length);
  attempt.used += body.size();
  io::Code code = write_body(body, true, nullptr);
  if (code == io::Code::WouldBlock) code = co_await written();
  co_return end_answer(attempt, code, body.size());
}

// A 304 that is about nothing that is stored tells nothing: the request goes once more, without conditions.
bool Exchange::asks_anew(const Attempt& attempt) noexcept {
  if (caching_ == nullptr || attempt.head.status != 304 || !caching_->fill.is_open() || caching_->validated.empty()) return false;
  Caching& c = *caching_;
  if (selected(attempt.head.fields) < c.validated.size()) return false;
  for (const std::string_view name : {"If-None-Match", "If-Modified-Since"}) head_.fields.remove(name);
  c.validated.clear();
  c.asked_at = services_.loop.clock().policy_now();
  return true;
}

// Which of the validated ones a 304 is about; their number: none.
std::size_t Exchange::selected(const http::Fields& not_modified) noexcept {
  const Caching& c = *caching_;
  const std::size_t count = c.validated.size();
  const std::span<cache::Candidate> candidates = arena_.array<cache::Candidate>(count);
  const std::span<bool> chosen = arena_.array<bool>(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto* fields = arena_.make<http::Fields>(arena_);
    c.validated[i].head->add_to(*fields);
    candidates[i] = {fields, c.validated[i].facts.date, c.validated[i].facts.response_time};
  }
  cache::select_for_update(not_modified, candidates, chosen, services_.loop.clock().policy_now());
  // Where one was asked about, a 304 that names none can be about nothing else.
  const bool names_none = not_modified.find("ETag") == nullptr && not_modified.find("Last-Modified") == nullptr;
  if (count == 1 && names_none) return 0;
  const auto first = std::find(chosen.begin(), chosen.end(), true);
  for (std::size_t i = 0; i < count; ++i)
    if (chosen[i] && c.hit && c.validated[i].head == c.hit->head) return i;
  return static_cast<std::size_t>(first - chosen.begin());
}

// What the stored response becomes, in the store and for this request.
Hit Exchange::freshen_by_304(const http::Fields& response) noexcept {
  Caching& c = *caching_;
  const Hit& stored = c.validated[selected(response)];
  http::Fields fields(arena_);
  stored.head->add_to(fields);
  const Instant now = services_.loop.clock().policy_now();
  const cache::Freshened fresh = cache::freshen(stored.head->status(), fields, response, c.use.plan->rules, {c.asked_at, now}, arena_);
  const cache::Vary vary = cache::parse_vary(fresh.fields, arena_);
  cache::HeadParts parts{stored.head->status(), &fresh.fields, vary.names, cache::variant_key(vary.names, c.request, arena_), cache::tags_of(fresh.fields, arena_)};
  Hit valid{std::make_shared<const cache::StoredHead>(parts), stored.body, fresh.facts, 0};
  const cache::Storable verdict = cache::storable(exchanged(parts.status, fresh.fields, fresh.control), c.use.plan->rules, arena_);
  if (verdict == cache::Storable::Yes) {
    c.status.stored = c.fill.validated(stored, parts, fresh.facts);
  } else {
    c.status.detail = cache::word(verdict);
    c.store.expire(c.place, stored, now);
    c.fill.uncacheable(now);
  }
  return valid;
}

// RFC 9111 §4.3.5
void Exchange::freshen_by_head(const Attempt& attempt, const http::Fields& response) noexcept {
  Caching& c = *caching_;
  const Instant now = services_.loop.clock().policy_now();
  std::optional<std::uint64_t> length;
  std::uint64_t number = 0;
  if (const http::Field* said = attempt.head.fields.find(http::FieldId::ContentLength); said != nullptr && parse_decimal(said->value, number)) length = number;
  for (const Hit& hit : c.store.candidates(c.place, c.request, arena_)) {
    http::Fields fields(arena_);
    hit.head->add_to(fields);
    if (cache::head_effect(response, length, fields, hit.body->size(), now) == cache::HeadEffect::Expire) {
      c.store.expire(c.place, hit, now);
      continue;
    }
    const cache::Freshened fresh = cache::freshen(hit.head->status(), fields, response, c.use.plan->rules, {c.asked_at, now}, arena_);
    const cache::Vary vary = cache::parse_vary(fresh.fields, arena_);
    const cache::HeadParts parts{hit.head->status(), &fresh.fields, vary.names, cache::variant_key(vary.names, c.request, arena_), cache::tags_of(fresh.fields, arena_)};
    cache::Exchanged whole = exchanged(parts.status, fresh.fields, fresh.control);
    whole.method = http::Method::Get;
    if (cache::storable(whole, c.use.plan->rules, arena_) != cache::Storable::Yes) c.store.expire(c.place, hit, now);
    else c.store.freshen(c.place, hit, parts, fresh.facts);
  }
}

// True: it is being stored. False: it can't be, and whoever waits for it knows.
bool Exchange::begin_fill(const Attempt& attempt, const http::Fields& response, cache::Facts& facts) noexcept {
  Caching& c = *caching_;
  const policy::CachePlan& plan = *c.use.plan;
  const Instant now = services_.loop.clock().policy_now();
  const cache::Control control = cache::response_control(response, plan.rules.targets, arena_);
  const cache::Admission admission = cache::admit(exchanged(attempt.head.status, response, control), plan.rules, {c.asked_at, now}, arena_);
  const cache::Vary vary = cache::parse_vary(response, arena_);
  std::string_view why;
  if (admission.verdict != cache::Storable::Yes) why = cache::word(admission.verdict);
  else if (is_stream(response)) why = "stream";
  else if (varies_by_gateway(vary, listener_.request_id_name)) why = "vary-gateway";
  if (!why.empty()) {
    c.status.detail = why;
    // A server that fails does not say what its answers are like when it does not, nor what answers this request alone what others get.
    const bool of_this_one = attempt.head.status >= 500 || admission.verdict == cache::Storable::Authorization || admission.verdict == cache::Storable::RequestCookie ||
                             admission.verdict == cache::Storable::OfItsRequest;
    c.fill.uncacheable(of_this_one ? now : now + plan.pass_for);
    return false;
  }
  facts = admission.facts;
  const http::Fields kept = cache::stored_fields(response, control, plan.rules, now, arena_);
  Fill::Limits limits;
  limits.most = plan.max_body;
  limits.pass_until = now + plan.pass_for;
  if (attempt.head.body.kind == http::Framing::Length) limits.length = attempt.head.body.length;
  if (attempt.head.body.kind == http::Framing::None) limits.length = 0;
  const cache::HeadParts parts{attempt.head.status, &kept, vary.names, cache::variant_key(vary.names, c.request, arena_), cache::tags_of(response, arena_)};
  if (c.fill.head(parts, facts, limits)) return true;
  c.status.detail = "too-large";
  return false;
}

// As most answers are: it came in one read.
io::Task<const observe::Reason*> Exchange::store_whole(Attempt& attempt, http::Fields& response, const cache::Facts& facts) {
  Caching& c = *caching_;
  const std::string_view body = attempt.unread().substr(0, attempt.head.body.kind == http::Framing::None ? 0 : attempt.head.body.length);
  attempt.used += body.size();
  if (!body.empty()) c.fill.append(body);
  c.status.stored = c.fill.complete();
  if (attempt.choice.sets_cookie) set_sticky(attempt, response);
  Cut cut = begin_stored(attempt.head.status, response, facts, body.size());
  const std::string_view data = cut.left == 0 ? std::string_view() : cut.of(body);
  io::Code code = write_body(data, true, nullptr);
  if (code == io::Code::WouldBlock) code = co_await written();
  if (code == io::Code::Ok) record_.response_octets += data.size();
  attempt.note.reason = observe::reason::kCompleted.word;
  c.answered_by = attempt.upstream.name();
  co_await end_stored(code);
  co_return nullptr;
}

bool Exchange::fills_for_others() const noexcept { return caching_ != nullptr && caching_->status.stored && caching_->fill.is_open() && caching_->fill.followers() > 1; }

// Reads for the cache, as fast as the upstream sends, while the client reads along as all do who wait for it.
io::Task<const observe::Reason*> Exchange::lead(Attempt& attempt, http::Fields& response, const cache::Facts& facts) {
  Caching& c = *caching_;
  c.status.stored = true;
  c.answered_by = attempt.upstream.name();
  auto waking = std::make_shared<Waking>();
  cache::Follower mine = c.fill.follow(call_of(waking, services_.loop));
  if (attempt.choice.sets_cookie) set_sticky(attempt, response);
  const bool is_known = attempt.head.body.kind == http::Framing::Length;
  const Cut cut = begin_stored(attempt.head.status, response, facts, is_known ? std::optional(attempt.head.body.length) : std::nullopt);
  attempt.cancel = &c.token;
  attempt.watching = attempt.pumped = true;
  inbound_.on_cut(&c.token);
  attempt.beside.spawn(read_along(mine, waking, cut));
  auto pumping = pump(attempt);
  attempt.failure = co_await pumping;
  attempt.note.reason = attempt.failure == nullptr ? observe::reason::kCompleted.word : attempt.failure->word;
  if (attempt.failure != nullptr) c.fill.failed();
  settle(attempt);  // the connection serves others while the client reads on
  io::Wait wait;
  wait.what = "a client that reads an answer which is stored by now";
  auto joining = attempt.beside.join(wait);
  co_await joining;
  co_return nullptr;
}

io::Task<const observe::Reason*> Exchange::pump(Attempt& attempt) {
  Caching& c = *caching_;
  attempt.decoder = arena_.make<http::BodyDecoder>(attempt.head.body, &attempt.trailers);
  std::size_t since_yield = 0;
  for (;;) {
    const http::BodyDecoder::Piece piece = attempt.decoder->next(attempt.unread());
    attempt.used += piece.consumed;
    if (piece.state == http::BodyDecoder::State::Failed) co_return &observe::reason::kUpstreamMalformed;
    if (!piece.data.empty()) {
      const Fill::Kept kept = c.fill.append(piece.data);
      if (kept == Fill::Kept::Unread) co_return &kClosing;
      if (kept == Fill::Kept::Passing) {
        auto waiting = until_read();
        co_await waiting;
      }
      since_yield += piece.data.size();
    }
    if (piece.state == http::BodyDecoder::State::Done) break;
    if (piece.state == http::BodyDecoder::State::NeedMore) {
      auto filling = fill(attempt);
      const observe::Reason* failure = co_await filling;
      if (failure == &observe::reason::kCompleted) break;
      if (failure != nullptr) co_return failure;
    }
    if (since_yield >= kFairOctets) {
      since_yield = 0;
      co_await io::yield(services_.loop);
    }
  }
  c.fill.complete();
  co_return nullptr;
}

// What is not stored is read no faster than it is taken; who takes nothing for long is left behind.
io::Task<void> Exchange::until_read() {
  Caching& c = *caching_;
  auto waking = std::make_shared<Waking>();
  if (c.fill.wait_below(kMostBehind, call_of(waking, services_.loop))) co_return;
  io::Wait wait;
  wait.cancel = &c.token;
  wait.deadline = std::min(total_deadline_, services_.loop.now() + timeouts_->idle);
  wait.what = "those who read an answer that is too large to store";
  auto waiting = until_woken(waking, services_.loop, wait);
  const bool woken = co_await waiting;
  if (!woken) c.fill.cut_off_slowest();
}

// What upstream said is known, and its content is of no use: the connection goes on only where there is none.
void Exchange::finish_unread(Attempt& attempt) noexcept {
  if (!attempt.answered_whole()) attempt.head.keep_alive = false;
  else if (attempt.head.body.kind == http::Framing::Length) attempt.used += attempt.head.body.length;
  attempt.note.reason = observe::reason::kCompleted.word;
}

}  // namespace gatelab::proxy
