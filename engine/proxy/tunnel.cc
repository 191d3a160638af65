// SPDX-License-Identifier: Apache-2.0
#include "proxy/tunnel.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace gatelab::proxy {
namespace {

namespace websocket = http::websocket;

constexpr Duration kPartingWait = std::chrono::seconds(2);  // for the answer to a close frame, and for the end behind it
constexpr std::size_t kFairOctets = 256 * 1024;

// RFC 6455 §7.4.1: going away for what is nobody's fault, policy violation for what was not allowed.
std::uint16_t close_code(const observe::Reason& reason) noexcept { return &reason == &observe::reason::kTunnelLimit ? 1008 : 1001; }

Instant after(Instant from, Duration by) noexcept { return by == Duration::max() ? Instant::max() : from + by; }

}  // namespace

Tunnel::Tunnel(Services& services, Inbound& client, io::Transport& target, const Limits& limits, io::CancelToken& cut) noexcept
    : services_(services), client_(client), target_(target), limits_(limits), cut_(cut), up_(websocket::Sender::Client),
      down_(websocket::Sender::Server), moved_(services.loop.now()), total_(after(moved_, limits.total)) {}

io::Task<Tunnel::End> Tunnel::run(Buffer block, std::string_view early) {
  down_.buffer = std::move(block);
  down_.left = early;
  client_.on_drain(&relaying_);
  if (services_.draining) relaying_.cancel();
  {
    io::Scope beside(services_.loop);
    beside.spawn(flow(Way::Up));
    co_await flow(Way::Down);
    io::Wait wait;
    wait.what = "the other direction of a tunnel";
    co_await beside.join(wait);
  }
  if (end_.reason == nullptr) over(observe::reason::kShutdown, "gateway", false);
  const bool polite = end_.by == "gateway" && !cut_.cancelled();
  if (polite) {
    close_by_ = services_.loop.now() + kPartingWait;
    io::Scope beside(services_.loop);
    beside.spawn(farewell(Way::Up));
    co_await farewell(Way::Down);
    io::Wait wait;
    wait.what = "the other goodbye of a tunnel";
    co_await beside.join(wait);
  }
  co_return end_;
}

void Tunnel::over(const observe::Reason& reason, std::string_view by, bool broken) noexcept {
  if (end_.reason != nullptr) return;
  end_.reason = &reason;
  end_.by = by;
  end_.broken = broken;
  relaying_.cancel();
}

Instant Tunnel::deadline() const noexcept {
  const Instant parted = closed_ == Instant::max() ? closed_ : closed_ + kPartingWait;
  return std::min({total_, after(moved_, limits_.idle), parted});
}

// True if a limit has been reached; the tunnel is over then.
bool Tunnel::check_limits() noexcept {
  const Instant now = services_.loop.now();
  if (now < deadline()) return false;
  if (closed_ != Instant::max()) over(observe::reason::kTunnelClosed, first_, false);
  else if (now >= total_) over(observe::reason::kTunnelLimit, "gateway", false);
  else over(observe::reason::kTunnelIdle, "gateway", false);
  return true;
}

BodyPiece Tunnel::read(Way way) noexcept {
  if (way == Way::Up) return client_.next_body();
  Buffer& buffer = down_.buffer;
  if (!buffer || buffer.size() < BufferPool::kBody) buffer = services_.buffers.take(BufferPool::kBody);
  const io::Count count = target_.try_read({buffer.data(), buffer.size()});
  if (count.code == io::Code::Ok) return {BodyPiece::Kind::Data, {buffer.data(), count.octets}, {}};
  buffer.release();  // a quiet tunnel holds none
  if (count.code == io::Code::WouldBlock) return {BodyPiece::Kind::Again, {}, {}};
  return {count.code == io::Code::Eof ? BodyPiece::Kind::Done : BodyPiece::Kind::Gone, {}, {}};
}

io::Count Tunnel::write(Way way, std::string_view data) noexcept {
  if (way == Way::Down) return client_.tunnel_write(data);
  const std::array<io::ConstBuffer, 1> buffers{{{data.data(), data.size()}}};
  return target_.try_write(buffers);
}

// Until this way's source has something to read, or its sink takes more.
io::Task<io::Code> Tunnel::wait(Way way, bool to_write, io::Wait wait) {
  io::Code code = io::Code::Ok;
  const bool at_client = (way == Way::Up) != to_write;
  if (!at_client && to_write) {
    code = co_await target_.writable(wait);
  } else if (!at_client) {
    code = co_await target_.readable(wait);
  } else {
    io::Task<io::Code> ready = to_write ? client_.tunnel_writable(wait) : client_.body_ready(wait);
    code = co_await ready;
  }
  co_return code;
}

void Tunnel::note_end(Way way) noexcept {
  if (first_.empty()) first_ = way == Way::Up ? "client" : "upstream";
}

// The source has said its last: so does the gateway to the sink.
void Tunnel::pass_end(Way way) noexcept {
  note_end(way);
  side(way).ended = true;
  if (way == Way::Up) target_.shutdown_write();
  else client_.tunnel_finish();
  if (up_.ended && down_.ended) over(observe::reason::kTunnelClosed, first_, false);
}

// The source, or the sink, was reset. A sink that can't be written to may still be read from: the other way tells its end.
void Tunnel::lost(Way way, bool sink) noexcept {
  // Close frames both ways were their last words (RFC 6455 §7.1.4). How a connection ends behind them says nothing: browsers
  // send no close_notify.
  if (closed_ != Instant::max()) return over(observe::reason::kTunnelClosed, first_, false);
  const bool client = (way == Way::Up) != sink;
  side(way).ended = true;
  if (sink && !side(way == Way::Up ? Way::Down : Way::Up).ended) return;
  over(client ? observe::reason::kClientGone : observe::reason::kTruncated, client ? "client" : "upstream", true);
}

