// SPDX-License-Identifier: Apache-2.0
// Phase CacheLookup: what is stored answers, or somebody else's answer does while it comes, or the request goes upstream.
#include "proxy/caching.h"

#include "cache/directives.h"
#include "cache/key.h"
#include "http/hop.h"
#include "proxy/call.h"
#include "proxy/waking.h"

namespace gatelab::proxy {
namespace {

using cache::Follower;
using cache::Store;

// Whoever has looked so often, and found something else each time, asks for itself.
constexpr std::uint32_t kMaxRounds = 16;
// After so much a task lets others run.
constexpr std::size_t kFairOctets = 256 * 1024;

constexpr http::FieldId kNoId = http::FieldId::Other;

bool is_condition(const http::Field& f) noexcept {
  if (f.id != kNoId) return false;
  for (const std::string_view name : {"If-None-Match", "If-Modified-Since", "If-Range", "Range"})
    if (iequals(f.name, name)) return true;
  return false;
}

}  // namespace

// ~Exchange ends it: the arena does not.
Caching& Exchange::make_caching(const policy::CacheUse& use) noexcept {
  caching_ = std::construct_at(static_cast<Caching*>(arena_.allocate(sizeof(Caching), alignof(Caching))), use, arena_);
  return *caching_;
}

// False: there is no key for it, and it goes upstream as if there were no cache.
bool Exchange::begin_caching() noexcept {
  const policy::CacheUse& use = *input_.cache;
  if (websocket_) return false;
  const std::string_view authority = origin_.authority.empty() ? head_.authority : origin_.authority;
  const cache::Query query = cache::normalised_query({head_.query, head_.has_query}, use.plan->query, arena_);
  const auto target = cache::make_target(input_.scheme, authority, matching_.path, query.text, query.present, listener_.path, arena_);
  if (!target) return false;
  Caching& c = make_caching(use);
  head_.query = query.text;
  head_.has_query = query.present;
  cache::KeyParts parts;
  parts.scope = use.scope;
  parts.consumer = use.consumer;
  parts.route = matching_.route->name;
  parts.upstream = snapshot_->upstreams[static_cast<std::size_t>(record_.upstream_index)]->name();
  parts.forwarded = matching_.forwarded;
  parts.port = origin_.port != 0 ? origin_.port : inbound_.local().port;
  parts.target = *target;
  parts.fields = use.plan->fields;
  parts.request = &head_.fields;
  c.place = {cache::to_text(*target, arena_), cache::primary_key(parts, arena_)};
  c.asked = cache::request_directives(head_.fields);
  for (const http::Field& f : head_.fields)
    if (is_condition(f)) c.client.fields.add(f.id, f.name, f.value);
    else c.request.add(f.id, f.name, f.value);
  c.client.method = head_.method;
  if (use.plan->shows_key) c.status.key = c.place.url;
  return true;
}

// What is stored for the request, and what may be done with it.
cache::Reuse Exchange::look_up() noexcept {
  Caching& c = *caching_;
  input_.now = services_.loop.clock().policy_now();
  c.hit = c.store.find(c.place, c.request, input_.now, 0, arena_);
  const cache::Reuse found = cache::reuse(c.hit ? &c.hit->facts : nullptr, c.asked, c.use.plan->rules, input_.now);
  c.status.forward.reset();
  if (found.use != cache::Use::Hit && found.use != cache::Use::StaleWhileRevalidate) {
    c.status.forward = c.hit ? cache::forward_of(found.why) : c.store.has(c.place) ? cache::Forward::VaryMiss : cache::Forward::UriMiss;
    // What fwd says already needs no other word.
    const bool says_more = c.hit && found.why != cache::Why::Stale && found.why != cache::Why::NotStored;
    c.status.detail = says_more ? cache::word(found.why) : std::string_view();
  }
  return found;
}

io::Task<void> Exchange::through_cache() {
  Caching& c = *caching_;
  upstream::Upstream& upstream = *snapshot_->upstreams[static_cast<std::size_t>(record_.upstream_index)];
  set_deadline(upstream, asked_deadline_);
  for (;;) {
    const cache::Reuse found = look_up();
    if (found.use == cache::Use::GatewayTimeout) {
      c.word = "miss";
      Refusal refusal = refusal_of(observe::reason::kOnlyIfCached);
      refusal.by = c.use.by->kind();
      refusal.id = c.use.by->id;
      refusal.phase = observe::Phase::CacheLookup;
      co_return co_await refuse(refusal);
    }
    if (found.use == cache::Use::Hit || found.use == cache::Use::StaleWhileRevalidate) {
      if (found.use == cache::Use::StaleWhileRevalidate) refresh_beside();
      c.word = found.ttl > Duration{} ? "hit" : "stale";
      c.status.detail = found.why == cache::Why::Fresh ? std::string_view() : cache::word(found.why);
      auto serving = serve(*c.hit);
      co_return co_await serving;
    }
    // Answers to HEAD are not stored, so that nobody can wait for one.
    if (head_.method == http::Method::Head || ++c.rounds > kMaxRounds || (c.asked.no_store && c.use.plan->rules.obey_clients)) break;
    auto waking = std::make_shared<Waking>();
    Store::Asker asker;
    asker.request = &c.request;
    asker.seen = c.hit ? &*c.hit : nullptr;
    asker.wake = call_of(waking, services_.loop);
    Store::Joined joined = c.store.join(c.place, std::move(asker), input_.now, arena_);
    if (joined.role == Store::Role::Again) continue;
    if (joined.role == Store::Role::Follow) {
      c.status.collapsed = true;
      auto following = follow(joined.follower, std::move(waking));
      const Followed end = co_await following;
      if (end == Followed::Answered) co_return;
      if (end == Followed::Again) continue;
      c.status.collapsed = false;
    } else {
      c.fill = std::move(joined.fill);
    }
    break;
  }
  c.word = "miss";
  begin_asking();
  auto forwarding = forward();
  co_await forwarding;
}

// From here on the request is what goes upstream. Who leads asks for all of it, for everyone.
void Exchange::begin_asking() noexcept {
  Caching& c = *caching_;
  c.asked_at = input_.now = services_.loop.clock().policy_now();
  if (!c.fill.is_open()) return;
  for (const http::Field& f : c.client.fields) head_.fields.remove(f.name);
  if (!c.hit) return;
  c.validated = c.store.candidates(c.place, c.request, arena_);
  std::vector<http::Fields> stored(c.validated.size(), http::Fields(arena_));
  std::vector<const http::Fields*> all;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    c.validated[i].head->add_to(stored[i]);
    all.push_back(&stored[i]);
  }
  cache::make_validation(head_.fields, all, arena_);
}

