// SPDX-License-Identifier: Apache-2.0
#include "io/sim_network.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace gatelab::io {
namespace {

constexpr std::size_t kLinksBeforeSweep = 256;

}  // namespace

// What one end has in front of it: octets to read, and how the stream ends.
struct SimSide {
  std::string octets;         // arrived and not read
  std::size_t at = 0;         // of octets: read
  std::size_t under_way = 0;  // written by the peer, not arrived yet
  bool eof = false;
  bool reset = false;
  bool closed = false;   // this end was closed by its owner
  bool shut = false;     // this end will write no more
  Waiter* reader = nullptr;
  Waiter* writer = nullptr;  // waits for room at the peer
  std::size_t unread() const noexcept { return octets.size() - at; }
};

// Two ends and the wire between them.
struct SimLink {
  SimSide ends[2];
  Address addresses[2];
  Dice dice;
  std::size_t capacity;
  Duration latency;
  bool segmentation;

  // Seeded segmentation: often all of it, often a part, sometimes a single octet.
  std::size_t cut(std::size_t n) noexcept {
    if (!segmentation || n <= 1) return n;
    const std::uint64_t kind = dice.below(8);
    if (kind < 4) return n;
    return kind == 4 ? 1 : 1 + static_cast<std::size_t>(dice.below(n));
  }
};

namespace {

void wake(Waiter*& waiter) noexcept {
  if (waiter != nullptr) waiter->complete(Code::Ok);
}

class SimTransport final : public Transport {
 public:
  SimTransport(SimCore& core, Loop& loop, std::shared_ptr<SimLink> link, int side) noexcept
      : core_(core), loop_(loop), link_(std::move(link)), side_(side) {}
  ~SimTransport() override { close(); }

  Count try_read(std::span<char> into) noexcept override {
    SimSide& mine = here();
    if (mine.closed) return {Code::Reset, 0};
    if (mine.unread() == 0) return {mine.reset ? Code::Reset : mine.eof ? Code::Eof : Code::WouldBlock, 0};
    if (into.empty()) return {Code::Ok, 0};
    const std::size_t n = link_->cut(std::min(into.size(), mine.unread()));
    std::memcpy(into.data(), mine.octets.data() + mine.at, n);
    mine.at += n;
    if (mine.at == mine.octets.size()) {
      mine.octets.clear();
      mine.at = 0;
    } else if (mine.at > link_->capacity) {
      mine.octets.erase(0, std::exchange(mine.at, 0));
    }
    wake(there().writer);
    return {Code::Ok, n};
  }

  Count try_peek(std::span<char> into) noexcept override {
    const SimSide& mine = here();
    if (mine.closed) return {Code::Reset, 0};
    if (mine.unread() == 0) return {mine.reset ? Code::Reset : mine.eof ? Code::Eof : Code::WouldBlock, 0};
    const std::size_t n = std::min(into.size(), mine.unread());
    std::memcpy(into.data(), mine.octets.data() + mine.at, n);
    return {Code::Ok, n};
  }

  Count try_write(std::span<const ConstBuffer> from) noexcept override {
    SimSide& mine = here();
    if (mine.closed || mine.shut || mine.reset) return {Code::Reset, 0};
    std::size_t total = 0;
    for (const ConstBuffer& b : from) total += b.size;
    if (total == 0) return {Code::Ok, 0};
    SimSide& peer = there();
    if (peer.closed) {  // as TCP does it: the octets leave, a reset comes back
      mine.reset = true;
      wake(mine.reader);
      return {Code::Ok, total};
    }
    const std::size_t used = peer.unread() + peer.under_way;
    if (used >= link_->capacity) return {Code::WouldBlock, 0};
    std::size_t n = link_->cut(std::min(total, link_->capacity - used));
    std::string sent;
    sent.reserve(n);
    for (const ConstBuffer& b : from) {
      const std::size_t part = std::min(n - sent.size(), b.size);
      sent.append(b.data, part);
      if (sent.size() == n) break;
    }
    deliver(std::move(sent));
    return {Code::Ok, n};
  }

  void shutdown_write() noexcept override {
    SimSide& mine = here();
    if (mine.closed || mine.shut) return;
    mine.shut = true;
    later([](SimSide& peer) { peer.eof = true; });
  }

  void close() noexcept override {
    SimSide& mine = here();
    if (mine.closed) return;
    const bool unread = mine.unread() > 0;
    const bool shut = mine.shut;
    end_here(Code::Cancelled);
    if (unread) later([](SimSide& peer) { peer.reset = true; });
    else if (!shut) later([](SimSide& peer) { peer.eof = true; });
  }

