// SPDX-License-Identifier: Apache-2.0
// Phase Forward: a connection to the target, the request's head up, the answer's head back.
#include <algorithm>

#include "base/text.h"
#include "http/hop.h"
#include "proxy/caching.h"
#include "proxy/hedge.h"
#include "proxy/head_writer.h"

namespace gatelab::proxy {
namespace {

constexpr std::uint8_t kMaxInterims = 16;
constexpr std::size_t kMaxPasses = 4;  // a configuration may well lead a request through its own listeners, but not for ever
constexpr http::Limits kAnswerLimits{64 * 1024 - 1024, 0, 256};
// Closing says this much of an aborted exchange when nobody else did.
const observe::Reason& kClosing = observe::reason::kShutdown;

}  // namespace

// Between the policies and an upstream; word empty: on to it.
Refusal Exchange::before_forward() noexcept {
  if (!matching_.refusal.word.empty()) return matching_.refusal;
  record_.upstream_index = input_.upstream >= 0 ? input_.upstream : matching_.route->upstream;
  if (record_.upstream_index < 0) return refusal_of(observe::reason::kInternal);
  return is_loop() ? refusal_of(observe::reason::kLoopDetected) : check_upgrade();
}

// True if Via holds this very process kMaxPasses times (RFC 9110 §7.6.3). Other gatelabs have other names.
bool Exchange::is_loop() const noexcept {
  std::size_t passes = 0;
  if (!head_.fields.may_have(http::FieldId::Via)) return false;
  const std::string_view us = std::string_view(services_.via).substr(4);  // behind "1.1 "
  for (const http::Field& f : head_.fields) {
    if (f.id != http::FieldId::Via) continue;
    std::string_view rest = f.value, hop;
    while (next_list_element(rest, hop)) {
      const std::size_t space = hop.find(' ');
      const std::string_view by = space == std::string_view::npos ? std::string_view() : trim_ows(hop.substr(space + 1));
      if (by.starts_with(us) && (by.size() == us.size() || by[us.size()] == ' ')) ++passes;
    }
  }
  return passes >= kMaxPasses;
}

void Exchange::begin_try(Attempt& attempt) noexcept {
  attempt.note.upstream = attempt.upstream.name();
  attempt.note.target = attempt.target.name();
  const Instant now = services_.loop.now();
  attempt.note.started = now - io_began_;
  if (record_.trace.span != 0) attempt.note.span = observe::try_span(record_.trace.span, tries_begun_++);
  const std::optional<Duration>& per_try = attempt.upstream.config().retry.per_try_timeout;
  attempt.deadline = per_try ? std::min(total_deadline_, now + *per_try) : total_deadline_;
}

io::Task<Exchange::Try> Exchange::attempt(upstream::Upstream& upstream) {
  Attempt own(upstream, choice_, upstream_token_, services_.loop, arena_);
  Attempt* won = &own;
  begin_try(own);
  const observe::Reason* failure = nullptr;
  const std::unique_ptr<Hedge> hedge = upstream.config().hedge ? hedge_of(own) : nullptr;
  if (hedge) {
    auto racing = race(own, *hedge);
    won = co_await racing;
    failure = won->failure;
  } else {
    if (stale_ || !take_pooled(own)) failure = co_await connect(own);
    stale_ = false;
    if (failure == nullptr) {
      io::Code code = begin_request(own);
      if (code == io::Code::WouldBlock) code = co_await finish_piece(own, upstream_token_);
      failure = end_request(own, code);
    }
    if (failure == nullptr) failure = co_await read_answer(own);
  }
  Attempt& attempt = *won;
  if (failure == nullptr && caching_ != nullptr && asks_anew(attempt)) {
    prepare_another(attempt, {});
    co_await leave(attempt);
    co_return Try::Again;
  }
  if (tries_again(attempt, failure)) {
    co_await leave(attempt);
    co_return Try::Again;
  }
  const bool upgraded = failure == nullptr && attempt.head.status == 101;
  if (upgraded) {
    failure = co_await tunnel(attempt);
  } else if (failure == nullptr) {
    attempt.deadline = total_deadline_;
    if (caching_ == nullptr) begin_answer(attempt);
    if (caching_ != nullptr) {
      auto answering = answer_caching(attempt);
      failure = co_await answering;
    } else if (attempt.answered_whole()) {
      const std::string_view body = attempt.unread().substr(0, attempt.head.body.length);
      attempt.used += body.size();
      io::Code code = write_body(body, true, nullptr);
      if (code == io::Code::WouldBlock) code = co_await written();
      failure = end_answer(attempt, code, body.size());
    } else {
      failure = co_await relay(attempt);
    }
  }
  if (failure != nullptr) co_await fail(attempt, *failure);
  if (attempt.beside.running() > 0) co_await leave(attempt);
  else settle(attempt);
  co_return Try::Over;
}

bool Exchange::take_pooled(Attempt& attempt) noexcept {
  for (;;) {
    attempt.transport = attempt.target.take(services_.loop.clock(), {record_.client, inbound_.local()});
    if (!attempt.transport) return false;
    // What can't be repeated does not go to a connection that is known to be dead, and nothing goes to one on which an
    // answer stands already: it would pass for that of this request.
    const bool may_be_stale = !is_repeatable() || attempt.transport->may_have_news();
    if (!may_be_stale || attempt.transport->peer_state() == io::Transport::Peer::Quiet) break;
    attempt.transport->close();
  }
  attempt.note.reused = true;
  attempt.note.address = attempt.transport->peer();
  return true;
}

io::Task<const observe::Reason*> Exchange::connect(Attempt& attempt) {
  io::Wait wait;
  wait.deadline = attempt.deadline;
  wait.cancel = attempt.cancel;
  const Instant before = services_.loop.now();
  const upstream::Behalf behalf{record_.client, inbound_.local()};
  upstream::Opened opened = co_await attempt.target.open(services_.loop, services_.network, services_.resolver, wait, behalf, services_.tap);
  attempt.note.connected = services_.loop.now() - before;
  attempt.note.address = opened.address;
  record_.upstream += attempt.note.connected;
  if (!opened.handshake.empty()) services_.sink.handshake_done("upstream", opened.handshake);
  attempt.transport = std::move(opened.transport);
  if (opened.failure == &observe::reason::kConnectTimeout && services_.loop.now() >= total_deadline_) co_return &observe::reason::kTotalTimeout;
  if (opened.failure == &observe::reason::kConnectTimeout && services_.loop.now() >= attempt.deadline) co_return &observe::reason::kPerTryTimeout;
  co_return opened.failure;
}

// Writes the head, and what has arrived of the body. WouldBlock: finish_piece(). Cancelled: the body is broken, and abort()
// has been told.
io::Code Exchange::begin_request(Attempt& attempt) noexcept {
  const Way way{origin_, record_.peer, inbound_.scheme(), record_.request_id, inbound_.local().port, services_.via};
  Told told = tell(head_, matching_, attempt.upstream.config(), attempt.target.authority(), listener_, way);
  if (!told.timeout_name.empty()) told.timeout = attempt.deadline - services_.loop.now();
  told.traceparent = traceparent_of(attempt.note);
  told.tracestate = tracestate_;
  told.asked_method = asked_method_;
  told.asked_uri = asked_uri_;
  told.websocket = websocket_;
  if (const crypto::TlsFacts* tls = inbound_.tls()) told.client_certificate = tls->peer_certificate;
  const std::string_view head = request_head(arena_, head_, told);
  std::string_view data;
  if (head_.body.kind == http::Framing::None) {
    body_whole_ = true;
  } else if (const std::string* kept = upload_begun_ ? kept_body() : nullptr) {
    data = *kept;  // a try before this one has taken it
  } else {
    const std::optional<BodyPiece> first = next_piece();
    if (!first) return io::Code::Cancelled;
    took(attempt.upstream, *first);
    data = first->data;
  }
  attempt.whole = body_whole_;
  return begin_piece(attempt, head, data, attempt.whole);
}

const observe::Reason* Exchange::end_request(Attempt& attempt, io::Code code) noexcept {
  attempt.sent = upload_end_ = services_.loop.now();
  if (code == io::Code::TimedOut && attempt.sent >= total_deadline_) return &observe::reason::kTotalTimeout;
  if (code == io::Code::TimedOut) return attempt.sent >= attempt.deadline ? &observe::reason::kPerTryTimeout : &observe::reason::kIdleTimeout;
  if (code == io::Code::Cancelled) return &kClosing;
  // A target that has closed already may still have said why: go on and read.
  upload_done_ = attempt.whole || code != io::Code::Ok;
  if (input_.copies != nullptr && attempt.whole && code == io::Code::Ok) send_copies();
  if (!upload_done_) attempt.beside.spawn(upload(attempt));
  return nullptr;
}

io::Task<const observe::Reason*> Exchange::read_answer(Attempt& attempt) {
  attempt.block = services_.buffers.take(BufferPool::kHead);
  const Duration patience = timeouts_->response;
  http::ResponseParser parser(attempt.head, head_.method, kAnswerLimits);
  for (;;) {
    const Instant from = attempt.whole ? attempt.sent : upload_done_ ? upload_end_ : services_.loop.now();
    const Instant deadline = std::min(attempt.deadline, from + patience);
    io::Wait wait = upstream_wait(attempt, deadline, "upstream answer");
    io::Code ready = co_await attempt.transport->readable(wait);
    if (goes_on(attempt, ready, wait.deadline, deadline)) {
      wait.deadline = deadline;
      ready = co_await attempt.transport->readable(wait);
    }
    const Instant now = services_.loop.now();
    if (ready == io::Code::Cancelled) co_return &kClosing;
    if (ready == io::Code::TimedOut && now >= total_deadline_) co_return &observe::reason::kTotalTimeout;
    if (ready == io::Code::TimedOut && now >= attempt.deadline) co_return &observe::reason::kPerTryTimeout;
    if (ready == io::Code::TimedOut && upload_done_ && now >= from + patience) co_return &observe::reason::kResponseTimeout;
    if (ready != io::Code::Ok) continue;
    const io::Count read = attempt.transport->try_read({attempt.block.data() + attempt.filled, attempt.block.size() - attempt.filled});
    if (read.code == io::Code::WouldBlock) continue;
    // In TLS 1.3 a target refuses a client certificate only after the handshake.
    if (read.code != io::Code::Ok && !attempt.answered && attempt.transport->tls_failure() == crypto::TlsFailure::PeerAlert) co_return &observe::reason::kTlsRefused;
    if (read.code != io::Code::Ok) co_return attempt.answered ? &observe::reason::kUpstreamMalformed : &observe::reason::kUpstreamReset;
    attempt.answered = true;
    attempt.filled += read.octets;
    bool final = false;
    for (;;) {
      const http::ParseState state = parser.parse({attempt.block.data() + attempt.used, attempt.filled - attempt.used});
      if (state == http::ParseState::Failed) co_return &observe::reason::kUpstreamMalformed;
      if (state == http::ParseState::NeedMore) break;
      attempt.used += parser.consumed();
      attempt.note.status = attempt.head.status;
      final = attempt.head.status >= 200 || (attempt.head.status == 101 && is_upgraded(attempt.head));
      if (final) break;
      const observe::Reason* failure = co_await pass_interim(attempt);
      if (failure != nullptr) co_return failure;
      std::construct_at(&attempt.head, arena_);
      std::construct_at(&parser, attempt.head, head_.method, kAnswerLimits);
    }
    if (final) {
      attempt.note.first_byte = now - (attempt.whole ? attempt.sent : std::max(attempt.sent, upload_end_));
      record_.upstream += attempt.note.first_byte;
      co_return nullptr;
    }
    if (attempt.filled == attempt.block.size()) co_return &observe::reason::kUpstreamMalformed;
  }
}

// An interim answer goes on at once.
io::Task<const observe::Reason*> Exchange::pass_interim(Attempt& attempt) {
  const std::uint16_t status = attempt.head.status;
  if (status == 101 || ++attempt.interims > kMaxInterims) co_return &observe::reason::kUpstreamMalformed;
  // A 100 is the target's to say: Expect went to it (RFC 9110 §10.1.1). HTTP/1.0 knows no interim answers (§15.2).
  // Of two tries that run beside each other nobody knows yet which one the client hears.
  if (head_.version == http::Version::Http10 || attempt.cancel != &upstream_token_) co_return nullptr;
  http::strip_hop_by_hop(attempt.head.fields);
  const io::Code code = co_await inbound_.write_interim(status, attempt.head.fields);
  co_return client_failed(code) ? &kClosing : nullptr;
}

// The attempt failed before its answer's end. What aborted the exchange is told rather than what it caused.
io::Task<void> Exchange::fail(Attempt& attempt, const observe::Reason& reason) {
  attempt.failure = &reason;
  // Of an answer whose head is held back the client has seen nothing that could be cut short.
  Refusal refusal = refusal_of(!committed_ && &reason == &observe::reason::kTruncated ? observe::reason::kUpstreamReset : reason);
  if (upstream_token_.cancelled()) {
    refusal = aborted_.word.empty() ? refusal_of(kClosing) : aborted_;
  } else if (&reason != &kClosing) {
    refusal.by = "upstream";
    refusal.id = attempt.upstream.name();
  }
  if (refusal.phase != observe::Phase::TransformResponse || committed_) refusal.phase = committed_ ? observe::Phase::Respond : observe::Phase::Forward;
  attempt.note.reason = refusal.word;
  if (!committed_) {
    // A stalled upload keeps reading from the client, who is about to be answered: it has to end first.
    co_await leave(attempt);
    if (caching_ != nullptr) caching_->fill.failed();
    if (refusal.by == "upstream" && may_serve_stale()) co_return co_await serve_stale();
    co_await refuse(refusal);
    co_return;
  }
  end(refusal.by, refusal.id, refusal.word, refusal.phase);
  record_.truncated = true;
  inbound_.reset();
}

// Ends what runs beside the attempt, keeps or closes its connection, writes its note. The second call does nothing.
io::Task<void> Exchange::leave(Attempt& attempt) {
  attempt.beside.cancel();
  if (attempt.beside.running() > 0) {
    io::Wait wait;
    wait.what = "end of an attempt";
    co_await attempt.beside.join(wait);
  }
  settle(attempt);
}

void Exchange::settle(Attempt& attempt) noexcept {
  if (attempt.note.upstream.empty()) return;
  const bool completed = attempt.note.reason == observe::reason::kCompleted.word;
  if (attempt.transport) {
    attempt.note.played = attempt.target.plays_on(*attempt.transport);
    const bool keep = completed && upload_done_ && attempt.head.keep_alive && attempt.unread().empty() &&
                      attempt.head.body.kind != http::Framing::UntilClose;
    if (keep) attempt.target.give(std::move(attempt.transport), services_.loop.now(), {record_.client, inbound_.local()});
    else attempt.transport->close();
  }
  tell_target(attempt);
  mark(attempt.note.ended);
  record_.attempts.add(attempt.note);
  attempt.note.upstream = {};
}

void Exchange::abort(Refusal why) noexcept {
  if (upstream_token_.cancelled()) return;
  aborted_ = why;
  upstream_token_.cancel();
}

}  // namespace gatelab::proxy