// Waits for what another exchange brings, and passes it on while it comes.
io::Task<Exchange::Followed> Exchange::follow(Follower& follower, std::shared_ptr<Waking> waking) {
  Caching& c = *caching_;
  io::Wait wait;
  wait.cancel = &upstream_token_;
  wait.deadline = total_deadline_;
  wait.what = "an answer that another request has asked for";
  for (;;) {
    Follower::Event event = follower.poll(c.request, arena_);
    switch (event.news) {
      case Follower::News::Nothing: {
        auto waiting = until_called(waking, wait, false);
        const bool called = co_await waiting;
        if (!called) co_return co_await stop_waiting();
        waking->over = false;
        continue;
      }
      case Follower::News::Head: {
        c.word = "collapsed";
        input_.copies = nullptr;  // nothing of this one goes upstream, and nothing is copied
        http::Fields fields(arena_);
        event.hit.head->add_to(fields);
        const Cut cut = begin_stored(event.hit.head->status(), fields, event.hit.facts, event.length);
        auto reading = read_along(follower, std::move(waking), cut);
        co_await reading;
        co_return Followed::Answered;
      }
      case Follower::News::Validated: {
        c.word = "collapsed";
        auto serving = serve(event.hit);
        co_await serving;
        co_return Followed::Answered;
      }
      case Follower::News::Lead:
        // The upstream has failed just now. Whoever has a stale answer for that needs no failure of its own.
        if (may_serve_stale()) {
          follower.leave();
          auto serving = serve_stale();
          co_await serving;
          co_return Followed::Answered;
        }
        c.fill = follower.take_lead();
        co_return Followed::Asks;
      case Follower::News::Pass: co_return Followed::Asks;
      case Follower::News::Again:
      case Follower::News::Piece:
      case Follower::News::End:
      case Follower::News::CutOff: co_return Followed::Again;
    }
  }
}

// Before anything has come: the client has gone, the gateway closes, or its time is up.
io::Task<Exchange::Followed> Exchange::stop_waiting() {
  choice_.none = &observe::reason::kTotalTimeout;
  co_await refuse_forward();
  co_return Followed::Answered;
}