  void reset() noexcept override { cut(Code::Cancelled); }
  void break_off() noexcept override { cut(Code::Ok); }

  Peer peer_state() noexcept override {
    const SimSide& mine = here();
    if (mine.reset || mine.closed) return Peer::Reset;
    if (mine.unread() > 0) return Peer::Data;
    return mine.eof ? Peer::Eof : Peer::Quiet;
  }

  Address local() const noexcept override { return link_->addresses[side_]; }
  Address peer() const noexcept override { return link_->addresses[1 - side_]; }
  Loop& loop() noexcept override { return loop_; }

  void wait_readable(Waiter& w) noexcept override {
    SimSide& mine = here();
    if (mine.unread() > 0 || mine.eof || mine.reset || mine.closed) return w.complete(Code::Ok);
    hold(mine.reader, w);
  }
  void wait_writable(Waiter& w) noexcept override {
    SimSide& mine = here();
    const SimSide& peer = there();
    if (mine.closed || mine.reset || peer.closed || peer.unread() + peer.under_way < link_->capacity) return w.complete(Code::Ok);
    hold(mine.writer, w);
  }

 private:
  SimSide& here() noexcept { return link_->ends[side_]; }
  SimSide& there() noexcept { return link_->ends[1 - side_]; }

  static void hold(Waiter*& place, Waiter& w) noexcept {
    assert(place == nullptr && "one waiter a direction");
    place = &w;
    w.slot = &place;
  }

  void cut(Code waits) noexcept {
    if (here().closed) return;
    end_here(waits);
    later([](SimSide& peer) { peer.reset = true; });
  }

  void end_here(Code waits) noexcept {
    SimSide& mine = here();
    mine.closed = true;
    mine.octets.clear();
    mine.at = 0;
    if (mine.reader != nullptr) mine.reader->complete(waits);
    if (mine.writer != nullptr) mine.writer->complete(waits);
    wake(there().writer);
  }

  // What happens to the peer's end when it has crossed the wire. Order on the wire is kept: events of one latency at one
  // instant fire in sequence.
  template <class F>
  void later(F change) noexcept {
    auto apply = [link = link_, side = side_, change] {
      SimSide& peer = link->ends[1 - side];
      change(peer);
      wake(peer.reader);
      if (peer.reset) wake(peer.writer);
    };
    if (link_->latency.count() == 0) return apply();
    core_.at(core_.clock.now + link_->latency, std::move(apply));
  }

  void deliver(std::string sent) noexcept {
    core_.note(2000 + sent.size());
    there().under_way += sent.size();
    later([sent = std::move(sent)](SimSide& peer) {
      peer.under_way -= sent.size();
      if (!peer.closed) peer.octets += sent;
    });
  }

  SimCore& core_;
  Loop& loop_;
  std::shared_ptr<SimLink> link_;
  int side_;
};

}  // namespace

class SimListener final : public Listener {
 public:
  SimListener(SimNetwork& network, SimCore& core, Endpoint endpoint) : network_(network), core_(core), endpoint_(std::move(endpoint)) {}
  ~SimListener() override { close(); }

  Address local() const noexcept override { return endpoint_.address; }
  bool takes_both() const noexcept { return endpoint_.both; }

  void start(std::vector<Loop*> workers, OnAccept on_accept) override {
    workers_ = std::move(workers);
    on_accept_ = std::make_shared<OnAccept>(std::move(on_accept));
    for (auto& link : std::exchange(waiting_, {})) hand_out(std::move(link));
  }

  void close() noexcept override {
    if (std::exchange(closed_, true)) return;
    network_.forget(endpoint_);
  }

  void arrive(std::shared_ptr<SimLink> link) {
    if (workers_.empty()) waiting_.push_back(std::move(link));
    else hand_out(std::move(link));
  }

 private:
  void hand_out(std::shared_ptr<SimLink> link) {
    const auto worker = static_cast<std::uint32_t>(next_++ % workers_.size());
    Loop& loop = *workers_[worker];
    // A std::function must be copyable: the transport is made where it arrives.
    loop.post_remote([&core = core_, &loop, link = std::move(link), worker, call = on_accept_] {
      (*call)(worker, std::make_unique<SimTransport>(core, loop, link, 1));
    });
  }

  SimNetwork& network_;
  SimCore& core_;
  Endpoint endpoint_;
  std::vector<Loop*> workers_;
  std::shared_ptr<OnAccept> on_accept_;
  std::vector<std::shared_ptr<SimLink>> waiting_;
  std::size_t next_ = 0;
  bool closed_ = false;
};

