// SPDX-License-Identifier: Apache-2.0
// Which target a request is tried at, and whether another try follows (design §5). Until the first octet of an answer has
// gone to the client nothing is lost by a try that failed.
#include <algorithm>

#include "base/text.h"
#include "proxy/attempt.h"
#include "proxy/caching.h"
#include "proxy/waking.h"

namespace gatelab::proxy {
namespace {

using balance::Failure;
using balance::Outcome;

Outcome outcome_of(const observe::Reason* failure, std::uint16_t status) noexcept {
  namespace reason = observe::reason;
  if (failure == nullptr || failure == &reason::kCompleted) return {Failure::None, status};
  for (const observe::Reason* r : {&reason::kUpstreamReset, &reason::kTruncated})
    if (failure == r) return {Failure::Reset, 0};
  for (const observe::Reason* r : {&reason::kResponseTimeout, &reason::kPerTryTimeout, &reason::kIdleTimeout, &reason::kTotalTimeout})
    if (failure == r) return {Failure::Timeout, 0};
  return {failure == &reason::kUpstreamMalformed ? Failure::Malformed : Failure::Connect, 0};
}

std::optional<Duration> retry_after(const http::ResponseHead& head) noexcept {
  std::uint64_t seconds = 0;
  const http::Field* f = head.fields.find("Retry-After");
  if (f == nullptr || !parse_decimal(f->value, seconds)) return std::nullopt;
  return std::chrono::seconds(std::min<std::uint64_t>(seconds, 1'000'000'000));
}

}  // namespace

// To an upstream, and whatever comes of it.
io::Task<void> Exchange::forward() {
  upstream::Upstream& upstream = begin_forward();
  if (!has_target(upstream)) co_return co_await without_target(upstream);
  const Try first = co_await attempt(upstream);
  if (first == Try::Again) co_await try_again(upstream);
}

void Exchange::set_deadline(const upstream::Upstream& upstream, Instant deadline) noexcept {
  asked_deadline_ = deadline;
  timeouts_ = &upstream.timeouts();
  for (const auto& [index, own] : matching_.route->timeouts)
    if (index == record_.upstream_index) timeouts_ = &own;
  if (!upstream.timeouts().header.empty()) take_deadline(upstream.timeouts().header);
  total_deadline_ = std::min(asked_deadline_, io_began_ + timeouts_->total);
}

upstream::Upstream& Exchange::begin_forward() noexcept {
  mark(forwarded_);
  upstream::Upstream& upstream = *snapshot_->upstreams[static_cast<std::size_t>(record_.upstream_index)];
  const balance::RetryRules& rules = upstream.config().retry;
  if (rules.max_retries != 0) {
    upstream.config().state->retries.request(rules.budget, services_.loop.now());
    if (head_.body.kind != http::Framing::None && kept_body() == nullptr) kept_ = std::make_unique<Kept>();
  }
  if (upstream.config().hedge) upstream.config().state->hedges.request(upstream.config().hedge->budget, services_.loop.now());
  return upstream;
}

// Whoever asks may have less time than the upstream is given, never more. What is no number is nobody's time.
void Exchange::take_deadline(std::string_view name) noexcept {
  std::uint64_t ms = 0;
  const http::Field* said = head_.fields.find(name);
  if (said == nullptr) return;
  if (parse_decimal(said->value, ms) && ms <= 1'000'000'000) asked_deadline_ = std::min(asked_deadline_, io_began_ + std::chrono::milliseconds(ms));
  head_.fields.remove(name);
}

// Without a body, and of a method that does no harm when it is done twice.
bool Exchange::is_repeatable() const noexcept { return http::is_idempotent(head_.method) && head_.body.kind == http::Framing::None; }

// True if there is a target: choice_ has it.
bool Exchange::choose(upstream::Upstream& upstream) noexcept {
  choice_ = upstream.choose({head_.fields, record_.client, record_.consumer}, tried_.get(), services_.loop.clock());
  return choice_.target != nullptr;
}

// Whoever waits already comes first.
bool Exchange::has_target(upstream::Upstream& upstream) noexcept {
  const upstream::Config& config = upstream.config();
  if (total_deadline_ <= services_.loop.now()) {
    choice_.none = &observe::reason::kTotalTimeout;  // nobody waits for an answer any more
    return false;
  }
  if (config.limits.pending == 0 || config.state->waiting.empty()) return choose(upstream);
  choice_.none = &observe::reason::kUpstreamBusy;
  return false;
}

io::Task<void> Exchange::without_target(upstream::Upstream& upstream) {
  bool found = false;
  if (choice_.none == &observe::reason::kUpstreamBusy && upstream.config().limits.pending != 0) found = co_await wait_for_target(upstream);
  if (!found) {
    co_await refuse_forward();
    co_return;
  }
  const Try first = co_await attempt(upstream);
  if (first == Try::Again) co_await try_again(upstream);
}

// In the queue of requests for which every target had too many.
io::Task<bool> Exchange::wait_for_target(upstream::Upstream& upstream) {
  const upstream::Limits& limits = upstream.config().limits;
  upstream::Waiting& waiting = upstream.config().state->waiting;
  io::Wait wait;
  wait.cancel = &upstream_token_;
  wait.deadline = std::min(total_deadline_, services_.loop.now() + limits.pending_wait);
  wait.what = "a target with room";
  while (choice_.none == &observe::reason::kUpstreamBusy) {
    auto waking = std::make_shared<Waking>();
    upstream::Waiting::Place place;
    if (!waiting.join(limits.pending, call_of(waking, services_.loop), place)) co_return false;
    auto until = until_called(waking, wait, false);
    const bool called = co_await until;
    // Who was called and does not come hands the call on.
    if (!waiting.leave(place) && !called) waiting.call_next();
    if (!called) co_return false;
    if (choose(upstream)) co_return true;
  }
  co_return false;
}

io::Task<void> Exchange::try_again(upstream::Upstream& upstream) {
  std::atomic<std::uint32_t>& in_flight = upstream.config().state->retries_in_flight;
  Try result = Try::Again;
  while (result == Try::Again) {
    if (stale_) {
      result = co_await attempt(upstream);
      continue;
    }
    in_flight.fetch_add(1, std::memory_order_relaxed);
    io::Wait wait;
    wait.cancel = &upstream_token_;
    wait.deadline = services_.loop.now() + pause_;
    wait.what = "pause before another try";
    auto pausing = until_called(std::make_shared<Waking>(), wait, false);
    if (pause_ > Duration{}) co_await pausing;
    const bool goes_on = !upstream_token_.cancelled() && choose(upstream);
    if (goes_on) result = co_await attempt(upstream);
    in_flight.fetch_sub(1, std::memory_order_relaxed);
    if (!goes_on) co_return co_await refuse_forward();
  }
}

// Nothing has gone to the client, and nobody is left to ask.
io::Task<void> Exchange::refuse_forward() {
  if (caching_ != nullptr && !upstream_token_.cancelled()) {
    caching_->fill.failed();
    if (may_serve_stale()) co_return co_await serve_stale();
  }
  Refusal refusal;
  if (upstream_token_.cancelled()) {
    refusal = aborted_.word.empty() ? refusal_of(observe::reason::kShutdown) : aborted_;
  } else {
    // What a target did says more than that none is left.
    refusal = refusal_of(last_failure_ != nullptr ? *last_failure_ : *choice_.none);
    if (last_failure_ == nullptr) refusal.retry_after = choice_.open_for;
    refusal.by = "upstream";
    refusal.id = snapshot_->upstreams[static_cast<std::size_t>(record_.upstream_index)]->name();
  }
  refusal.phase = observe::Phase::Forward;
  co_await refuse(refusal);
}

// A connection that had been idle may have been closed by the target just then: that is no failure of the target's, and
// costs no retry, where nothing can have been processed twice.
bool Exchange::is_stale(const Attempt& attempt, const observe::Reason* failure) const noexcept {
  if (failure != &observe::reason::kUpstreamReset || !attempt.note.reused || attempt.answered) return false;
  if (!attempt.wrote && !upload_begun_) return true;
  return http::is_idempotent(head_.method) && body_is_there();
}

// The request's body, as far as it has been taken from the client, can be sent once more.
bool Exchange::body_is_there() const noexcept { return head_.body.kind == http::Framing::None || !upload_begun_ || kept_body() != nullptr; }

// All that was taken of it. What a policy has read as a whole needs no second copy, unless a filter changes it on its way.
const std::string* Exchange::kept_body() const noexcept {
  if (whole_ && whole_->complete && !input_.request_body) return &whole_->octets;
  return kept_ && kept_->all ? &kept_->octets : nullptr;
}

bool Exchange::tries_again(Attempt& attempt, const observe::Reason* failure) noexcept {
  attempt.failure = failure;
  if (upstream_token_.cancelled()) return false;
  if (is_stale(attempt, failure)) {
    stale_ = true;
    // Of two that ran beside each other the second one's place would go with them.
    if (&attempt.choice != &choice_) choice_ = std::exchange(attempt.choice, {});
    attempt.note.reason = failure->word;
    return true;
  }
  const upstream::Config& config = attempt.upstream.config();
  const Outcome outcome = outcome_of(failure, attempt.head.status);
  if (config.retry.max_retries == 0 || !config.retry.on.has(outcome)) return false;
  const Instant now = services_.loop.now();
  balance::Tried tried;
  tried.outcome = outcome;
  tried.method_allowed = config.retry.takes(head_.method_text, http::is_idempotent(head_.method));
  tried.untouched = !attempt.wrote;
  tried.repeatable = body_is_there();
  tried.retries = retries_;
  tried.left = total_deadline_ - now;
  if (failure == nullptr) tried.retry_after = retry_after(attempt.head);
  // Dice of this exchange's own: what others draw moves nothing here.
  Dice dice(hash64({request_id_, sizeof request_id_}, retries_));
  balance::Again again = balance::decide(config.retry, tried, dice);
  if (again.again && config.limits.retries != 0 && config.state->retries_in_flight.load(std::memory_order_relaxed) >= config.limits.retries) again = {false, {}, "too-many-retries"};
  if (again.again && !config.state->retries.take(config.retry.budget, now)) again = {false, {}, "budget-exhausted"};
  attempt.note.not_retried = again.why;
  if (!again.again) return false;
  prepare_another(attempt, again.pause);
  return true;
}

void Exchange::prepare_another(Attempt& attempt, Duration pause) noexcept {
  attempt.note.retried = true;
  ++retries_;
  pause_ = pause;
  if (!tried_) tried_ = std::make_unique<upstream::TriedTargets>();
  tried_->set(attempt.upstream.index_of(attempt.target));
  last_failure_ = attempt.failure;
  if (attempt.failure != nullptr) {
    attempt.note.reason = attempt.failure->word;
  } else if (attempt.answered_whole()) {
    attempt.used += attempt.head.body.kind == http::Framing::None ? 0 : attempt.head.body.length;
    attempt.note.reason = observe::reason::kCompleted.word;
  } else {
    attempt.note.reason = observe::reason::kRetried.word;
  }
}

// A piece of the request's body was taken from the client.
void Exchange::took(const upstream::Upstream& upstream, const BodyPiece& piece) noexcept {
  if (piece.kind == BodyPiece::Kind::Again) return;
  upload_begun_ = true;
  if (input_.copies != nullptr) keep_for_copies(piece.data);
  body_whole_ = piece.kind == BodyPiece::Kind::Done || (head_.body.kind == http::Framing::Length && inbound_.body_octets() == head_.body.length);
  if (!kept_ || !kept_->all) return;
  if (kept_->octets.size() + piece.data.size() <= upstream.config().retry.buffer) {
    kept_->octets += piece.data;
    return;
  }
  kept_->all = false;
  kept_->octets = {};
}

// Once a try: what it means for its target.
void Exchange::tell_target(Attempt& attempt) noexcept {
  const bool hedged = attempt.failure == &observe::reason::kHedged;
  if (attempt.upstream.config().hedge) tell_latencies(attempt);
  if (!attempt.choice.pass.entered || stale_) return;
  upstream::TargetState::Result result;
  result.outcome = outcome_of(attempt.failure, attempt.note.status);
  result.took = attempt.note.connected + attempt.note.first_byte;
  // What the client, the gateway or a policy has ended is not the target's doing, nor is that they or the route had less time
  // than it is given.
  const upstream::Timeouts& given = attempt.upstream.timeouts();
  const bool hurried = (attempt.failure == &observe::reason::kTotalTimeout && (total_deadline_ == asked_deadline_ || timeouts_->total < given.total)) ||
                       (attempt.failure == &observe::reason::kResponseTimeout && timeouts_->response < given.response) ||
                       (attempt.failure == &observe::reason::kIdleTimeout && timeouts_->idle < given.idle);
  result.says = !hedged && !hurried && attempt.failure != &observe::reason::kShutdown && (attempt.failure == nullptr || !upstream_token_.cancelled());
  attempt.upstream.leave(attempt.choice, result, services_.loop.clock());
}

void Exchange::set_sticky(const Attempt& attempt, http::Fields& fields) noexcept {
  const upstream::Sticky& sticky = *attempt.upstream.config().sticky;
  const bool secure = (origin_.scheme.empty() ? inbound_.scheme() : origin_.scheme) == "https";
  const std::string age = sticky.ttl > Duration{} ? "; Max-Age=" + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(sticky.ttl).count()) : std::string();
  fields.add("Set-Cookie", arena_.concat(sticky.cookie, "=", attempt.target.cookie(), "; Path=/; HttpOnly; SameSite=Lax", age, secure ? "; Secure" : ""));
}

}  // namespace gatelab::proxy