// From behind the head of an answer that is being stored to its end.
io::Task<void> Exchange::read_along(Follower& follower, std::shared_ptr<Waking> waking, Cut cut) {
  io::Wait wait;
  wait.cancel = &upstream_token_;
  wait.deadline = total_deadline_;
  wait.what = "the rest of an answer that another request has asked for";
  io::Code code = io::Code::Ok;
  std::size_t since_yield = 0;
  bool last = cut.left == 0;
  if (last) code = write_body({}, true, nullptr);
  if (code == io::Code::WouldBlock) code = co_await written();
  while (code == io::Code::Ok && !last) {
    const Follower::Event event = follower.poll(caching_->request, arena_);
    std::string_view data;
    if (event.news == Follower::News::Nothing) {
      code = write_body({}, false, nullptr);
      if (code == io::Code::WouldBlock) code = co_await written();
      if (code != io::Code::Ok) break;
      auto waiting = until_woken(waking, services_.loop, wait);
      const bool called = co_await waiting;
      if (!called) {
        const observe::Reason& why = services_.loop.now() >= total_deadline_ ? observe::reason::kTotalTimeout : observe::reason::kShutdown;
        co_return co_await break_off(why);
      }
      waking->over = false;
      continue;
    }
    if (event.news == Follower::News::Piece) data = cut.of(event.piece.view());
    else if (event.news != Follower::News::End) {
      // The client sees an answer that breaks off, not none.
      code = write_body({}, false, nullptr);
      if (code == io::Code::WouldBlock) (void)co_await written();
      co_return co_await break_off(observe::reason::kTruncated);
    }
    last = event.news == Follower::News::End || cut.left == 0;
    if (data.empty() && !last) continue;
    code = write_body(data, last, nullptr);
    if (code == io::Code::WouldBlock) code = co_await written();
    if (code == io::Code::Ok) record_.response_octets += data.size();
    since_yield += data.size();
    if (since_yield >= kFairOctets) {
      since_yield = 0;
      co_await io::yield(services_.loop);
    }
  }
  follower.leave();
  co_await end_stored(code);
}

// A stored answer, octets and all.
io::Task<void> Exchange::serve(cache::Hit hit) {
  input_.copies = nullptr;  // nothing goes upstream, and nothing is copied
  http::Fields fields(arena_);
  hit.head->add_to(fields);
  Cut cut = begin_stored(hit.head->status(), fields, hit.facts, hit.body->size());
  io::Code code = io::Code::Ok;
  std::size_t since_yield = 0;
  std::uint64_t at = cut.skip, left = std::min(cut.left, hit.body->size() - cut.skip);
  do {
    const std::string_view piece = left == 0 ? std::string_view() : hit.body->at(at).substr(0, left);
    at += piece.size();
    left -= piece.size();
    code = write_body(piece, left == 0, nullptr);
    if (code == io::Code::WouldBlock) code = co_await written();
    if (code == io::Code::Ok) record_.response_octets += piece.size();
    since_yield += piece.size();
    if (since_yield >= kFairOctets && left != 0) {
      since_yield = 0;
      co_await io::yield(services_.loop);
    }
  } while (code == io::Code::Ok && left != 0);
  co_await end_stored(code);
}

bool Exchange::may_serve_stale() const noexcept {
  if (caching_ == nullptr || committed_ || !caching_->hit || caching_->refreshes) return false;
  return cache::may_serve_on_error(caching_->hit->facts, caching_->asked, caching_->use.plan->rules, services_.loop.clock().policy_now());
}

// In place of a failure (RFC 5861 §4).
io::Task<void> Exchange::serve_stale() {
  Caching& c = *caching_;
  c.fill.failed();
  c.word = "stale";
  c.status.detail = "stale-if-error";
  auto serving = serve(*c.hit);
  co_await serving;
}

// RFC 5861 §3: the client has its answer, and what is stored is validated for the next.
void Exchange::refresh_beside() noexcept {
  Caching& c = *caching_;
  Store::Asker asker;
  asker.request = &c.request;
  asker.seen = &*c.hit;
  asker.waits = false;
  Store::Joined joined = c.store.join(c.place, std::move(asker), input_.now, arena_);
  if (joined.role == Store::Role::Lead) refresh(std::move(joined.fill));
}

}  // namespace gatelab::proxy
