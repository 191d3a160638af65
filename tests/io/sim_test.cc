// SPDX-License-Identifier: Apache-2.0
// The simulated world: when time moves and when not, and a network that is as unkind as a real one.
#include "io/sim.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/units.h"
#include "io/scope.h"

namespace gatelab::io {
namespace {

using namespace std::chrono_literals;

const Address kServer = *parse_address("127.0.0.1:9000");

struct World {
  explicit World(SimOptions options = {}) : sim(options), scope(sim.outside()) {
    auto bound = sim.environment().network.listen(sim.outside(), kServer);
    EXPECT_TRUE(bound);
    listener = std::move(*bound);
    listener->start({&sim.outside()}, [this](std::uint32_t, TransportPtr t) { server = std::move(t); });
  }
  ~World() {
    scope.cancel();
    sim.drain();
    listener->close();
  }
  Wait wait(Duration patience = 1h) {
    Wait w;
    w.deadline = sim.now() + patience;
    w.cancel = &scope.token();
    w.what = "test";
    return w;
  }
  // Connects; the code says how that ended, `took` how long.
  Code connect(Duration patience = 10s) {
    bool done = false;
    Code code = Code::Ok;
    const Instant before = sim.now();
    const auto open = [](World& w, Wait until, bool& ended, Code& how) -> Task<void> {
      auto task = w.sim.environment().network.connect(w.sim.outside(), kServer, until);
      auto connected = co_await task;
      if (connected) w.client = std::move(*connected);
      else how = connected.error();
      ended = true;
    };
    scope.spawn(open(*this, wait(patience), done, code));
    sim.run_until([&done] { return done; }, 1h);
    took = sim.now() - before;
    sim.drain();
    return code;
  }

