// SPDX-License-Identifier: Apache-2.0
// What a mock says over time: pieces with pauses between them, and WebSockets.
#include <cstdio>

#include "harness/mock/mock.h"

namespace gatelab::harness {

namespace websocket = http::websocket;

io::Task<bool> MockServers::pause(Duration delay) {
  io::Wait wait;
  wait.deadline = loop_.now() + delay;
  wait.cancel = &scope_.token();
  wait.what = "mock: delay";
  const io::Code code = co_await io::sleep_until(loop_, wait);
  co_return code != io::Code::Cancelled;
}

// As above, but the other side may go away meanwhile.
io::Task<bool> MockServers::pause(Connection& c, Duration delay) {
  io::Wait wait;
  wait.deadline = loop_.now() + delay;
  wait.cancel = &scope_.token();
  wait.what = "mock: the next piece";
  while (loop_.now() < wait.deadline) {
    const io::Code code = co_await c.transport->readable(wait);
    if (code == io::Code::TimedOut) break;
    const io::Transport::Peer peer = c.transport->peer_state();
    if (code != io::Code::Ok || peer == io::Transport::Peer::Eof || peer == io::Transport::Peer::Reset) co_return false;
    if (peer == io::Transport::Peer::Quiet) continue;
    // A request that waits behind this answer: only the time is left to wait for.
    const bool on = co_await pause(wait.deadline - loop_.now());
    co_return on;
  }
  co_return true;
}

io::Task<bool> MockServers::stream(Connection& c, const Pieces& pieces) {
  for (std::size_t i = 0; i < pieces.texts.size(); ++i) {
    if (i > 0 && pieces.every > Duration{}) {
      const bool on = co_await pause(c, pieces.every);
      if (!on) co_return false;
    }
    char size[20];
    std::string chunk(size, static_cast<std::size_t>(std::snprintf(size, sizeof size, "%zx\r\n", pieces.texts[i].size())));
    chunk.append(pieces.texts[i]).append("\r\n");
    io::Task<bool> writing = write(c, std::move(chunk));
    const bool written = co_await writing;
    if (!written) co_return false;
  }
  if (pieces.open) {
    io::Wait wait;
    wait.cancel = &scope_.token();
    wait.what = "mock: end of an open stream";
    wait.background = true;
    while (c.transport->peer_state() == io::Transport::Peer::Quiet) {
      const io::Code code = co_await c.transport->readable(wait);
      if (code != io::Code::Ok) break;
    }
    co_return false;
  }
  io::Task<bool> last = write(c, "0\r\n\r\n");
  const bool written = co_await last;
  co_return written;
}

io::Task<void> MockServers::websocket(Connection& c, const WebsocketReply& reply) {
  std::string head = "HTTP/1.1 101 Switching Protocols\r\n" + c.upgrade;
  if (!reply.protocol.empty()) head += "Sec-WebSocket-Protocol: " + reply.protocol + "\r\n";
  if (c.upgrade.empty()) head = "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\nContent-Length: 0\r\n";
  io::Task<bool> opening = write(c, head + "\r\n");
  bool on = co_await opening;
  if (c.upgrade.empty()) co_return;
  websocket::MessageReader reader(websocket::Sender::Client);
  std::size_t next = 0;
  Instant due = loop_.now();
  while (on) {
    const bool scripted = next < reply.messages.size();
    if (scripted) {
      const Instant when = due + reply.messages[next].after;
      if (when <= loop_.now()) {
        due = when;
        c.said_close = reply.messages[next].opcode == websocket::Opcode::Close;
        io::Task<bool> writing = write(c, frames_of(reply.messages[next++], std::nullopt));
        on = co_await writing;
        continue;
      }
    }
    io::Wait wait;
    wait.cancel = &scope_.token();
    wait.what = "mock: a message of a WebSocket";
    wait.background = !scripted;
    if (scripted) wait.deadline = due + reply.messages[next].after;
    on = co_await receive(c, reply, reader, wait);
  }
}

// What has arrived; false: the connection is over.
io::Task<bool> MockServers::receive(Connection& c, const WebsocketReply& reply, websocket::MessageReader& reader, io::Wait wait) {
  std::string_view data(c.block.data() + c.used, c.filled - c.used);
  for (;;) {
    websocket::Message message;
    const websocket::MessageReader::State state = reader.next(data, message);
    c.used = c.filled - data.size();
    if (state == websocket::MessageReader::State::Broken) co_return false;
    if (state == websocket::MessageReader::State::NeedMore) break;
    const bool on = co_await said(c, reply, message);
    if (!on) co_return false;
  }
  c.used = c.filled = 0;
  const io::Count read = c.transport->try_read({c.block.data(), c.block.size()});
  if (read.code == io::Code::Ok) c.filled = read.octets;
  if (read.code != io::Code::WouldBlock) co_return read.code == io::Code::Ok;
  const io::Code code = co_await c.transport->readable(wait);
  co_return code == io::Code::Ok || code == io::Code::TimedOut;
}

io::Task<bool> MockServers::said(Connection& c, const WebsocketReply& reply, const websocket::Message& message) {
  if (remember_) {
    std::lock_guard lock(mutex_);
    messages_.push_back({c.request.upstream, c.request.request_id, message});
  }
  std::string out;
  const bool close = message.opcode == websocket::Opcode::Close;
  if (close && c.said_close) co_return false;
  if (close) out = websocket::frame(websocket::Opcode::Close, message.code == 1005 ? "" : websocket::close_payload(message.code, ""), std::nullopt);
  else if (message.opcode == websocket::Opcode::Ping) out = websocket::frame(websocket::Opcode::Pong, message.payload, std::nullopt);
  else if (message.opcode != websocket::Opcode::Pong && reply.echo) out = websocket::frame(message.opcode, message.payload, std::nullopt);
  if (out.empty()) co_return true;
  io::Task<bool> writing = write(c, std::move(out));
  const bool written = co_await writing;
  co_return written && !close;
}

}  // namespace gatelab::harness
