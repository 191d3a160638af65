// SPDX-License-Identifier: Apache-2.0
#include "upstream/fault_transport.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace gatelab::upstream {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
// No HTTP, and no TLS either: what a wrong port may answer.
constexpr std::string_view kGarbage = "\x15\x03\xff\x80 0x2a %% SSH-2.0-\r\n\x01\x02\x7f\x1b[2J\r\n\r\n";
// A throttled side moves what has come together in this time, so that it does not move octet by octet.
constexpr double kQuantumSeconds = 0.02;

struct Line {
  std::string_view method, path;
};

// Of a request that begins in `text`.
Line line_of(std::string_view text) noexcept {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return {};
  const std::string_view rest = text.substr(space + 1);
  return {text.substr(0, space), rest.substr(0, rest.find_first_of(" ?\r\n"))};
}

std::string answer_of(const Fault& fault, bool head_only) {
  const std::string body = "gatelab plays the fault `" + fault.name + "`\n";
  std::string out = "HTTP/1.1 " + std::to_string(fault.status) + " Fault\r\nContent-Type: text/plain; charset=utf-8\r\n";
  for (const auto& [name, value] : fault.headers) out.append(name).append(": ").append(value).append("\r\n");
  const bool bodiless = fault.status == 204 || fault.status == 304;
  if (!bodiless) out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  out += "\r\n";
  return bodiless || head_only ? out : out + body;
}

}  // namespace

FaultTransport::FaultTransport(io::TransportPtr below, TargetFaults& faults) noexcept : below_(std::move(below)), faults_(faults) {}

io::TransportPtr FaultTransport::take_below() noexcept { return std::move(below_); }

// The first octets of a request are all of its head: it is written in one piece.
void FaultTransport::begin(std::span<const io::ConstBuffer> from) noexcept {
  std::size_t first = 0;
  while (first < from.size() && from[first].size == 0) ++first;
  if (first == from.size()) return;
  begun_ = true;
  const Line line = line_of({from[first].data, from[first].size});
  fault_ = faults_.request(loop().clock().policy_now(), line.method, line.path);
  if (!fault_) return;
  const Instant now = loop().now();
  const bool at_once = fault_->after == 0;
  switch (fault_->kind) {
    case Fault::Kind::Reset:
    case Fault::Kind::Close:
      swallows_ = at_once;
      if (at_once) source_ = Source::Made;
      break;
    case Fault::Kind::Garbage:
      swallows_ = true;
      source_ = Source::Made;
      made_ = kGarbage;
      break;
    case Fault::Kind::Status:
      swallows_ = true;
      source_ = Source::Made;
      made_ = answer_of(*fault_, line.method == "HEAD");
      break;
    case Fault::Kind::HalfOpen:
      swallows_ = true;
      source_ = Source::Nobody;
      break;
    case Fault::Kind::Hang: source_ = Source::Nobody; break;
    case Fault::Kind::Throttle: reads_ = writes_ = {quantum(), now}; break;
    case Fault::Kind::Truncate:
    case Fault::Kind::Slow:
    case Fault::Kind::Drip:
    case Fault::Kind::Refuse:
    case Fault::Kind::Dns:
    case Fault::Kind::Tls: break;
  }
  if (source_ == Source::Made) ready_ = now + fault_->delay;
}

double FaultTransport::quantum() const noexcept { return std::max(1.0, static_cast<double>(fault_->rate) * kQuantumSeconds); }

// Of `wanted`: as many as have come together, or none.
std::size_t FaultTransport::allowed(Bucket& bucket, std::size_t wanted) noexcept {
  const Instant now = loop().now();
  const double seconds = std::chrono::duration<double>(now - bucket.filled).count();
  bucket.octets = std::min(bucket.octets + seconds * static_cast<double>(fault_->rate), 2 * quantum());
  bucket.filled = now;
  const double least = std::min(quantum(), static_cast<double>(wanted));
  if (bucket.octets + 1e-6 < least) return 0;
  return std::min(wanted, static_cast<std::size_t>(bucket.octets + 1e-6));
}

