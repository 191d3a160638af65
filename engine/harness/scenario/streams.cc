// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/streams.h"

#include <array>

#include "http/parser.h"

namespace gatelab::harness {
namespace {

namespace websocket = http::websocket;

// RFC 6455 asks for dice; a scenario asks for the same octets every time.
constexpr std::array<char, 4> kMask{0x1f, 0x2e, 0x3d, 0x4c};
constexpr std::size_t kMaxHead = 200 * 1024;
constexpr std::size_t kMaxBody = 64 * 1024 * 1024;

}  // namespace

io::Wait OpenStream::wait(std::string_view what) noexcept {
  io::Wait wait;
  wait.cancel = &scope_.token();
  wait.what = what;
  wait.background = true;
  return wait;
}

io::Task<void> OpenStream::run(std::shared_ptr<OpenStream> self, Dial dial, std::string octets) {
  self->self_ = self;
  const Instant began = self->scope_.loop().now();
  Answer how;
  const io::Wait patience = self->wait("the client's connection");
  auto dialling = connect(self->network_, self->scope_.loop(), dial, patience, how);
  self->transport_ = co_await dialling;
  if (!self->transport_) co_return self->end(how.error);
  if (!dial.tls.context) octets.insert(0, dial.preface);
  self->agreed(std::move(how.tls));
  write(self, std::move(octets), false);
  const bool head = co_await self->read_head();
  if (!head) co_return;
  {
    const std::lock_guard lock(self->mutex_);
    self->state_.answer.latency = self->scope_.loop().now() - began;
    self->state_.head = true;
  }
  if (self->websocket && self->state_.answer.status == 101) co_await self->read_messages();
  else co_await self->read_body();
}

void OpenStream::write(const std::shared_ptr<OpenStream>& self, std::string octets, bool close) {
  if (!self->transport_) return;
  self->unsent_ += octets;
  self->said_close_ = self->said_close_ || close;
  if (!std::exchange(self->writing_, true)) self->scope_.spawn(writer(self));
}

void OpenStream::drop() noexcept {
  if (transport_) transport_->reset();
}

io::Task<void> OpenStream::writer(std::shared_ptr<OpenStream> self) {
  while (!self->unsent_.empty()) {
    const std::array<io::ConstBuffer, 1> buffers{{{self->unsent_.data(), self->unsent_.size()}}};
    const io::Count written = self->transport_->try_write(buffers);
    if (written.code == io::Code::Ok) {
      self->unsent_.erase(0, written.octets);
      continue;
    }
    if (written.code != io::Code::WouldBlock) break;
    const io::Wait next = self->wait("the gateway to read");
    const io::Code code = co_await self->transport_->writable(next);
    if (code != io::Code::Ok) break;
  }
  self->writing_ = false;
  if (self->look().ended) self->transport_->close();
}

void OpenStream::agreed(Texts tls) {
  const std::lock_guard lock(mutex_);
  state_.answer.tls = std::move(tls);
}

void OpenStream::end(std::string error) {
  const std::lock_guard lock(mutex_);
  state_.ended = state_.answer.closed = true;
  state_.answer.error = std::move(error);
}

// More octets in `unread_`; Eof and Reset as they come.
io::Task<io::Code> OpenStream::more() {
  std::array<char, 8192> block;
  for (;;) {
    const io::Count read = transport_->try_read(block);
    if (read.code == io::Code::Ok) unread_.append(block.data(), read.octets);
    if (read.code != io::Code::WouldBlock) co_return read.code;
    const io::Wait next = wait("what a stream says next");
    const io::Code code = co_await transport_->readable(next);
    if (code != io::Code::Ok) co_return code;
  }
}

io::Task<bool> OpenStream::read_head() {
  unread_.reserve(kMaxHead + 8192);  // heads point into it
  Arena arena;
  http::ResponseHead head(arena);
  std::size_t begin = 0;
  for (;;) {
    http::ResponseParser parser(head, http::Method::Get, {kMaxHead, 0, 1000});
    http::ParseState state = parser.parse(std::string_view(unread_).substr(begin));
    while (state == http::ParseState::NeedMore) {
      io::Code code = io::Code::Other;
      if (unread_.size() <= kMaxHead) code = co_await more();
      if (code != io::Code::Ok) {
        // In TLS 1.3 a client hears only after the handshake that its certificate was refused.
        end(transport_->tls_failure() == crypto::TlsFailure::PeerAlert ? "tls-alert" : unread_.empty() ? "closed" : "truncated");
        co_return false;
      }
      state = parser.parse(std::string_view(unread_).substr(begin));
    }
    if (state == http::ParseState::Failed) {
      end("truncated");
      co_return false;
    }
    begin += parser.consumed();
    if (head.status >= 200 || head.status == 101) break;
    state_.answer.interim.push_back(head.status);
    std::construct_at(&head, arena);
  }
  framing_ = head.body;
  const std::lock_guard lock(mutex_);
  state_.answer.status = head.status;
  for (const http::Field& f : head.fields) {
    state_.answer.headers.emplace_back(f.name, f.value);
    if (f.id == http::FieldId::XRequestId) state_.answer.request_id = f.value;
  }
  unread_.erase(0, begin);
  co_return true;
}

void OpenStream::take(websocket::Message message) {
  // What every client does by itself: a pong to a ping, a close to a close.
  const std::shared_ptr<OpenStream> self = self_.lock();
  if (message.opcode == websocket::Opcode::Ping) write(self, websocket::frame(websocket::Opcode::Pong, message.payload, kMask), false);
  if (message.opcode == websocket::Opcode::Close && !said_close_)
    write(self, websocket::frame(websocket::Opcode::Close, message.code == 1005 ? "" : websocket::close_payload(message.code, ""), kMask), true);
  const std::lock_guard lock(mutex_);
  state_.messages.push_back(std::move(message));
}

io::Task<void> OpenStream::read_messages() {
  websocket::MessageReader reader(websocket::Sender::Server);
  for (bool closed = false;;) {
    std::string_view data = unread_;
    websocket::Message message;
    websocket::MessageReader::State state = reader.next(data, message);
    for (; state == websocket::MessageReader::State::Message; state = reader.next(data, message)) {
      closed = closed || message.opcode == websocket::Opcode::Close;
      take(std::move(message));
    }
    unread_.clear();
    if (state == websocket::MessageReader::State::Broken) {
      end("truncated");
      co_return transport_->reset();
    }
    const io::Code code = co_await more();
    if (code == io::Code::Ok) continue;
    end(closed ? "" : "closed");
    // The server closes first (RFC 6455 §7.1.1); what the client still has to say goes out before it does.
    if (!writing_) transport_->close();
    co_return;
  }
}

io::Task<void> OpenStream::read_body() {
  http::BodyDecoder decoder(framing_, nullptr);
  std::string_view input = unread_;
  for (;;) {
    const http::BodyDecoder::Piece piece = decoder.next(input);
    input.remove_prefix(piece.consumed);
    if (piece.state == http::BodyDecoder::State::Data) {
      const std::lock_guard lock(mutex_);
      if (state_.answer.body.size() < kMaxBody) state_.answer.body.append(piece.data);
      continue;
    }
    if (piece.state == http::BodyDecoder::State::Done) break;
    if (piece.state == http::BodyDecoder::State::Failed) co_return end("truncated");
    unread_.clear();
    const io::Code code = co_await more();
    input = unread_;
    if (code == io::Code::Ok) continue;
    if (code == io::Code::Eof && decoder.finish_at_close()) break;
    co_return end("truncated");
  }
  end("");
  transport_->close();
}

}  // namespace gatelab::harness
