// SPDX-License-Identifier: Apache-2.0
#include "proxy/http1_connection.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

#include "http/websocket.h"
#include "proxy/exchange.h"

namespace gatelab::proxy {
namespace {

constexpr Duration kLastMoment = std::chrono::seconds(1);  // for a request that was on its way when draining began
// A client that is still sending when its answer is there must be able to read it: its octets are taken and thrown away
// until it stops for kLinger or has had kLingerAtMost.
constexpr Duration kLinger = std::chrono::seconds(2);
constexpr Duration kLingerAtMost = std::chrono::seconds(30);
constexpr std::size_t kSkippable = 64 * 1024;

}  // namespace

Http1Connection::Http1Connection(Services& services, std::shared_ptr<const ListenerSettings> settings,
                                 io::TransportPtr transport, const Preface& preface) noexcept
    : services_(services), settings_(std::move(settings)), transport_(std::move(transport)), ends_(preface.ends),
      next_(services.first) {
  if (next_ != nullptr) next_->before_ = this;
  services_.first = this;
  if (preface.early.empty()) return;
  block_ = services_.buffers.take(BufferPool::kHead);
  filled_ = preface.early.size();
  std::memcpy(block_.data(), preface.early.data(), filled_);
}

Http1Connection::~Http1Connection() {
  (before_ != nullptr ? before_->next_ : services_.first) = next_;
  if (next_ != nullptr) next_->before_ = before_;
}

void Http1Connection::drain() noexcept {
  if (idle_token_ != nullptr) idle_token_->cancel();
  if (drain_token_ != nullptr) drain_token_->cancel();
}

void Http1Connection::cut() noexcept {
  cut_.cancel();
  if (idle_token_ != nullptr) idle_token_->cancel();
  if (exchange_token_ != nullptr) exchange_token_->cancel();
  if (drain_token_ != nullptr) drain_token_->cancel();
}

io::Wait Http1Connection::client_wait(Duration patience, std::string_view what) noexcept {
  io::Wait wait;
  wait.deadline = services_.loop.now() + patience;
  wait.cancel = &cut_;
  wait.what = what;
  return wait;
}

io::Task<void> Http1Connection::serve() {
  for (;;) {
    while (begins_nothing()) {
      const bool was_draining = services_.draining;
      io::CancelToken token;
      const io::Wait wait = idle_wait(token);
      const io::Code code = co_await transport_->readable(wait);
      idle_token_ = nullptr;
      if (code == io::Code::Ok) break;
      // When draining begins the wait is made anew, for a last moment.
      if (code == io::Code::Cancelled && !was_draining && !cut_.cancelled()) continue;
      co_await finish();
      co_return;
    }
    const bool again = co_await one_exchange();
    if (!again) break;
  }
  co_await finish();
}

// A close with unread input would reset the connection and could destroy the answer on its way to the client.
io::Task<void> Http1Connection::finish() {
  const bool unread = refused_ || !decoder_.done() || filled_ > 0 || services_.draining;
  if (!broken_ && !keep_ && unread && !tunnel_ && !cut_.cancelled()) co_await linger();
  transport_->close();
}

// No octet of a request is there. Some clients send an empty line behind a body (RFC 9112 §2.2): who sends no more than that
// is idle, and a 408 would answer the request that it sends next.
bool Http1Connection::begins_nothing() const noexcept {
  return filled_ == 0 || std::string_view("\r\n").starts_with({block_.data(), filled_});
}

io::Wait Http1Connection::idle_wait(io::CancelToken& token) noexcept {
  io::Wait wait;
  // Octets below that make no request, such as a piece of a TLS record, do not begin it anew.
  if (idle_end_ == Instant::max()) idle_end_ = services_.loop.now() + settings_->idle_timeout;
  wait.deadline = services_.draining ? services_.loop.now() + kLastMoment : idle_end_;
  wait.cancel = &token;
  wait.what = "next request of a client";
  wait.background = true;
  idle_token_ = &token;
  return wait;
}

void Http1Connection::begin_message() noexcept {
  arena_ = services_.take_arena();
  head_.emplace(*arena_);
  trailers_.emplace(*arena_);
  parser_.emplace(*head_, settings_->limits);
  std::construct_at(&decoder_);  // in place: a decoder is large, and most of it means nothing yet
  body_octets_ = 0;
  used_ = 0;
  refused_ = upgrade_ = false;
  keep_ = true;
  pending_head_ = {};
  began_ = services_.loop.now();
  const std::size_t needed = settings_->limits.head_octets + 1024;
  if (block_ && block_.size() >= needed) return;
  Buffer bigger = services_.buffers.take(needed);
  if (filled_ > 0) std::memcpy(bigger.data(), block_.data(), filled_);
  block_ = std::move(bigger);
}

void Http1Connection::end_message() noexcept {
  parser_.reset();
  trailers_.reset();
  head_.reset();
  services_.give_arena(std::move(arena_));
  keep_leftover();
}

// What was read beyond this message is the beginning of the next.
void Http1Connection::keep_leftover() noexcept {
  if (used_ < filled_) {
    filled_ -= used_;
    std::memmove(block_.data(), block_.data() + used_, filled_);
  } else if (more_used_ < more_filled_) {
    filled_ = more_filled_ - more_used_;
    std::memmove(more_.data(), more_.data() + more_used_, filled_);
    block_ = std::move(more_);
  } else {
    filled_ = 0;
    block_.release();
  }
  more_.release();
  used_ = more_used_ = more_filled_ = 0;
}

// A tunnel may stay for days: its head moves to the arena, so that the block can go back to the pool.
void Http1Connection::move_head() noexcept {
  const std::string_view copy = arena_->copy({block_.data(), used_});
  head_.emplace(*arena_);
  parser_.emplace(*head_, settings_->limits);
  parser_->parse(copy);
}

// What can be read now. Again: the rest of the head has to be waited for.
Http1Connection::HeadEnd Http1Connection::take_head() noexcept {
  for (;;) {
    if (filled_ > 0) {
      const http::ParseState state = parser_->parse({block_.data(), filled_});
      if (state == http::ParseState::Done) {
        used_ = parser_->consumed();
        upgrade_ = http::websocket::asked(*head_) != http::websocket::Ask::None;
        if (upgrade_) move_head();
        std::construct_at(&decoder_, head_->body, &*trailers_);
        return HeadEnd::Complete;
      }
      if (state == http::ParseState::Failed) return HeadEnd::Broken;
    }
    const io::Count read = transport_->try_read({block_.data() + filled_, block_.size() - filled_});
    if (read.code == io::Code::WouldBlock) return begins_nothing() ? HeadEnd::Idle : HeadEnd::Again;
    if (read.code != io::Code::Ok) return begins_nothing() ? HeadEnd::Closed : HeadEnd::Gone;
    filled_ += read.octets;
  }
}

io::Task<Http1Connection::HeadEnd> Http1Connection::rest_of_head() {
  const Instant deadline = began_ + settings_->header_timeout;
  HeadEnd end = HeadEnd::Again;
  while (end == HeadEnd::Again) {
    io::Wait wait = client_wait({}, "rest of a request's head");
    wait.deadline = deadline;
    const io::Code code = co_await transport_->readable(wait);
    if (code == io::Code::TimedOut) co_return HeadEnd::TimedOut;
    if (code != io::Code::Ok) co_return HeadEnd::Gone;
    end = take_head();
  }
  co_return end;
}

// False: the connection ends here.
io::Task<bool> Http1Connection::one_exchange() {
  begin_message();
  HeadEnd end = take_head();
  if (end == HeadEnd::Again) end = co_await rest_of_head();
  Refusal refusal;
  bool refuse = true;
  switch (end) {
    case HeadEnd::Complete: refuse = false; break;
    case HeadEnd::Broken: refusal = refusal_of(parser_->rule()); break;
    case HeadEnd::TimedOut: refusal = refusal_of(observe::reason::kHeaderTimeout); break;
    case HeadEnd::Gone: refusal = refusal_of(observe::reason::kClientGone); break;
    case HeadEnd::Idle:
    case HeadEnd::Again: end_message(); co_return true;
    case HeadEnd::Closed:
      end_message();
      broken_ = true;
      co_return false;
  }
  refused_ = refuse;
  if (end == HeadEnd::Gone) broken_ = true;
  services_.begun.add();
  {
    Exchange exchange(services_, *settings_, *this);
    co_await exchange.run(refuse ? &refusal : nullptr);
  }
  services_.ended.add();
  ++served_;
  idle_end_ = Instant::max();
  if (!decoder_.done()) keep_ = false;
  const bool again = keep_ && !broken_ && !refused_ && !cut_.cancelled();
  end_message();
  co_return again;
}

io::Task<void> Http1Connection::linger() {
  transport_->shutdown_write();
  const Buffer sink = services_.buffers.take(BufferPool::kHead);
  io::Wait wait = client_wait(kLinger, "client's close");
  wait.background = true;
  const Instant end = services_.loop.now() + kLingerAtMost;
  std::size_t since_yield = 0;
  while (!cut_.cancelled() && services_.loop.now() < end) {
    const io::Count read = transport_->try_read({sink.data(), sink.size()});
    if (read.code == io::Code::Ok) {
      since_yield += read.octets;
      if (since_yield < kSkippable) continue;
      since_yield = 0;
      co_await io::yield(services_.loop);
      continue;
    }
    if (read.code != io::Code::WouldBlock) co_return;
    wait.deadline = std::min(end, services_.loop.now() + kLinger);
    const io::Code code = co_await transport_->readable(wait);
    if (code != io::Code::Ok) co_return;
  }
}

bool Http1Connection::skip_body() noexcept {
  const std::uint64_t limit = body_octets_ + kSkippable;
  while (body_octets_ < limit) {
    const BodyPiece piece = next_body();
    if (piece.kind == BodyPiece::Kind::Done) return true;
    if (piece.kind != BodyPiece::Kind::Data) return false;
  }
  return false;
}

BodyPiece Http1Connection::next_body() noexcept {
  for (;;) {
    const bool in_block = used_ < filled_;
    const std::string_view input = in_block ? std::string_view(block_.data() + used_, filled_ - used_)
                                            : std::string_view(more_.data() + more_used_, more_filled_ - more_used_);
    if (input.empty() && !decoder_.done()) {
      if (broken_) return {BodyPiece::Kind::Gone, {}, {}};
      if (tunnel_) {
        block_.release();
        used_ = filled_ = 0;
      }
      if (!more_) more_ = services_.buffers.take(BufferPool::kBody);
      more_used_ = more_filled_ = 0;
      const io::Count read = transport_->try_read({more_.data(), more_.size()});
      if (read.code != io::Code::Ok) {
        more_.release();  // a slow client holds no buffer while it is waited for
        if (tunnel_ && read.code == io::Code::Eof) return {BodyPiece::Kind::Done, {}, {}};
        // It has finished its side before the body's end and may still read why this is no request (RFC 9112 §8).
        if (read.code == io::Code::Eof) return {BodyPiece::Kind::Broken, {}, http::Rule::TruncatedBody};
        return {read.code == io::Code::WouldBlock ? BodyPiece::Kind::Again : BodyPiece::Kind::Gone, {}, {}};
      }
      more_filled_ = read.octets;
      continue;
    }
    const http::BodyDecoder::Piece piece = decoder_.next(input);
    (in_block ? used_ : more_used_) += piece.consumed;
    switch (piece.state) {
      case http::BodyDecoder::State::NeedMore: continue;
      case http::BodyDecoder::State::Done: return {BodyPiece::Kind::Done, {}, {}};
      case http::BodyDecoder::State::Failed: return {BodyPiece::Kind::Broken, {}, decoder_.rule()};
      case http::BodyDecoder::State::Data: break;
    }
    body_octets_ += piece.data.size();
    if (settings_->max_body != 0 && !tunnel_ && body_octets_ > settings_->max_body) return {BodyPiece::Kind::TooLarge, {}, {}};
    return {BodyPiece::Kind::Data, piece.data, {}};
  }
}

io::Task<io::Code> Http1Connection::body_ready(io::Wait wait) {
  const io::Code code = co_await transport_->readable(wait);
  co_return code;
}

io::Task<io::Code> Http1Connection::gone(io::Wait wait) {
  for (;;) {
    const io::Code code = co_await transport_->readable(wait);
    if (code != io::Code::Ok) co_return code;
    const io::Transport::Peer peer = transport_->peer_state();
    if (peer == io::Transport::Peer::Reset) co_return io::Code::Reset;
    if (peer == io::Transport::Peer::Eof) co_return io::Code::Eof;
    if (peer != io::Transport::Peer::Quiet) co_return io::Code::Ok;
  }
}

// Where client certificates are asked for, what was agreed for one name says nothing for another (RFC 9110 §7.4).
bool Http1Connection::misdirected() const noexcept {
  const crypto::TlsFacts* facts = transport_->tls();
  if (facts == nullptr || !settings_->tls->asks_for_certificates() || facts->sni.empty()) return false;
  const int wanted = settings_->tls->certificate_for(head_->host);
  return (wanted < 0 ? 0 : wanted) != facts->certificate;
}

// Every octet buys the time that the minimum rate gives it, so that a body can't be dripped within the timeout for ever.
Instant Http1Connection::body_deadline() const noexcept {
  const Instant silent = services_.loop.now() + settings_->body_timeout;
  if (settings_->min_body_rate == 0) return silent;
  constexpr std::uint64_t kLong = 1ULL << 33;  // octets: beyond that the product would overflow, and nobody is slow
  const std::uint64_t bought = std::min(body_octets_, kLong) * 1'000'000'000 / settings_->min_body_rate;
  return std::min(silent, began_ + settings_->body_timeout + Duration{static_cast<std::int64_t>(std::min<std::uint64_t>(bought, INT64_MAX / 4))});
}

// Also when nothing more can be written: an orderly close would look like the end of an answer that has no length.
void Http1Connection::reset() noexcept {
  broken_ = true;
  transport_->reset();
}

}  // namespace gatelab::proxy