void FaultTransport::wait_for(const Bucket& bucket, io::Waiter& w) noexcept {
  const double seconds = (quantum() - bucket.octets) / static_cast<double>(fault_->rate);
  w.ready_at(bucket.filled + Duration(static_cast<std::int64_t>(std::ceil(std::max(0.0, seconds) * 1e9)) + 1));
}

// No further octet of the target's passes.
bool FaultTransport::is_cut() const noexcept {
  if (is(Fault::Kind::Truncate)) return head_end_ == static_cast<int>(kHeadEnd.size()) && passed_ >= fault_->after;
  return (is(Fault::Kind::Reset) || is(Fault::Kind::Close)) && passed_ >= fault_->after;
}

io::Count FaultTransport::end() noexcept {
  if (!is(Fault::Kind::Reset)) return {io::Code::Eof, 0};
  broken_ = true;
  below_->reset();
  return {io::Code::Reset, 0};
}

io::Count FaultTransport::read_made(std::span<char> into) noexcept {
  if (made_at_ == made_.size()) return is(Fault::Kind::Status) ? io::Count{io::Code::WouldBlock, 0} : end();
  const std::size_t n = std::min(into.size(), made_.size() - made_at_);
  std::memcpy(into.data(), made_.data() + made_at_, n);
  return {io::Code::Ok, n};
}

io::Count FaultTransport::may_read(std::span<char> into) noexcept {
  if (!fault_) return {io::Code::Ok, into.size()};
  if (is_cut()) return end();
  switch (fault_->kind) {
    case Fault::Kind::Slow: {
      if (seen_answer_ || below_->peer_state() == Peer::Quiet) break;
      seen_answer_ = true;
      ready_ = loop().now() + fault_->delay;
      return {io::Code::WouldBlock, 0};
    }
    case Fault::Kind::Drip: return {io::Code::Ok, std::min<std::size_t>(into.size(), 1)};
    case Fault::Kind::Throttle: {
      const std::size_t n = allowed(reads_, into.size());
      return {n == 0 ? io::Code::WouldBlock : io::Code::Ok, n};
    }
    case Fault::Kind::Truncate: {
      if (head_end_ == static_cast<int>(kHeadEnd.size())) return {io::Code::Ok, static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), fault_->after - passed_))};
      // Where the head ends is seen before it is read.
      const io::Count seen = below_->try_peek(into);
      if (seen.code != io::Code::Ok) return seen;
      int end = head_end_;
      for (std::size_t i = 0; i < seen.octets; ++i) {
        end = into[i] == kHeadEnd[static_cast<std::size_t>(end)] ? end + 1 : into[i] == '\r' ? 1 : 0;
        if (end == static_cast<int>(kHeadEnd.size())) return {io::Code::Ok, static_cast<std::size_t>(std::min<std::uint64_t>(seen.octets, i + 1 + fault_->after))};
      }
      return seen;
    }
    case Fault::Kind::Reset:
    case Fault::Kind::Close: return {io::Code::Ok, static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), fault_->after - passed_))};
    case Fault::Kind::Refuse:
    case Fault::Kind::Dns:
    case Fault::Kind::Tls:
    case Fault::Kind::Hang:
    case Fault::Kind::Garbage:
    case Fault::Kind::Status:
    case Fault::Kind::HalfOpen: break;
  }
  return {io::Code::Ok, into.size()};
}

void FaultTransport::passed(std::string_view octets) noexcept {
  if (!is(Fault::Kind::Truncate)) {
    passed_ += octets.size();
    return;
  }
  for (const char c : octets) {
    if (head_end_ == static_cast<int>(kHeadEnd.size())) ++passed_;
    else head_end_ = c == kHeadEnd[static_cast<std::size_t>(head_end_)] ? head_end_ + 1 : c == '\r' ? 1 : 0;
  }
}

io::Count FaultTransport::try_read(std::span<char> into) noexcept {
  if (broken_ || !below_) return {io::Code::Reset, 0};
  if (source_ == Source::Nobody || loop().now() < ready_) return {io::Code::WouldBlock, 0};
  if (source_ == Source::Made) {
    const io::Count made = read_made(into);
    made_at_ += made.octets;
    return made;
  }
  const io::Count may = may_read(into);
  if (may.code != io::Code::Ok) return may;
  const io::Count got = below_->try_read(into.first(may.octets));
  if (got.code != io::Code::Ok || !fault_) return got;
  passed({into.data(), got.octets});
  if (is(Fault::Kind::Drip)) ready_ = loop().now() + fault_->delay;
  if (is(Fault::Kind::Throttle)) reads_.octets -= static_cast<double>(got.octets);
  return got;
}