std::uint16_t SimNetwork::free_port(const IpAddress& ip) {
  while (listeners_.count({ip, next_listener_port_}) > 0) ++next_listener_port_;
  return next_listener_port_++;
}

Result<std::unique_ptr<Listener>> SimNetwork::listen(Loop&, const Endpoint& endpoint) {
  Endpoint bound = endpoint;
  const bool named = bound.kind != Endpoint::Kind::Ip;
  if (!named && bound.address.port == 0) bound.address.port = free_port(bound.address.ip);
  if (named ? named_.count(format(bound)) > 0 : listeners_.count(bound.address) > 0) return fail("address-in-use", "the address " + format(bound) + " is in use");
  auto listener = std::make_unique<SimListener>(*this, core_, bound);
  (named ? named_[format(bound)] : listeners_[bound.address]) = listener.get();
  return std::unique_ptr<Listener>(std::move(listener));
}

void SimNetwork::forget(const Endpoint& endpoint) {
  if (endpoint.kind == Endpoint::Kind::Ip) listeners_.erase(endpoint.address);
  else named_.erase(format(endpoint));
}

SimListener* SimNetwork::find(const Address& to) const {
  const auto exact = listeners_.find(to);
  if (exact != listeners_.end()) return exact->second;
  IpAddress any;
  any.family = to.ip.family;
  const auto wildcard = listeners_.find({any, to.port});
  if (wildcard != listeners_.end()) return wildcard->second;
  any.family = IpAddress::Family::V6;
  const auto both = listeners_.find({any, to.port});
  return both == listeners_.end() || !both->second->takes_both() ? nullptr : both->second;
}

Task<IoResult<TransportPtr>> SimNetwork::connect(Loop& loop, Address to, Wait wait) {
  Task<IoResult<TransportPtr>> connecting = connect_from(loop, to.ip, to, wait);
  auto connected = co_await connecting;
  co_return connected;
}

Task<IoResult<TransportPtr>> SimNetwork::connect_from(Loop& loop, IpAddress source, Address to, Wait wait) {
  const auto known = reach_.find(to);
  const Simulation::Reach reach = known == reach_.end() ? Simulation::Reach::Normal : known->second;
  if (reach == Simulation::Reach::Hang) {
    const Code code = co_await sleep_until(loop, wait);
    co_return Failure<Code>{code};
  }
  if (wait.cancel != nullptr && wait.cancel->cancelled()) co_return Failure<Code>{Code::Cancelled};
  if (options_.latency.count() > 0) {
    Wait crossing = wait;
    const Instant arrives = loop.now() + options_.latency * 2;
    crossing.deadline = std::min(wait.deadline, arrives);
    const Code code = co_await sleep_until(loop, crossing);
    if (code != Code::TimedOut || arrives > wait.deadline) co_return Failure<Code>{code};
  }
  SimListener* listener = reach == Simulation::Reach::Refuse ? nullptr : find(to);
  if (listener == nullptr) co_return Failure<Code>{Code::Refused};
  const Address from{source, next_client_port_++};
  if (next_client_port_ == 0) next_client_port_ = 49'152;
  TransportPtr transport = open_link(loop, *listener, from, to);
  co_return transport;
}

Task<IoResult<TransportPtr>> SimNetwork::connect_unix(Loop& loop, std::string path, Wait wait) {
  if (wait.cancel != nullptr && wait.cancel->cancelled()) co_return Failure<Code>{Code::Cancelled};
  const auto known = named_.find("unix:" + path);
  if (known == named_.end()) co_return Failure<Code>{Code::NotFound};
  TransportPtr transport = open_link(loop, *known->second, {}, {});
  co_return transport;
}

TransportPtr SimNetwork::open_link(Loop& loop, SimListener& listener, const Address& from, const Address& to) {
  auto link = std::make_shared<SimLink>(SimLink{{}, {from, to}, random_.fork("segments", next_link_++), options_.socket_buffer, options_.latency, options_.segmentation});
  if (links_.size() >= kLinksBeforeSweep) std::erase_if(links_, [](const auto& weak) { return weak.expired(); });
  links_.push_back(link);
  core_.note(3000);
  listener.arrive(link);
  return std::make_unique<SimTransport>(core_, loop, link, 0);
}

void SimNetwork::reset_connections(const Address& address) {
  for (const auto& weak : links_) {
    const auto link = weak.lock();
    if (!link || link->addresses[1] != address) continue;
    for (SimSide& end : link->ends) {
      end.reset = true;
      end.octets.clear();
      end.at = 0;
      wake(end.reader);
      wake(end.writer);
    }
  }
}

}  // namespace gatelab::io
