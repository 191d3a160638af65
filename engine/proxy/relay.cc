// SPDX-License-Identifier: Apache-2.0
// Bodies in flight: the answer's down to the client, the request's up to the target, independent of each other, each with
// backpressure (design §4). Framing is undone and made anew; the octets themselves are never copied.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "http/hop.h"
#include "proxy/attempt.h"
#include "proxy/head_writer.h"

namespace gatelab::proxy {
namespace {

// Most answers are there within this time; only later is it worth a task that watches whether the client is still there.
constexpr Duration kBeforeWatching = std::chrono::milliseconds(20);
// After so much a task lets others run.
constexpr std::size_t kFairOctets = 256 * 1024;
const observe::Reason& kClosing = observe::reason::kShutdown;

}  // namespace

// For octets of the answer: kBeforeWatching at first, then goes_on().
io::Wait Exchange::upstream_wait(Attempt& attempt, Instant deadline, std::string_view what) noexcept {
  io::Wait wait;
  wait.deadline = deadline;
  wait.cancel = attempt.cancel;
  wait.what = what;
  if (attempt.watching || !upload_done_) return wait;
  if (attempt.stream) begin_watch(attempt);
  else wait.deadline = std::min(deadline, services_.loop.now() + kBeforeWatching);
  return wait;
}

// True if only the beginning of the wait is over. The client is watched from then on.
bool Exchange::goes_on(Attempt& attempt, io::Code code, Instant waited, Instant deadline) noexcept {
  if (code != io::Code::TimedOut || waited == deadline) return false;
  begin_watch(attempt);
  return true;
}

void Exchange::begin_watch(Attempt& attempt) noexcept {
  attempt.watching = true;
  attempt.beside.spawn(watch_client(attempt));
}

io::Task<void> Exchange::watch_client(Attempt& attempt) {
  io::Wait wait;
  wait.cancel = &attempt.beside.token();
  wait.what = "client that has gone";
  wait.background = true;
  const io::Code code = co_await inbound_.gone(wait);
  client_finished_ = code == io::Code::Eof;
  // Nobody who listens to events half-closes: a FIN is all that is seen of a client that has gone.
  if (code == io::Code::Reset || (client_finished_ && attempt.stream)) abort(refusal_of(observe::reason::kClientGone));
}

// True if the client can't be written to any more; the exchange is over then.
bool Exchange::client_failed(io::Code code) noexcept {
  if (code == io::Code::Ok) return false;
  Refusal refusal = refusal_of(code == io::Code::TimedOut ? observe::reason::kClientStalled : observe::reason::kClientGone);
  refusal.by = "client";
  if (code != io::Code::Cancelled) abort(refusal);
  return true;
}

void Exchange::begin_answer(Attempt& attempt) noexcept {
  http::ResponseHead& head = attempt.head;
  begin_stream(attempt);
  const bool bodiless = head_.method == http::Method::Head || head.status == 204 || head.status == 304;
  AnswerHead out;
  out.bodiless = bodiless;
  out.framing = head.body;
  std::uint64_t length = 0;
  const http::Field* said = bodiless ? head.fields.find(http::FieldId::ContentLength) : nullptr;
  if (head.status != 204 && said != nullptr && parse_decimal(said->value, length)) out.framing = {http::Framing::Length, length};
  http::strip_hop_by_hop(head.fields);
  head.fields.add(http::FieldId::Via, "Via", services_.via);
  if (attempt.choice.sets_cookie) set_sticky(attempt, head.fields);
  if (caching_ != nullptr) tell_cache(head.fields, nullptr);
  else if (!http::is_safe(head_.method) && !snapshot_->caches.empty()) invalidate(head.status, head.fields);
  std::uint16_t status = head.status;
  finish_fields(status, head.fields, false, out.framing);
  out.status = status;
  out.fields = &head.fields;
  record_.status = status;
  send_head(out);
}

const observe::Reason* Exchange::end_answer(Attempt& attempt, io::Code code, std::size_t octets) noexcept {
  if (client_failed(code)) return &kClosing;
  record_.response_octets += octets;
  attempt.note.reason = observe::reason::kCompleted.word;
  end("upstream", attempt.upstream.name(), observe::reason::kCompleted.word, observe::Phase::Respond);
  return nullptr;
}

// Events come when they come: their own limits hold instead of an answer's (docs/streams.md).
void Exchange::begin_stream(Attempt& attempt) noexcept {
  const http::Field* type = attempt.head.fields.find(http::FieldId::ContentType);
  if (type == nullptr || !iequals(trim_ows(type->value.substr(0, type->value.find(';'))), "text/event-stream")) return;
  attempt.stream = true;
  const Duration total = timeouts_->stream.total;
  total_deadline_ = std::min(asked_deadline_, total == Duration::max() ? Instant::max() : io_began_ + total);
  if (client_finished_) abort(refusal_of(observe::reason::kClientGone));
}

io::Task<const observe::Reason*> Exchange::relay(Attempt& attempt) {
  attempt.decoder = arena_.make<http::BodyDecoder>(attempt.head.body, &attempt.trailers);
  http::BodyDecoder& decoder = *attempt.decoder;
  std::size_t since_yield = 0;
  const auto step = [&attempt, &decoder] {
    const http::BodyDecoder::Piece piece = decoder.next(attempt.unread());
    attempt.used += piece.consumed;
    return piece;
  };
  http::BodyDecoder::Piece piece = step();
  for (;;) {
    if (piece.state == http::BodyDecoder::State::Failed) co_return &observe::reason::kUpstreamMalformed;
    if (piece.state == http::BodyDecoder::State::NeedMore) {
      const observe::Reason* failure = co_await fill(attempt);
      if (failure == &observe::reason::kCompleted) piece.state = http::BodyDecoder::State::Done;
      else if (failure != nullptr) co_return failure;
      else piece = step();
      continue;
    }
    // Looking one step ahead lets the end of a small answer go out in the same write as its body.
    const std::string_view data = piece.data;
    if (piece.state == http::BodyDecoder::State::Data) piece = step();
    const bool last = piece.state == http::BodyDecoder::State::Done;
    io::Code code = write_body(data, last, &attempt.trailers);
    if (code == io::Code::WouldBlock) code = co_await written();
    if (last) co_return end_answer(attempt, code, data.size());
    if (client_failed(code)) co_return &kClosing;
    record_.response_octets += data.size();
    since_yield += data.size();
    if (since_yield >= kFairOctets) {
      since_yield = 0;
      co_await io::yield(services_.loop);
    }
  }
}

// Reads more of the answer. kCompleted: the target closed, and that was the body's end.
io::Task<const observe::Reason*> Exchange::fill(Attempt& attempt) {
  attempt.used = attempt.filled = 0;
  for (;;) {
    if (!attempt.more) attempt.more = services_.buffers.take(BufferPool::kBody);
    const io::Count read = attempt.transport->try_read({attempt.more.data(), attempt.more.size()});
    if (read.code == io::Code::Ok) {
      attempt.filled = read.octets;
      co_return nullptr;
    }
    if (read.code == io::Code::Eof && attempt.decoder->finish_at_close()) co_return &observe::reason::kCompleted;
    if (read.code != io::Code::WouldBlock) co_return &observe::reason::kTruncated;
    // The client must not wait for a head that is complete.
    io::Code flushed = attempt.pumped ? io::Code::Ok : write_body({}, false, nullptr);
    if (flushed == io::Code::WouldBlock) flushed = co_await written();
    if (client_failed(flushed)) co_return &kClosing;
        const Duration idle = attempt.stream ? timeouts_->stream.idle : timeouts_->idle;
    const Instant deadline = std::min(total_deadline_, services_.loop.now() + idle);
    attempt.more.release();  // a quiet answer holds no buffer
    if (held_ == nullptr) attempt.block.release();  // else the head that waits lies in it
    io::Wait wait = upstream_wait(attempt, deadline, "upstream body");
    io::Code ready = co_await attempt.transport->readable(wait);
    if (goes_on(attempt, ready, wait.deadline, deadline)) {
      wait.deadline = deadline;
      ready = co_await attempt.transport->readable(wait);
    }
    if (ready == io::Code::Cancelled) co_return &kClosing;
    if (ready == io::Code::TimedOut) co_return services_.loop.now() >= total_deadline_ ? &observe::reason::kTotalTimeout : &observe::reason::kIdleTimeout;
  }
}

io::Task<void> Exchange::upload(Attempt& attempt) {
  std::size_t since_yield = 0;
  for (;;) {
    const std::optional<BodyPiece> next = next_piece();
    if (!next) co_return;
    const BodyPiece& piece = *next;
    if (piece.kind == BodyPiece::Kind::Again) {
      io::Wait wait;
      wait.deadline = inbound_.body_deadline();
      wait.cancel = &attempt.beside.token();
      wait.what = "rest of a request's body";
      const io::Code code = co_await inbound_.body_ready(wait);
      if (code == io::Code::TimedOut) co_return abort(refusal_of(observe::reason::kBodyTimeout));
      if (code != io::Code::Ok) co_return;
      continue;
    }
    took(attempt.upstream, piece);
    const bool last = piece.kind == BodyPiece::Kind::Done;
    io::Code code = begin_piece(attempt, {}, piece.data, last);
    if (code == io::Code::WouldBlock) code = co_await finish_piece(attempt, attempt.beside.token());
    if (code == io::Code::TimedOut) {
      Refusal refusal = refusal_of(observe::reason::kIdleTimeout);
      refusal.by = "upstream";
      refusal.id = attempt.upstream.name();
      co_return abort(refusal);
    }
    if (code != io::Code::Ok) co_return;  // the answer, or its absence, says why
    upload_end_ = services_.loop.now();
    if (last) {
      upload_done_ = true;
      if (input_.copies != nullptr) send_copies();
      co_return;
    }
    since_yield += piece.data.empty() ? kFairOctets / 4 : piece.data.size();  // a filter that gave nothing has worked all the same
    if (since_yield >= kFairOctets) {
      since_yield = 0;
      co_await io::yield(services_.loop);
    }
  }
}

// Queues a head, a piece of the request's body in its framing, and the body's end, and writes what the target takes now,
// in one go if it takes all. WouldBlock: finish_piece() waits for the rest.
io::Code Exchange::begin_piece(Attempt& attempt, std::string_view head, std::string_view data, bool last) noexcept {
  const bool chunked = head_.body.kind == http::Framing::Chunked;
  std::size_t n = 0;
  const auto add = [&attempt, &n](std::string_view s) {
    if (!s.empty()) attempt.out[n++] = {s.data(), s.size()};
  };
  add(head);
  if (chunked && !data.empty()) add(chunk_size(data.size(), attempt.chunk_line));
  add(data);
  if (chunked && !data.empty()) add("\r\n");
  if (chunked && last) add(last_chunk(arena_, input_.request_body || body_changed_ ? behind_changed(inbound_.trailers()) : &inbound_.trailers()));
  attempt.unsent = {attempt.out.data(), n};
  return push(attempt);
}

io::Code Exchange::push(Attempt& attempt) noexcept {
  const std::size_t buffers = attempt.unsent.size();
  const char* const from = buffers == 0 ? nullptr : attempt.unsent.front().data;
  const io::Code code = io::write_now(*attempt.transport, attempt.unsent);
  if (attempt.unsent.size() != buffers || (buffers != 0 && attempt.unsent.front().data != from)) attempt.wrote = true;
  return code;
}

io::Task<io::Code> Exchange::finish_piece(Attempt& attempt, io::CancelToken& token) {
  io::Code code = io::Code::WouldBlock;
  while (code == io::Code::WouldBlock) {
    io::Wait wait;
    wait.deadline = std::min(attempt.deadline, services_.loop.now() + timeouts_->idle);
    wait.cancel = &token;
    wait.what = "upstream to take the request";
    code = co_await attempt.transport->writable(wait);
    if (code == io::Code::Ok) code = push(attempt);
  }
  co_return code;
}

}  // namespace gatelab::proxy
