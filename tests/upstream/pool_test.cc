// SPDX-License-Identifier: Apache-2.0
// Idle connections to a target, and how a new one is opened.
#include "upstream/pool.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/scope.h"
#include "io/sim.h"
#include "upstream/upstream.h"

namespace gatelab::upstream {
namespace {

using namespace std::chrono_literals;

// A connection that does nothing but tell what became of it.
class Line final : public io::Transport {
 public:
  Line(std::string name, std::vector<std::string>& log) : name_(std::move(name)), log_(log) {}
  ~Line() override { close(); }
  io::Count try_read(std::span<char>) noexcept override { return {io::Code::WouldBlock, 0}; }
  io::Count try_peek(std::span<char>) noexcept override { return {io::Code::WouldBlock, 0}; }
  io::Count try_write(std::span<const io::ConstBuffer>) noexcept override { return {io::Code::WouldBlock, 0}; }
  void shutdown_write() noexcept override {}
  void close() noexcept override {
    if (!std::exchange(closed_, true)) log_.push_back(name_);
  }
  void reset() noexcept override { close(); }
  Peer peer_state() noexcept override { return state; }
  Address local() const noexcept override { return {}; }
  Address peer() const noexcept override { return {}; }
  io::Loop& loop() noexcept override { return *static_cast<io::Loop*>(nullptr); }
  void wait_readable(io::Waiter&) noexcept override {}
  void wait_writable(io::Waiter&) noexcept override {}
  const std::string& name() const { return name_; }
  Peer state = Peer::Quiet;

