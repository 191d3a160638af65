// SPDX-License-Identifier: Apache-2.0
#include "io/tls_transport.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace gatelab::io {
namespace {

constexpr std::size_t kRecord = 16 * 1024;  // the most that one record carries (RFC 8446 §5.1)

Code code_of(crypto::TlsEngine::State state) noexcept {
  switch (state) {
    case crypto::TlsEngine::State::Ok: return Code::Ok;
    case crypto::TlsEngine::State::WantRead:
    case crypto::TlsEngine::State::WantWrite: return Code::WouldBlock;
    case crypto::TlsEngine::State::Closed: return Code::Eof;
    // An end that the peer has not announced may be anybody's: never a clean end.
    case crypto::TlsEngine::State::Truncated:
    case crypto::TlsEngine::State::Failed: break;
  }
  return Code::Reset;
}

}  // namespace

TlsTransport::TlsTransport(TransportPtr below, std::shared_ptr<const crypto::TlsContext> context)
    : below_(std::move(below)), engine_(std::move(context), *this) {}
TlsTransport::~TlsTransport() { close(); }

void TlsTransport::call(const std::string& server_name, std::shared_ptr<crypto::TlsSessions> sessions) {
  sessions_ = std::move(sessions);
  engine_.call(server_name, sessions_.get(), below_->loop().clock().policy_now());
}

Task<Code> TlsTransport::handshake(Wait wait) {
  for (;;) {
    const crypto::TlsEngine::State state = engine_.handshake(below_->loop().clock().policy_now());
    if (state == crypto::TlsEngine::State::Ok) {
      established_ = true;
      co_return Code::Ok;
    }
    Code code = Code::Other;
    if (state == crypto::TlsEngine::State::WantRead) code = co_await below_->readable(wait);
    if (state == crypto::TlsEngine::State::WantWrite) code = co_await below_->writable(wait);
    if (code != Code::Ok) co_return code;
  }
}

Count TlsTransport::try_read(std::span<char> into) noexcept {
  if (!below_) return {Code::Reset, 0};
  const crypto::TlsEngine::Moved moved = engine_.read(into);
  starved_ = moved.state == crypto::TlsEngine::State::WantRead;
  return {code_of(moved.state), moved.octets};
}

Count TlsTransport::try_peek(std::span<char> into) noexcept {
  if (!below_) return {Code::Reset, 0};
  const crypto::TlsEngine::Moved moved = engine_.peek(into);
  starved_ = moved.state == crypto::TlsEngine::State::WantRead;
  return {code_of(moved.state), moved.octets};
}

// Small pieces go out together in one record; a piece that fills a record is not copied first.
Count TlsTransport::try_write(std::span<const ConstBuffer> from) noexcept {
  if (!below_ || shut_) return {Code::Reset, 0};
  thread_local std::array<char, kRecord> gathered;
  std::size_t total = 0, at = 0;  // octets taken; where the first piece is continued
  while (total < 4 * kRecord) {
    while (!from.empty() && at >= from.front().size) {
      at -= from.front().size;
      from = from.subspan(1);
    }
    if (from.empty()) break;
    std::string_view record(from.front().data + at, std::min(from.front().size - at, kRecord));
    if (record.size() < kRecord && from.size() > 1) {
      std::memcpy(gathered.data(), record.data(), record.size());
      std::size_t size = record.size();
      for (const ConstBuffer& b : from.subspan(1)) {
        const std::size_t part = std::min(b.size, kRecord - size);
        if (part > 0) std::memcpy(gathered.data() + size, b.data, part);
        size += part;
      }
      record = {gathered.data(), size};
    }
    const crypto::TlsEngine::Moved moved = engine_.write(record);
    if (moved.state != crypto::TlsEngine::State::Ok) return total > 0 ? Count{Code::Ok, total} : Count{code_of(moved.state), 0};
    total += moved.octets;
    at += moved.octets;
  }
  return {Code::Ok, total};
}

void TlsTransport::shutdown_write() noexcept {
  if (!below_ || std::exchange(shut_, true)) return;
  engine_.close_notify();
  below_->shutdown_write();
}

void TlsTransport::close() noexcept {
  if (!below_) return;
  if (established_ && !std::exchange(shut_, true)) engine_.close_notify();
  below_->close();
}

void TlsTransport::reset() noexcept {
  if (below_) below_->reset();
}

void TlsTransport::break_off() noexcept {
  if (below_) below_->break_off();
}

Transport::Peer TlsTransport::peer_state() noexcept {
  if (!below_) return Peer::Reset;
  const Peer peer = below_->peer_state();
  // An end below says nothing yet: with a close_notify it is one, without it the stream is cut.
  if (!engine_.has_pending() && (peer == Peer::Quiet || peer == Peer::Reset)) return peer;
  const crypto::TlsEngine::State state = engine_.peek();
  starved_ = state == crypto::TlsEngine::State::WantRead;
  switch (state) {
    case crypto::TlsEngine::State::Ok: return Peer::Data;
    case crypto::TlsEngine::State::WantRead:
    case crypto::TlsEngine::State::WantWrite: return peer == Peer::Data ? Peer::Quiet : peer;
    case crypto::TlsEngine::State::Closed: return Peer::Eof;
    case crypto::TlsEngine::State::Truncated:
    case crypto::TlsEngine::State::Failed: break;
  }
  return Peer::Reset;
}

// What the engine holds already makes no edge below.
void TlsTransport::wait_readable(Waiter& w) noexcept {
  if (!starved_ && engine_.has_pending()) return w.complete(Code::Ok);
  below_->wait_readable(w);
  if (w.pending()) engine_.flush();
}

crypto::Wire::Moved TlsTransport::wire_read(std::span<char> into) noexcept {
  const Count count = below_->try_read(into);
  switch (count.code) {
    case Code::Ok: return {State::Ok, count.octets};
    case Code::WouldBlock: return {State::WouldBlock, 0};
    case Code::Eof: return {State::Eof, 0};
    default: return {State::Broken, 0};
  }
}

crypto::Wire::Moved TlsTransport::wire_write(std::string_view first, std::string_view then) noexcept {
  const ConstBuffer both[] = {{first.data(), first.size()}, {then.data(), then.size()}};
  std::span<const ConstBuffer> from(both);
  if (first.empty()) from = from.subspan(1);
  const Count count = below_->try_write(from);
  switch (count.code) {
    case Code::Ok: return {State::Ok, count.octets};
    case Code::WouldBlock: return {State::WouldBlock, 0};
    default: return {State::Broken, 0};
  }
}

}  // namespace gatelab::io
