// SPDX-License-Identifier: Apache-2.0
// Hedging (design §5): where a try takes longer than its upstream's answers do as a rule, the same request goes to another
// target as well. The first good answer is the client's; the other try is cancelled, and its target hears no blame for it.
// Only for requests that have no body and do no harm when they are done twice.
#include "proxy/hedge.h"

namespace gatelab::proxy {

// Null: this try runs alone.
std::unique_ptr<Exchange::Hedge> Exchange::hedge_of(const Attempt& own) noexcept {
  const upstream::Config& config = own.upstream.config();
  if (stale_ || websocket_ || !is_repeatable()) return nullptr;
  const auto patience = balance::patience(*config.hedge, config.state->latencies, services_.loop.now());
  return patience ? std::make_unique<Hedge>(services_.loop, *patience) : nullptr;
}

io::Task<Exchange::Attempt*> Exchange::race(Attempt& own, Hedge& hedge) {
  const Instant began = services_.loop.now();
  const Duration waited_before = record_.upstream;
  own.cancel = &hedge.own_cancel;
  own.watching = true;  // the wait below watches the client, for both
  hedge.racing.spawn(run_beside(own, hedge));
  auto first = until_news(hedge, began + hedge.patience);
  const bool news = co_await first;
  if (!news && hedge.over == 0 && !upstream_token_.cancelled()) begin_another(own, hedge);
  while (!upstream_token_.cancelled()) {
    const bool one_is_good = is_good(own) || (hedge.another && is_good(*hedge.another));
    if (one_is_good || hedge.over == (hedge.another ? 2U : 1U)) break;
    auto next = until_news(hedge, Instant::max());
    co_await next;
  }
  Attempt* won = &own;
  if (hedge.another && !is_good(own) && (is_good(*hedge.another) || own.failure != nullptr)) won = &*hedge.another;
  hedge.own_cancel.cancel();
  hedge.another_cancel.cancel();
  io::Wait end;
  end.what = "end of a hedged request";
  auto joining = hedge.racing.join(end);
  co_await joining;
  if (hedge.another) give_up(won == &own ? *hedge.another : own);
  won->cancel = &upstream_token_;
  won->watching = false;
  record_.upstream = waited_before + (services_.loop.now() - began);
  co_return won;
}

// What has lost may have failed by itself, or have an answer that a retry would have followed: that its target has to answer for.
void Exchange::give_up(Attempt& lost) noexcept {
  const bool answered = lost.over && lost.failure == nullptr && !is_good(lost);
  if (!answered && (lost.failure == nullptr || lost.failure == &observe::reason::kShutdown)) lost.failure = &observe::reason::kHedged;
  lost.note.reason = answered ? observe::reason::kRetried.word : lost.failure->word;
  if (is_stale(lost, lost.failure)) lost.failure = &observe::reason::kHedged;
  if (lost.failure != &observe::reason::kHedged) {
    if (!tried_) tried_ = std::make_unique<upstream::TriedTargets>();
    tried_->set(lost.upstream.index_of(lost.target));
  }
  settle(lost);
}

// The same request, to another target if there is one.
bool Exchange::begin_another(Attempt& own, Hedge& hedge) noexcept {
  upstream::Upstream& upstream = own.upstream;
  const upstream::Config& config = upstream.config();
  if (config.limits.pending != 0 && !config.state->waiting.empty()) return false;  // whoever waits for its first place comes before
  upstream::TriedTargets tried;
  if (tried_) tried = *tried_;
  tried.set(upstream.index_of(own.target));
  hedge.choice = upstream.choose({head_.fields, record_.client, record_.consumer}, &tried, services_.loop.clock());
  if (hedge.choice.target == nullptr) return false;
  if (!config.state->hedges.take(config.hedge->budget, services_.loop.now())) {
    upstream.leave(hedge.choice, {}, services_.loop.clock());
    return false;
  }
  hedge.another.emplace(upstream, hedge.choice, hedge.another_cancel, services_.loop, arena_);
  begin_try(*hedge.another);
  hedge.another->note.hedge = true;
  hedge.another->watching = true;
  hedge.racing.spawn(run_beside(*hedge.another, hedge));
  return true;
}

io::Task<void> Exchange::run_beside(Attempt& attempt, Hedge& hedge) {
  const observe::Reason* failure = nullptr;
  if (!take_pooled(attempt)) failure = co_await connect(attempt);
  if (failure == nullptr) {
    io::Code code = begin_request(attempt);
    if (code == io::Code::WouldBlock) code = co_await finish_piece(attempt, *attempt.cancel);
    failure = end_request(attempt, code);
  }
  if (failure == nullptr) failure = co_await read_answer(attempt);
  // Whatever its end looked like: it was given up.
  if (failure != nullptr && attempt.cancel->cancelled()) failure = &observe::reason::kShutdown;
  attempt.failure = failure;
  ++hedge.over;
  attempt.over = true;
  if (!hedge.waking) co_return;
  hedge.waking->over = true;
  hedge.waking->signal.signal();
}

// An answer that no retry would follow.
bool Exchange::is_good(const Attempt& attempt) const noexcept {
  if (!attempt.over || attempt.failure != nullptr) return false;
  const balance::RetryRules& retry = attempt.upstream.config().retry;
  return retry.max_retries == 0 || !retry.on.has({balance::Failure::None, attempt.head.status});
}

// True: a try was over before the deadline. False also if the client has gone.
io::Task<bool> Exchange::until_news(Hedge& hedge, Instant deadline) {
  hedge.waking = std::make_shared<Waking>();
  io::Wait wait;
  wait.deadline = deadline;
  wait.cancel = &upstream_token_;
  wait.what = "an answer of a hedged request";
  auto waiting = until_called(hedge.waking, wait, false);
  const bool news = co_await waiting;
  hedge.waking.reset();
  co_return news;
}

// One that was given up has taken at least as long as it ran: without it the slow ones would be missing from what is known,
// and a quantile would sink with every hedge.
void Exchange::tell_latencies(const Attempt& attempt) noexcept {
  if (attempt.upstream.config().hedge->after) return;  // nobody asks
  const Instant now = services_.loop.now();
  Duration took = attempt.note.connected + attempt.note.first_byte;
  if (attempt.failure == &observe::reason::kHedged && attempt.note.status == 0) took = now - (io_began_ + attempt.note.started);
  else if (attempt.note.status == 0) return;
  attempt.upstream.config().state->latencies.add(took, now);
}

}  // namespace gatelab::proxy
