// SPDX-License-Identifier: Apache-2.0
#include "harness/load/connection.h"

#include <array>
#include <utility>

#include "harness/load/lane.h"
#include "io/tls_transport.h"

namespace gatelab::harness::load {
namespace {

constexpr http::Limits kLimits{32 * 1024, 8 * 1024, 200};
constexpr std::size_t kMostBody = std::size_t{1} << 20;  // of what is saved from
constexpr int kReads = 32;                               // in one go

}  // namespace

io::Task<io::Code> Connection::connect(Instant deadline) {
  io::Wait wait;
  wait.deadline = deadline;
  wait.cancel = &lane_.scope().token();
  wait.what = "a connection of the load";
  const Target& target = lane_.target();
  io::Task<io::IoResult<io::TransportPtr>> connecting = target.path.empty() ? lane_.network().connect(lane_.loop(), target.address, wait) : lane_.network().connect_unix(lane_.loop(), target.path, wait);
  auto connected = co_await connecting;
  if (!connected) {
    const io::Code why = connected.error();
    const bool room = why == io::Code::TooMany || why == io::Code::AddressInUse || why == io::Code::Other;
    if (room) lane_.no_room();
    if (word_.empty()) word_ = why == io::Code::TimedOut ? "timeout" : why == io::Code::Cancelled ? "cut" : room ? "no-room" : "refused";
    co_return why;
  }
  if (!target.tls) {
    transport_ = std::move(*connected);
    co_return io::Code::Ok;
  }
  auto secured = std::make_unique<io::TlsTransport>(std::move(*connected), target.tls);
  secured->call(target.name, nullptr);
  io::Task<io::Code> shaking = secured->handshake(wait);
  const io::Code code = co_await shaking;
  if (code == io::Code::Ok) {
    transport_ = std::move(secured);
    co_return code;
  }
  if (word_.empty()) word_ = code == io::Code::TimedOut ? "timeout" : code == io::Code::Cancelled ? "cut" : "tls";
  secured->close();
  co_return code;
}

io::Task<void> Connection::run(Instant deadline) {
  io::Task<io::Code> connecting = connect(deadline);
  const io::Code connected = co_await connecting;
  if (connected == io::Code::Ok) {
    if (word_.empty() && visit_ != nullptr) send(*visit_);
    io::Wait wait;
    wait.what = "an answer to the load";
    while (word_.empty()) {
      const io::Code ready = co_await transport_->readable(wait);
      if (ready != io::Code::Ok) break;
      bool more = read();
      for (int i = 1; more && i < kReads; ++i) more = read();
      // Edges tell of what comes, not of what is there still.
      while (more) {
        co_await io::yield(lane_.loop());
        more = read();
      }
    }
    if (word_.empty()) word_ = "closed";
  }
  if (transport_) transport_->close();
  while (writing_) co_await io::yield(lane_.loop());
  lane_.lost(*this, word_);
}

void Connection::send(Visit& visit) {
  visit_ = &visit;
  octets_ = 0;
  in_body_ = heard_ = false;
  partial_.clear();
  unwritten_ = visit.octets();
  const io::Code code = write_more();
  if (code == io::Code::Ok) return;
  if (code != io::Code::WouldBlock) return close("closed");
  // Its coroutine waits for an answer, which may come before the request is out.
  writing_ = true;
  lane_.scope().spawn(write_rest());
}

io::Task<void> Connection::write_rest() {
  io::Wait wait;
  wait.what = "room for a request of the load";
  while (word_.empty() && !unwritten_.empty()) {
    const io::Code ready = co_await transport_->writable(wait);
    if (ready != io::Code::Ok || !word_.empty()) break;
    const io::Code code = write_more();
    if (code != io::Code::Ok && code != io::Code::WouldBlock) close("closed");
  }
  writing_ = false;
}

io::Code Connection::write_more() {
  std::array<io::ConstBuffer, 1> buffers{{{unwritten_.data(), unwritten_.size()}}};
  std::span<io::ConstBuffer> left(buffers);
  const io::Code code = io::write_now(*transport_, left);
  unwritten_ = left.empty() ? std::string_view() : std::string_view(left.front().data, left.front().size);
  return code;
}

void Connection::close(std::string_view word) noexcept {
  if (word_.empty()) word_ = word;
  if (transport_) transport_->close();
}

bool Connection::usable() noexcept {
  return word_.empty() && transport_ && (!transport_->may_have_news() || transport_->peer_state() == io::Transport::Peer::Quiet);
}

bool Connection::read() {
  const std::span<char> block = lane_.block();
  const io::Count count = transport_->try_read(block);
  if (count.code == io::Code::WouldBlock) return false;
  if (count.code != io::Code::Ok) return over(count.code), false;
  take({block.data(), count.octets});
  return word_.empty() && count.octets == block.size();
}

// The other side sends no more.
void Connection::over(io::Code code) {
  const bool whole = code == io::Code::Eof && visit_ != nullptr && in_body_ && decoder_.finish_at_close();
  word_ = heard_ ? "truncated" : "closed";
  if (!whole) return;
  word_ = "done";
  lane_.answered(*this, {status_, octets_}, body_);
}

void Connection::take(std::string_view data) {
  if (visit_ == nullptr) {
    word_ = "closed";  // it speaks without having been asked
    return;
  }
  heard_ = true;
  octets_ += data.size();
  if (in_body_ || take_head(data)) decode(data);
}

// True: the head is whole, and `data` begins behind it.
bool Connection::take_head(std::string_view& data) {
  if (!partial_.empty()) {
    partial_ += data;
    data = partial_;
  }
  for (;;) {
    lane_.arena().reset();
    http::ResponseHead head(lane_.arena());
    http::ResponseParser parser(head, visit_->request().method, kLimits);
    const http::ParseState state = parser.parse(data);
    if (state == http::ParseState::NeedMore && data.size() <= kLimits.head_octets) {
      partial_ = std::string(data);
      return false;
    }
    if (state != http::ParseState::Done || head.status == 101) {
      word_ = "malformed";
      return false;
    }
    data.remove_prefix(parser.consumed());
    if (head.status < 200) continue;
    status_ = head.status;
    keep_ = head.keep_alive;
    in_body_ = true;
    std::construct_at(&decoder_, head.body);
    body_.clear();
    if (!visit_->request().saves.empty()) lane_.save_headers(*visit_, head);
    return true;
  }
}

void Connection::keep_body(std::string_view data) {
  if (!visit_->request().saves.empty() && body_.size() + data.size() <= kMostBody) body_ += data;
}

void Connection::decode(std::string_view input) {
  for (;;) {
    const auto piece = decoder_.next(input);
    input.remove_prefix(piece.consumed);
    if (piece.state == http::BodyDecoder::State::Data) {
      keep_body(piece.data);
      continue;
    }
    if (piece.state == http::BodyDecoder::State::NeedMore) return;
    if (piece.state == http::BodyDecoder::State::Failed) {
      word_ = "malformed";
      return;
    }
    break;
  }
  if (!lane_.keep_alive() || !keep_ || !input.empty() || !unwritten_.empty()) word_ = "done";
  used_ = true;
  // The next request may be sent from in there.
  lane_.answered(*this, {status_, octets_}, body_);
}

}  // namespace gatelab::harness::load