void Tunnel::moved(Way way, std::size_t octets) noexcept {
  Side& mine = side(way);
  mine.frames.follow(mine.left.substr(0, octets));
  mine.left.remove_prefix(octets);
  moved_ = services_.loop.now();
  if (way == Way::Down) end_.down += octets;
  if (mine.frames.closed()) note_end(way);
  if (up_.frames.closed() && down_.frames.closed() && closed_ == Instant::max()) closed_ = moved_;
}

io::Task<void> Tunnel::flow(Way way) {
  Side& mine = side(way);
  std::size_t since_yield = 0;
  while (!relaying_.cancelled() && !mine.ended) {
    bool to_write = false;
    if (mine.left.empty()) {
      const BodyPiece piece = read(way);
      mine.left = piece.data;
      if (piece.kind == BodyPiece::Kind::Data) continue;
      if (piece.kind == BodyPiece::Kind::Done) co_return pass_end(way);
      if (piece.kind != BodyPiece::Kind::Again) co_return lost(way, false);
    } else {
      const io::Count written = write(way, mine.left);
      if (written.code == io::Code::Ok) {
        mine.blocked = false;
        moved(way, written.octets);
        since_yield += written.octets;
        if (since_yield < kFairOctets) continue;
        since_yield = 0;
        co_await io::yield(services_.loop);
        continue;
      }
      if (written.code != io::Code::WouldBlock) co_return lost(way, true);
      mine.blocked = to_write = true;
    }
    io::Wait next;
    next.deadline = deadline();
    next.cancel = &relaying_;
    next.what = to_write ? "a side of a tunnel to read" : "a side of a tunnel to write";
    const io::Code code = co_await wait(way, to_write, next);
    if (code == io::Code::TimedOut && check_limits()) co_return;
  }
}

io::Wait Tunnel::parting() const noexcept {
  io::Wait wait;
  wait.deadline = close_by_;
  wait.cancel = &cut_;
  wait.what = "goodbye of a tunnel";
  return wait;
}

// To the end of the frame that is under way, then a close frame, then what the source still says is dropped until it has
// said goodbye itself.
io::Task<void> Tunnel::farewell(Way way) {
  Side& mine = side(way);
  const bool whole = co_await finish_frame(way);
  if (whole && !mine.frames.closed()) co_await say_close(way);
  while (!mine.ended && !mine.frames.closed()) {
    if (!mine.left.empty()) {
      mine.frames.follow(mine.left);
      mine.left = {};
      continue;
    }
    const bool more = co_await read_parting(way);
    if (!more) co_return;
  }
}

// More of the source in `left`. False: there is none, or no time.
io::Task<bool> Tunnel::read_parting(Way way) {
  for (;;) {
    const BodyPiece piece = read(way);
    side(way).left = piece.data;
    if (piece.kind == BodyPiece::Kind::Data) co_return true;
    if (piece.kind != BodyPiece::Kind::Again) co_return false;
    const io::Wait next = parting();
    const io::Code code = co_await wait(way, false, next);
    if (code != io::Code::Ok) co_return false;
  }
}

// True: the sink stands between two frames and can be told goodbye.
io::Task<bool> Tunnel::finish_frame(Way way) {
  Side& mine = side(way);
  // What a transport has refused must be what it is given next: TLS may have begun a record with it.
  if (mine.blocked && !mine.left.empty()) {
    const std::string_view refused = mine.left;
    const bool written = co_await write_parting(way, refused);
    if (!written) co_return false;
    moved(way, refused.size());
  }
  while (!mine.ended && !mine.frames.lost() && !mine.frames.at_boundary()) {
    if (mine.left.empty()) {
      const bool more = co_await read_parting(way);
      if (!more) co_return false;
    }
    const std::size_t rest = mine.frames.rest_of_frame(mine.left);
    const bool written = co_await write_parting(way, mine.left.substr(0, rest));
    if (!written) co_return false;
    moved(way, rest);
  }
  co_return !mine.ended && !mine.frames.lost();
}

io::Task<void> Tunnel::say_close(Way way) {
  char out[14 + 2 + 32];
  websocket::FrameHead head;
  head.opcode = websocket::Opcode::Close;
  const std::string_view words = end_.reason->word;
  head.length = 2 + words.size();
  head.masked = way == Way::Up;  // to the target the gateway speaks as a client
  const std::uint64_t dice = head.masked ? services_.own.next() : 0;
  std::memcpy(head.mask.data(), &dice, head.mask.size());
  const std::size_t begin = websocket::write_head(head, out);
  const std::uint16_t code = close_code(*end_.reason);
  out[begin] = static_cast<char>(code >> 8);
  out[begin + 1] = static_cast<char>(code & 255);
  std::memcpy(out + begin + 2, words.data(), words.size());
  if (head.masked) websocket::apply_mask(out + begin, static_cast<std::size_t>(head.length), head.mask);
  const std::string_view frame(out, begin + static_cast<std::size_t>(head.length));
  const bool written = co_await write_parting(way, frame);
  if (written && way == Way::Down) end_.down += frame.size();
}

io::Task<bool> Tunnel::write_parting(Way way, std::string_view data) {
  while (!data.empty()) {
    const io::Count written = write(way, data);
    if (written.code == io::Code::Ok) {
      data.remove_prefix(written.octets);
      continue;
    }
    if (written.code != io::Code::WouldBlock) co_return false;
    const io::Wait next = parting();
    const io::Code code = co_await wait(way, true, next);
    if (code != io::Code::Ok) co_return false;
  }
  co_return true;
}

}  // namespace gatelab::proxy