io::Count FaultTransport::try_peek(std::span<char> into) noexcept {
  if (broken_ || !below_) return {io::Code::Reset, 0};
  if (source_ == Source::Nobody || loop().now() < ready_) return {io::Code::WouldBlock, 0};
  if (source_ == Source::Made) return read_made(into);
  const io::Count may = may_read(into);
  return may.code == io::Code::Ok ? below_->try_peek(into.first(may.octets)) : may;
}

io::Count FaultTransport::try_write(std::span<const io::ConstBuffer> from) noexcept {
  if (broken_ || !below_) return {io::Code::Reset, 0};
  if (!begun_) begin(from);
  if (swallows_) {
    std::size_t total = 0;
    for (const io::ConstBuffer& b : from) total += b.size;
    return {io::Code::Ok, total};
  }
  if (!is(Fault::Kind::Throttle)) return below_->try_write(from);
  std::size_t total = 0;
  for (const io::ConstBuffer& b : from) total += b.size;
  std::size_t left = allowed(writes_, total);
  if (left == 0) return {total == 0 ? io::Code::Ok : io::Code::WouldBlock, 0};
  std::array<io::ConstBuffer, 64> part;
  std::size_t n = 0;
  for (std::size_t i = 0; i < from.size() && n < part.size() && left > 0; ++i) {
    part[n] = {from[i].data, std::min(from[i].size, left)};
    left -= part[n++].size;
  }
  const io::Count written = below_->try_write({part.data(), n});
  if (written.code == io::Code::Ok) writes_.octets -= static_cast<double>(written.octets);
  return written;
}

void FaultTransport::shutdown_write() noexcept {
  if (below_ && !swallows_) below_->shutdown_write();
}

void FaultTransport::close() noexcept {
  if (!below_) return;
  if (reader_ != nullptr) reader_->complete(io::Code::Cancelled);
  below_->close();
}

void FaultTransport::reset() noexcept {
  if (!below_) return;
  if (reader_ != nullptr) reader_->complete(io::Code::Cancelled);
  below_->reset();
}

void FaultTransport::break_off() noexcept {
  if (!below_) return;
  broken_ = true;
  if (reader_ != nullptr) reader_->complete(io::Code::Ok);
  below_->break_off();
}

io::Transport::Peer FaultTransport::peer_state() noexcept {
  if (broken_ || !below_) return Peer::Reset;
  if (source_ == Source::Nobody || loop().now() < ready_) return Peer::Quiet;
  if (source_ == Source::Target) return is_cut() ? Peer::Eof : below_->peer_state();
  if (made_at_ < made_.size()) return Peer::Data;
  return is(Fault::Kind::Status) ? Peer::Quiet : Peer::Eof;
}

void FaultTransport::wait_readable(io::Waiter& w) noexcept {
  if (broken_ || !below_) return w.complete(io::Code::Ok);
  const auto hold = [this, &w] {
    reader_ = &w;
    w.slot = &reader_;
  };
  if (loop().now() < ready_) {
    hold();
    return w.ready_at(ready_);
  }
  const bool said_all = source_ == Source::Made && is(Fault::Kind::Status) && made_at_ == made_.size();
  if (source_ == Source::Nobody || said_all) return hold();
  if (source_ == Source::Made || is_cut()) return w.complete(io::Code::Ok);
  if (is(Fault::Kind::Throttle) && allowed(reads_, SIZE_MAX) == 0) {
    hold();
    return wait_for(reads_, w);
  }
  below_->wait_readable(w);
}

void FaultTransport::wait_writable(io::Waiter& w) noexcept {
  if (broken_ || !below_ || swallows_) return w.complete(io::Code::Ok);
  if (is(Fault::Kind::Throttle) && allowed(writes_, SIZE_MAX) == 0) return wait_for(writes_, w);
  below_->wait_writable(w);
}

}  // namespace gatelab::upstream
