// SPDX-License-Identifier: Apache-2.0
// A WebSocket after its handshake: two streams of octets between a client and a target, relayed as they come, with
// backpressure, until both have ended or the gateway has a reason to end them. While nothing moves it holds no buffer.
// Frames are followed, not touched, so that the gateway can say goodbye between two of them (RFC 6455 §5.5.1).
// Lives in its exchange's coroutine; one thread.
#pragma once

#include <string_view>

#include "http/frames.h"
#include "io/scope.h"
#include "observe/reason.h"
#include "proxy/inbound.h"
#include "proxy/services.h"

namespace gatelab::proxy {

class Tunnel {
 public:
  struct Limits {
    Duration idle;   // without an octet in either direction
    Duration total;  // since the tunnel opened
  };
  struct End {
    std::string_view by = "gateway";  // or client, upstream
    const observe::Reason* reason = nullptr;
    bool broken = false;              // a side went away in the middle: the other one has to see that
    std::uint64_t down = 0;           // octets that the client has taken
  };

  // `cut`: cancelled when there is no more patience; nobody is told goodbye then.
  Tunnel(Services& services, Inbound& client, io::Transport& target, const Limits& limits, io::CancelToken& cut) noexcept;
  ~Tunnel() { client_.on_drain(nullptr); }
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  // `early`: what the target sent behind its head, in `block`.
  io::Task<End> run(Buffer block, std::string_view early);

 private:
  enum class Way : std::uint8_t { Up, Down };  // from the client to the target, and back
  // One direction, named by where its octets come from.
  struct Side {
    explicit Side(http::websocket::Sender sender) noexcept : frames(sender) {}
    http::websocket::FrameScanner frames;
    Buffer buffer;          // of Down; what goes up stays in the client's own
    std::string_view left;  // read, not written yet
    bool ended = false;     // nothing more comes, or goes
    bool blocked = false;   // `left` was offered and nothing of it taken
  };

  io::Task<void> flow(Way way);
  void moved(Way way, std::size_t octets) noexcept;
  void note_end(Way way) noexcept;
  void pass_end(Way way) noexcept;
  void lost(Way way, bool sink) noexcept;
  void over(const observe::Reason& reason, std::string_view by, bool broken) noexcept;
  bool check_limits() noexcept;
  Instant deadline() const noexcept;

  io::Task<void> farewell(Way way);
  io::Task<bool> finish_frame(Way way);
  io::Task<void> say_close(Way way);
  io::Task<bool> read_parting(Way way);
  io::Task<bool> write_parting(Way way, std::string_view data);
  io::Wait parting() const noexcept;

  BodyPiece read(Way way) noexcept;
  io::Count write(Way way, std::string_view data) noexcept;
  io::Task<io::Code> wait(Way way, bool to_write, io::Wait wait);
  Side& side(Way way) noexcept { return way == Way::Up ? up_ : down_; }

  Services& services_;
  Inbound& client_;
  io::Transport& target_;
  Limits limits_;
  io::CancelToken& cut_;
  io::CancelToken relaying_;  // cancelled when the relaying is over: a reason to end, the drain, the cut
  Side up_, down_;
  Instant moved_, total_, close_by_ = Instant::max();
  Instant closed_ = Instant::max();  // both have said goodbye
  std::string_view first_;           // who ended first
  End end_;
};

}  // namespace gatelab::proxy
