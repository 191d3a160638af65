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
  Race(io::Loop& l, io::Network& n, std::vector<Address> a) noexcept : loop(l), network(n), scope(l), addresses(std::move(a)), address(addresses.front()) {}
  io::Loop& loop;
  io::Network& network;
  io::Scope scope;
  io::Signal news;
  std::vector<Address> addresses;
  bool more = false;    // may come: DNS is being asked
  io::TransportPtr won;
  Address address;      // of the one that has won, or of the last that failed; the first until then
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

// What DNS says meanwhile comes behind what was known (RFC 8305 §3).
io::Task<void> expect_more(Race& race, TargetName& name, std::uint16_t port, io::Wait wait) {
  wait.cancel = &race.scope.token();
  auto asking = name.answer(race.loop, wait);
  const io::Code code = co_await asking;
  race.more = false;
  if (code == io::Code::Ok)
    for (const Address& address : name.addresses().in_order(port, 0, race.loop.now()))
      if (std::find(race.addresses.begin(), race.addresses.end(), address) == race.addresses.end()) race.addresses.push_back(address);
  race.news.signal();
}

// Happy Eyeballs (RFC 8305 §5): the next address gets its turn when the one before has failed, or has not answered for a
// moment; the first connection is the one, the others are given up. DNS, too, is waited for no longer than that.
io::Task<void> run(Race& race, io::Wait wait) {
  std::size_t next = 0;
  while (!race.won && race.failure != io::Code::Cancelled && race.loop.now() < wait.deadline) {
    if (next < race.addresses.size()) {
      ++race.running;
      race.scope.spawn(try_one(race, race.addresses[next++], wait));
    } else if (race.running == 0 && !race.more) {
      break;
    }
    const bool all_failed = race.running == 0;
    io::Wait moment = wait;
    if (next < race.addresses.size() || all_failed) moment.deadline = std::min(wait.deadline, race.loop.now() + kAttemptDelay);
    const io::Code code = co_await race.news.wait(race.loop, moment);
    if (code == io::Code::Cancelled) race.failure = code;
    if (code != io::Code::TimedOut) continue;
    if (race.loop.now() >= wait.deadline) race.failure = code;
    if (all_failed) break;
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
    addresses = place_.name->addresses().in_order(config_->url.port, turn_++, loop.now());
  }
  auto connecting = connect(opened, loop, network, addresses, wait);
  co_await connecting;
}

// Null: there are addresses that can be used. While some are known nobody waits for DNS: it is asked beside the request.
io::Task<const observe::Reason*> Target::find_addresses(io::Loop& loop, io::Resolver& resolver, io::Wait wait) {
  Addresses& known = place_.name->addresses();
  if (known.fresh(upstream_.names, loop.now())) co_return nullptr;
  io::Code code = io::Code::Ok;
  if (named_) {
    refresh_addresses(loop, resolver);
    if (known.usable(upstream_.names, loop.now())) co_return nullptr;
    auto asking = place_.name->answer(loop, wait);
    code = co_await asking;
  } else {
    auto resolving = resolver.resolve(loop, {config_->url.host, {}}, wait);
    auto found = co_await resolving;
    if (found) known.set(std::move(*found), loop.now());
    else code = found.error();
  }
  // An answer is good for who has waited for it, though it should hold for no time at all.
  if (known.usable(upstream_.names, loop.now()) || (code == io::Code::Ok && !known.empty())) co_return nullptr;
  if (code == io::Code::Cancelled) co_return &observe::reason::kConnectFailure;
  co_return code == io::Code::TimedOut ? &observe::reason::kConnectTimeout : &observe::reason::kResolveFailure;
}

void Target::refresh_addresses(io::Loop& loop, io::Resolver& resolver) {
  place_.name->ask(loop, resolver, *place_.questions, {config_->url.host, upstream_.names.servers}, place_.pool);
}

io::Task<void> Target::connect(Opened& opened, io::Loop& loop, io::Network& network, const std::vector<Address>& addresses, io::Wait wait) {
  const bool asking = named_ && place_.name->asking();
  if (addresses.size() == 1 && !asking) {
    opened.address = addresses.front();
    auto connected = co_await network.connect(loop, opened.address, wait);
    if (connected) opened.transport = std::move(*connected);
    else opened.failure = connect_failure(connected.error());
    co_return;
  }
  Race race(loop, network, addresses);
  race.more = asking;
  if (asking) race.scope.spawn(expect_more(race, *place_.name, config_->url.port, wait));
  auto running = run(race, wait);
  co_await running;
  opened.address = race.address;
  opened.transport = std::move(race.won);
  if (opened.transport) place_.name->addresses().answered(opened.address.ip, loop.now());
  if (!opened.transport) opened.failure = connect_failure(race.failure);
}

}  // namespace gatelab::upstream
