// SPDX-License-Identifier: Apache-2.0
// From a target's URL to an open connection: its addresses, and the first of them that answers.
#include <algorithm>
#include <utility>

#include "io/scope.h"
#include "upstream/upstream.h"

namespace gatelab::upstream {
namespace {

// RFC 8305 §8.
constexpr Duration kAttemptDelay = std::chrono::milliseconds(250);

// Connections to the addresses of one target that are being made at once.
struct Race {
  Race(io::Loop& l, io::Network& n) noexcept : loop(l), network(n), scope(l) {}
  io::Loop& loop;
  io::Network& network;
  io::Scope scope;
  io::Signal news;
  io::TransportPtr won;
  Address address;      // of the one that has won, or of the last that failed
  io::Code failure = io::Code::Ok;
  std::size_t running = 0;
};

io::Task<void> try_one(Race& race, Address address, io::Wait wait) {
  wait.cancel = &race.scope.token();
  auto connecting = race.network.connect(race.loop, address, wait);
  auto connected = co_await connecting;
  --race.running;
  if (race.won || race.scope.token().cancelled()) {
    if (connected) (*connected)->close();
    co_return;
  }
  race.address = address;
  if (connected) race.won = std::move(*connected);
  else race.failure = connected.error();
  race.news.signal();
}

// Happy Eyeballs (RFC 8305 §5): the next address gets its turn when the one before has failed, or has not answered for a
// moment; the first connection is the one, the others are given up.
io::Task<void> run(Race& race, const std::vector<Address>& addresses, io::Wait wait) {
  std::size_t next = 0;
  while (!race.won && race.failure != io::Code::Cancelled && race.loop.now() < wait.deadline) {
    if (next < addresses.size()) {
      ++race.running;
      race.scope.spawn(try_one(race, addresses[next++], wait));
    } else if (race.running == 0) {
      break;
    }
    io::Wait moment = wait;
    if (next < addresses.size()) moment.deadline = std::min(wait.deadline, race.loop.now() + kAttemptDelay);
    const io::Code code = co_await race.news.wait(race.loop, moment);
    if (code == io::Code::Cancelled) race.failure = code;
    if (code == io::Code::TimedOut && race.loop.now() >= wait.deadline) race.failure = code;
  }
  race.scope.cancel();
  io::Wait end;
  end.what = "connections that were given up";
  auto joining = race.scope.join(end);
  co_await joining;
}

}  // namespace

const observe::Reason* connect_failure(io::Code code) noexcept {
  return code == io::Code::TimedOut ? &observe::reason::kConnectTimeout : &observe::reason::kConnectFailure;
}

// A connection, and nothing on it yet.
io::Task<void> Target::reach(Opened& opened, io::Loop& loop, io::Network& network, io::Resolver& resolver, io::Wait wait) {
  if (!place_.fixed && !config_->url.socket.empty()) {
    io::Task<io::IoResult<io::TransportPtr>> connecting = network.connect_unix(loop, config_->url.socket, wait);
    auto connected = co_await connecting;
    if (connected) opened.transport = std::move(*connected);
    else opened.failure = connect_failure(connected.error());
    co_return;
  }
  std::vector<Address> addresses;
  if (place_.fixed) {
    addresses.push_back(*place_.fixed);
  } else {
    auto finding = find_addresses(loop, resolver, wait);
    opened.failure = co_await finding;
    if (opened.failure != nullptr) co_return;
    addresses = addresses_.in_order(config_->url.port);
  }
  auto connecting = connect(opened, loop, network, addresses, wait);
  co_await connecting;
}

// Null: addresses_ are usable.
io::Task<const observe::Reason*> Target::find_addresses(io::Loop& loop, io::Resolver& resolver, io::Wait wait) {
  if (addresses_.fresh(loop.now())) co_return nullptr;
  auto resolving = resolver.resolve(loop, {config_->url.host, upstream_.names.servers}, wait);
  auto found = co_await resolving;
  const Instant now = loop.now();
  if (found) {
    // Connections to where the target is no more end with their exchange.
    if (addresses_.set(upstream_.names, std::move(*found), now)) place_.pool->retain([this](const Address& peer) { return addresses_.holds(peer.ip); });
    co_return nullptr;
  }
  if (found.error() == io::Code::Cancelled) co_return &observe::reason::kConnectFailure;
  if (addresses_.usable(upstream_.names, now)) {
    addresses_.failed(now);
    co_return nullptr;
  }
  co_return found.error() == io::Code::TimedOut ? &observe::reason::kConnectTimeout : &observe::reason::kResolveFailure;
}

io::Task<void> Target::refresh_addresses(io::Loop& loop, io::Resolver& resolver, io::Wait wait) {
  refreshing_ = true;
  auto finding = find_addresses(loop, resolver, wait);
  co_await finding;
  refreshing_ = false;
}

io::Task<void> Target::connect(Opened& opened, io::Loop& loop, io::Network& network, const std::vector<Address>& addresses, io::Wait wait) {
  if (addresses.size() == 1) {
    opened.address = addresses.front();
    auto connected = co_await network.connect(loop, opened.address, wait);
    if (connected) opened.transport = std::move(*connected);
    else opened.failure = connect_failure(connected.error());
    co_return;
  }
  Race race(loop, network);
  auto running = run(race, addresses, wait);
  co_await running;
  opened.address = race.address;
  opened.transport = std::move(race.won);
  if (!opened.transport) opened.failure = connect_failure(race.failure);
}

}  // namespace gatelab::upstream