 private:
  std::string name_;
  std::vector<std::string>& log_;
  bool closed_ = false;
};

Instant at(Duration d) { return Instant::from_seconds(1000) + d; }

struct Idle {
  std::vector<std::string> closed;  // names, in order
  Pool pool;
  void give(const std::string& name, Duration when, std::size_t capacity = 8, io::Transport::Peer state = io::Transport::Peer::Quiet) {
    auto line = std::make_unique<Line>(name, closed);
    line->state = state;
    pool.give(std::move(line), at(when), capacity);
  }
  std::string take(Duration when, Duration max_idle = 60s) {
    const io::TransportPtr got = pool.take(at(when), max_idle);
    return got == nullptr ? "-" : static_cast<const Line&>(*got).name();
  }
};

TEST(Pool, GivesTheConnectionThatWasUsedLast) {
  Idle idle;
  idle.give("a", 0s);
  idle.give("b", 1s);
  EXPECT_EQ(idle.take(2s), "b");
  EXPECT_EQ(idle.take(2s), "a");
  EXPECT_EQ(idle.take(2s), "-");
}

TEST(Pool, NeverGivesWhatHasBeenIdleTooLong) {
  Idle idle;
  idle.give("a", 0s);
  idle.give("b", 10s);
  EXPECT_EQ(idle.take(70s), "b") << "exactly as long is not longer";
  EXPECT_EQ(idle.take(70s), "-");
  EXPECT_EQ(idle.closed, (std::vector<std::string>{"b", "a"})) << "b when it was dropped, a because it was too old";
}

TEST(Pool, ClosesWhatIsBeyondItsCapacity) {
  Idle idle;
  for (const char* name : {"a", "b", "c"}) idle.give(name, 0s, 2);
  EXPECT_EQ(idle.closed, std::vector<std::string>{"c"});
  EXPECT_EQ(idle.pool.idle(), 2U);
  idle.give("d", 0s, 0);
  EXPECT_EQ(idle.closed.back(), "d") << "a capacity of zero keeps nothing";
}

TEST(Pool, GivesAClientsConnectionToThatClientOnly) {
  std::vector<std::string> closed;
  Pool pool;
  const Address one = *parse_address("203.0.113.1:1"), two = *parse_address("203.0.113.1:2");
  const auto take = [&pool](const Address& owner) { return pool.take(at(1s), 60s, owner); };
  pool.give(std::make_unique<Line>("one", closed), at(0s), 2, one);
  pool.give(std::make_unique<Line>("two", closed), at(0s), 2, two);
  EXPECT_EQ(take({}), nullptr);
  EXPECT_EQ(static_cast<const Line&>(*take(one)).name(), "one");
  EXPECT_EQ(take(one), nullptr);
  pool.give(std::make_unique<Line>("three", closed), at(0s), 2, one);
  pool.give(std::make_unique<Line>("four", closed), at(0s), 2, one);
  EXPECT_EQ(closed, (std::vector<std::string>{"one", "two"})) << "whose client may never come back makes room";
}

TEST(Pool, SweepClosesTheOldAndThoseThatTheirTargetHasClosed) {
  Idle idle;
  idle.give("old", 0s);
  idle.give("eof", 50s, 8, io::Transport::Peer::Eof);
  idle.give("reset", 50s, 8, io::Transport::Peer::Reset);
  idle.give("chatty", 50s, 8, io::Transport::Peer::Data);
  idle.give("good", 50s);
  idle.pool.sweep(at(61s), 60s);
  EXPECT_EQ(idle.closed, (std::vector<std::string>{"old", "eof", "reset", "chatty"}));
  EXPECT_EQ(idle.take(61s), "good");
}

struct World {
  World() : scope(sim.outside()) {
    config.name = "orders";
    TargetConfig target;
    target.name = "orders";
    target.url = *http::parse_base_url("http://api.local:9000");
    config.targets.push_back(target);
    config.timeouts.connect = 2s;
    for (const char* text : {"192.0.2.2:9000", "[2001:db8::1]:9000"}) {
      auto bound = sim.environment().network.listen(sim.outside(), *parse_address(text));
      listeners.push_back(std::move(*bound));
      listeners.back()->start({&sim.outside()}, [](std::uint32_t, io::TransportPtr) {});
    }
  }
  ~World() {
    scope.cancel();
    sim.drain();
    for (auto& listener : listeners) listener->close();
  }
  // "reason" or the address, and how long it took.
  std::string open(std::optional<Address> fixed = std::nullopt, bool unmocked = false, Duration deadline = 1h) {
    Target target(config, config.targets.empty() ? nullptr : &config.targets.front(), {std::make_shared<Pool>(), fixed, unmocked, nullptr, nullptr, &questions}, 0);
    bool done = false;
    Opened opened;
    const Instant before = sim.now();
    io::Wait wait;
    wait.deadline = before + deadline;
    wait.cancel = &scope.token();
    const auto run = [](World& w, Target& t, io::Wait until, Opened& out, bool& over) -> io::Task<void> {
      auto task = t.open(w.sim.outside(), w.sim.environment().network, w.sim.environment().resolver, until);
      out = co_await task;
      over = true;
    };
    scope.spawn(run(*this, target, wait, opened, done));
    sim.run_until([&done] { return done; }, 1h);
    EXPECT_EQ(opened.transport == nullptr, opened.failure != nullptr);
    const std::string took = " " + format(sim.now() - before);
    return opened.failure == nullptr ? format(opened.address) + took : std::string(opened.failure->word) + took;
  }
  io::Simulation sim{io::SimOptions{}};
  io::Scope scope;
  Questions questions{scope, {}};
  Config config;
  std::vector<std::unique_ptr<io::Listener>> listeners;
};

TEST(Upstream, TriesEachAddressOfItsNameInTurn) {
  World w;
  EXPECT_EQ(w.open(), "resolve-failure 0s");
  w.sim.add_name("api.local", {*parse_ip("192.0.2.1"), *parse_ip("192.0.2.2")});
  EXPECT_EQ(w.open(), "192.0.2.2:9000 0s") << "nobody listens at the first";
  w.sim.add_name("api.local", {*parse_ip("2001:db8::1"), *parse_ip("192.0.2.2")});
  EXPECT_EQ(w.open(), "[2001:db8::1]:9000 0s");
  w.sim.add_name("api.local", {*parse_ip("192.0.2.1"), *parse_ip("192.0.2.3")});
  EXPECT_EQ(w.open(), "connect-failure 0s");
}

TEST(Upstream, OneConnectTimeoutCoversAllOfItsAddresses) {
  World w;
  w.sim.add_name("api.local", {*parse_ip("192.0.2.1"), *parse_ip("192.0.2.2")});
  for (const char* address : {"192.0.2.1:9000", "192.0.2.2:9000"}) w.sim.set_reach(*parse_address(address), io::Simulation::Reach::Hang);
  EXPECT_EQ(w.open(), "connect-timeout 2s");
  EXPECT_EQ(w.open(std::nullopt, false, 500ms), "connect-timeout 500ms") << "the caller's deadline is nearer";
}

TEST(Upstream, AMockStandsWhereItStandsAndWithoutOneNothingIsConnected) {
  World w;
  EXPECT_EQ(w.open(*parse_address("192.0.2.2:9000")), "192.0.2.2:9000 0s");
  EXPECT_EQ(w.open(std::nullopt, true), "unmocked-upstream 0s");
  w.config.targets.clear();
  EXPECT_EQ(w.open(), "unmocked-upstream 0s");
}

}  // namespace
}  // namespace gatelab::upstream