  Simulation sim;
  Scope scope;
  std::unique_ptr<Listener> listener;
  TransportPtr client, server;
  Duration took{};
};

Count write(Transport& t, std::string_view text) {
  const std::array<ConstBuffer, 1> buffers{{{text.data(), text.size()}}};
  return t.try_write(buffers);
}

// What a sender and a reader that take turns see of one stream: the sizes of the pieces.
std::vector<std::size_t> pieces(std::uint64_t seed, bool segmentation, std::string& whole) {
  SimOptions options;
  options.seed = seed;
  options.segmentation = segmentation;
  World w(options);
  EXPECT_EQ(w.connect(), Code::Ok);
  std::string text;
  for (int i = 0; i < 2'000; ++i) text += std::to_string(i) + ",";
  std::vector<std::size_t> sizes;
  std::string_view left = text;
  std::array<char, 1024> buffer;
  while (whole.size() < text.size()) {
    const Count sent = write(*w.client, left);
    if (sent.code == Code::Ok) left.remove_prefix(sent.octets);
    const Count got = w.server->try_read(buffer);
    if (got.code != Code::Ok) continue;
    whole.append(buffer.data(), got.octets);
    sizes.push_back(got.octets);
  }
  EXPECT_EQ(whole, text);
  return sizes;
}

TEST(SimNetwork, CutsStreamsWhereTheSeedSaysAndLosesNothing) {
  std::string whole, again, other, uncut;
  const auto first = pieces(1, true, whole);
  EXPECT_EQ(pieces(1, true, again), first);
  EXPECT_NE(pieces(2, true, other), first);
  EXPECT_NE(std::find(first.begin(), first.end(), 1U), first.end()) << "a single octet comes now and then";
  for (const std::size_t size : pieces(1, false, uncut)) EXPECT_TRUE(size == 1024U || size < 1024U);
  EXPECT_LT(pieces(3, false, uncut = {}).size(), first.size());
}

TEST(SimNetwork, TakesNoMoreThanItsBufferHolds) {
  SimOptions options;
  options.segmentation = false;
  options.socket_buffer = 1000;
  World w(options);
  ASSERT_EQ(w.connect(), Code::Ok);
  const std::string text(5000, 'x');
  EXPECT_EQ(write(*w.client, text).octets, 1000U);
  EXPECT_EQ(write(*w.client, text).code, Code::WouldBlock);
  std::array<char, 300> buffer;
  EXPECT_EQ(w.server->try_read(buffer).octets, 300U);
  EXPECT_EQ(write(*w.client, text).octets, 300U);
}

TEST(SimNetwork, LatencyIsOneWayAndConnectingGoesThereAndBack) {
  SimOptions options;
  options.segmentation = false;
  options.latency = 10ms;
  World w(options);
  ASSERT_EQ(w.connect(), Code::Ok);
  EXPECT_EQ(w.took, 20ms);
  std::array<char, 16> buffer;
  ASSERT_EQ(write(*w.client, "hello").octets, 5U);
  w.sim.advance(10ms - 1ns);
  EXPECT_EQ(w.server->try_read(buffer).code, Code::WouldBlock);
  w.sim.advance(1ns);
  EXPECT_EQ(w.server->try_read(buffer).octets, 5U);
  w.client->close();
  w.sim.advance(9ms);
  EXPECT_EQ(w.server->peer_state(), Transport::Peer::Quiet);
  w.sim.advance(1ms);
  EXPECT_EQ(w.server->peer_state(), Transport::Peer::Eof);
}

TEST(SimNetwork, RefusesHangsAndResetsWhenItIsTold) {
  World w;
  w.sim.set_reach(kServer, Simulation::Reach::Refuse);
  EXPECT_EQ(w.connect(), Code::Refused);
  EXPECT_EQ(w.took, 0s);
  w.sim.set_reach(kServer, Simulation::Reach::Hang);
  EXPECT_EQ(w.connect(3s), Code::TimedOut);
  EXPECT_EQ(w.took, 3s);
  w.sim.set_reach(kServer, Simulation::Reach::Normal);
  ASSERT_EQ(w.connect(), Code::Ok);
  ASSERT_EQ(write(*w.client, "x").code, Code::Ok);
  w.sim.reset_connections(kServer);
  std::array<char, 16> buffer;
  EXPECT_EQ(w.server->try_read(buffer).code, Code::Reset) << "what had arrived is gone too";
  EXPECT_EQ(w.client->peer_state(), Transport::Peer::Reset);
  EXPECT_EQ(write(*w.client, "x").code, Code::Reset);
}

TEST(SimNetwork, EndsStreamsAsTcpDoes) {
  World w;
  std::array<char, 16> buffer;
  ASSERT_EQ(w.connect(), Code::Ok);
  w.client->shutdown_write();
  EXPECT_EQ(w.server->try_read(buffer).code, Code::Eof);
  EXPECT_EQ(write(*w.server, "still heard").code, Code::Ok) << "half closed";
  w.client->close();
  EXPECT_EQ(w.server->peer_state(), Transport::Peer::Reset) << "it closed with octets that it had not read";
  ASSERT_EQ(w.connect(), Code::Ok);
  w.client->reset();
  EXPECT_EQ(w.server->try_read(buffer).code, Code::Reset);
}

TEST(SimNetwork, AListenerOwnsItsAddressUntilItCloses) {
  World w;
  auto second = w.sim.environment().network.listen(w.sim.outside(), kServer);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().id, "address-in-use");
  w.listener->close();
  EXPECT_EQ(w.connect(), Code::Refused);
  EXPECT_TRUE(w.sim.environment().network.listen(w.sim.outside(), kServer));
}

Task<void> doze(World& w, Wait wait, std::vector<std::string>& log, std::string name) {
  const Code code = co_await sleep_until(w.sim.outside(), wait);
  if (code == Code::TimedOut) log.push_back(name + "@" + format(w.sim.now()).substr(17, 6));
}

TEST(Simulation, FiresTimersByInstantAndThenInTheOrderOfTheirMaking) {
  World w;
  std::vector<std::string> log;
  w.scope.spawn(doze(w, w.wait(2s), log, "late"));
  w.scope.spawn(doze(w, w.wait(1s), log, "first"));
  w.scope.spawn(doze(w, w.wait(1s), log, "second"));
  w.scope.spawn(doze(w, w.wait(1s), log, "third"));
  w.sim.drain();
  EXPECT_TRUE(log.empty()) << "draining moves no time";
  const Instant before = w.sim.now();
  EXPECT_EQ(w.sim.advance(1500ms), SimEnd::Idle);
  EXPECT_EQ(w.sim.now() - before, 1500ms) << "exactly as far as it was told";
  EXPECT_EQ(log, (std::vector<std::string>{"first@01.000", "second@01.000", "third@01.000"}));
  w.sim.advance(500ms);
  EXPECT_EQ(log.back(), "late@02.000");
}

TEST(Simulation, SaysStuckAndListsWhatIsWaitedFor) {
  World w;
  std::vector<std::string> log;
  const auto never = [] { return false; };
  EXPECT_EQ(w.sim.run_until(never, 1h), SimEnd::Stuck) << "nothing is under way at all";
  Wait background = w.wait(1s);
  background.background = true;
  background.what = "health of nobody";
  w.scope.spawn(doze(w, background, log, "background"));
  Wait for_ever = w.wait();
  for_ever.deadline = Instant::max();
  for_ever.what = "an answer";
  w.scope.spawn(doze(w, for_ever, log, "never"));
  const Instant before = w.sim.now();
  EXPECT_EQ(w.sim.run_until(never, 1h), SimEnd::Stuck) << "only background timers are left";
  EXPECT_EQ(w.sim.now(), before);
  EXPECT_EQ(w.sim.waiting(), std::vector<std::string>{"an answer"});
  Wait soon = w.wait(4200ms);
  soon.what = "upstream";
  w.scope.spawn(doze(w, soon, log, "soon"));
  w.sim.drain();
  EXPECT_EQ(w.sim.waiting(), (std::vector<std::string>{"an answer", "upstream (deadline +4.2s)"}));
}

TEST(Simulation, StopsAtItsBudgetOfTime) {
  World w;
  std::vector<std::string> log;
  w.scope.spawn(doze(w, w.wait(1h), log, "a"));
  const Instant before = w.sim.now();
  EXPECT_EQ(w.sim.run_until([] { return false; }, 10min), SimEnd::Budget);
  EXPECT_EQ(w.sim.now() - before, 10min);
  EXPECT_TRUE(log.empty());
}

Task<void> spin(World& w, const bool& stop) {
  while (!stop) co_await yield(w.sim.outside());
}

TEST(Simulation, ReportsALivelockInsteadOfHanging) {
  SimOptions options;
  options.events_per_instant = 1000;
  World w(options);
  bool stop = false;
  w.scope.spawn(spin(w, stop));
  EXPECT_EQ(w.sim.drain(), SimEnd::Livelock);
  EXPECT_EQ(w.sim.run_until([] { return false; }, 1h), SimEnd::Livelock);
  EXPECT_EQ(w.sim.advance(1h), SimEnd::Livelock);
  stop = true;
}

Task<void> speak(Simulation& sim, Loop& loop, std::string& log, char who) {
  for (int i = 0; i < 20; ++i) {
    log += who;
    co_await yield(loop);
  }
  (void)sim;
}

std::string turns(std::uint64_t seed, std::uint64_t& hash) {
  SimOptions options;
  options.seed = seed;
  options.workers = 3;
  Simulation sim(options);
  std::string log;
  std::vector<std::unique_ptr<Scope>> scopes;
  for (char who = 'a'; Loop * loop : sim.environment().loops) {
    scopes.push_back(std::make_unique<Scope>(*loop));
    scopes.back()->spawn(speak(sim, *loop, log, who++));
  }
  sim.drain();
  hash = sim.trace_hash();
  return log;
}

TEST(Simulation, InterleavesWorkersAsTheSeedSays) {
  std::uint64_t first = 0, again = 0, other = 0;
  const std::string log = turns(1, first);
  EXPECT_EQ(turns(1, again), log);
  EXPECT_EQ(again, first);
  EXPECT_NE(turns(2, other), log);
  EXPECT_NE(other, first);
  EXPECT_EQ(std::count(log.begin(), log.end(), 'b'), 20);
}

TEST(Simulation, FilesAndNamesAreItsOwn) {
  World w;
  w.sim.add_file("/nowhere/a.txt", "text");
  Files& files = w.sim.environment().files;
  EXPECT_EQ(*files.read("/nowhere/a.txt"), "text");
  ASSERT_TRUE(files.write("/nowhere/b.txt", "one"));
  ASSERT_TRUE(files.append("/nowhere/b.txt", " two"));
  EXPECT_EQ(*files.read("/nowhere/b.txt"), "one two");
  EXPECT_EQ(files.read("/nowhere/c.txt").error().id, "not-found");

  w.sim.add_name("api.local", {*parse_ip("192.0.2.7")});
  const std::pair<const char*, const char*> names[] = {{"api.local", "192.0.2.7"}, {"localhost", "127.0.0.1"}, {"::1", "::1"}, {"other.local", "not found"}};
  for (const auto& [host, want] : names) {
    std::string got;
    const auto ask = [](World& world, std::string name, std::string& out) -> Task<void> {
      auto task = world.sim.environment().resolver.resolve(world.sim.outside(), {std::move(name), {}}, {});
      auto found = co_await task;
      out = found ? format(found->addresses.front()) : "not found";
    };
    w.scope.spawn(ask(w, host, got));
    w.sim.drain();
    EXPECT_EQ(got, want) << host;
  }
}

}  // namespace
}  // namespace gatelab::io
