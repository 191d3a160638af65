// SPDX-License-Identifier: Apache-2.0
// The real world: threads that hand work to loops, deadlines that pass, sockets that tell of their ends.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <future>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "io/real.h"
#include "io/scope.h"

namespace gatelab::io {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 20s;

// Two loops on threads of their own.
struct World {
  World() {
    RealOptions options;
    options.workers = 2;
    options.seed = 1;
    real = std::make_unique<RealWorld>(options);
    real->start();
  }
  ~World() {
    real->stop();
    real->join();
  }
  Loop& loop(std::size_t i) { return *real->environment().loops.at(i); }
  // Runs `task` on loop i and returns when it has ended.
  template <class F>
  void run(std::size_t i, F make) {
    std::promise<void> ended;
    auto over = ended.get_future();
    Scope scope(loop(i));
    const auto wrapped = [](F& f, std::promise<void>& p) -> Task<void> {
      auto task = f();
      co_await task;
      p.set_value();
    };
    loop(i).post_remote([&] { scope.spawn(wrapped(make, ended)); });
    ASSERT_EQ(over.wait_for(kPatience), std::future_status::ready);
    // The last step of the task's frame is still to come: one more turn of its loop.
    std::promise<void> turned;
    loop(i).post_remote([&turned] { turned.set_value(); });
    turned.get_future().wait();
  }
  std::unique_ptr<RealWorld> real;
};

TEST(RealLoop, RunsWhatOtherThreadsPostEachOnceOnItsOwnThreadInTheirOrder) {
  World w;
  constexpr int kThreads = 4, kJobs = 5'000;
  std::vector<std::vector<int>> seen(kThreads);  // touched by loop 1 alone
  std::atomic<int> left{kThreads * kJobs}, strangers{0};
  std::promise<void> all;
  std::promise<std::thread::id> id;
  w.loop(1).post_remote([&id] { id.set_value(std::this_thread::get_id()); });
  const std::thread::id own = id.get_future().get();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kJobs; ++i)
        w.loop(1).post_remote([&, t, i] {
          if (std::this_thread::get_id() != own) ++strangers;
          seen[static_cast<std::size_t>(t)].push_back(i);
          if (--left == 0) all.set_value();
        });
    });
  for (std::thread& t : threads) t.join();
  ASSERT_EQ(all.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(strangers, 0);
  for (const auto& order : seen) {
    ASSERT_EQ(order.size(), static_cast<std::size_t>(kJobs));
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  }
}

TEST(RealLoop, SleepsUntilItsDeadlineAndNotShorter) {
  World w;
  Duration slept{};
  Code code = Code::Ok;
  w.run(1, [&]() -> Task<void> {
    return [](Loop& loop, Duration& d, Code& c) -> Task<void> {
      const Instant before = loop.now();
      Wait wait;
      wait.deadline = before + 30ms;
      c = co_await sleep_until(loop, wait);
      d = loop.now() - before;
    }(w.loop(1), slept, code);
  });
  EXPECT_EQ(code, Code::TimedOut);
  EXPECT_GE(slept, 30ms);
}

struct Pair {
  TransportPtr client, server;
  std::unique_ptr<Listener> listener;
};

// A connection over loopback, both ends on loop 0.
Task<void> connect(World& w, Pair& out) {
  Network& network = w.real->environment().network;
  auto bound = network.listen(w.loop(0), *parse_address("127.0.0.1:0"));
  EXPECT_TRUE(bound);
  out.listener = std::move(*bound);
  Signal arrived;
  out.listener->start({&w.loop(0)}, [&out, &arrived](std::uint32_t, TransportPtr t) {
    out.server = std::move(t);
    arrived.signal();
  });
  Wait wait;
  wait.deadline = w.loop(0).now() + 10s;
  auto task = network.connect(w.loop(0), out.listener->local(), wait);
  auto connected = co_await task;
  EXPECT_TRUE(connected);
  if (connected) out.client = std::move(*connected);
  while (!out.server) {
    const Code code = co_await arrived.wait(w.loop(0), wait);
    if (code != Code::Ok) break;
  }
  EXPECT_NE(out.server, nullptr);
}

Task<void> echo(World& w) {
  Pair pair;
  auto connecting = connect(w, pair);
  co_await connecting;
  Wait wait;
  wait.deadline = w.loop(0).now() + 10s;
  std::array<char, 64> buffer;
  Count got = pair.server->try_read(buffer);
  EXPECT_EQ(got.code, Code::WouldBlock);
  const std::array<ConstBuffer, 2> text{{{"he", 2}, {"llo", 3}}};
  EXPECT_EQ(pair.client->try_write(text).octets, 5U);
  Code ready = co_await pair.server->readable(wait);
  EXPECT_EQ(ready, Code::Ok);
  got = pair.server->try_read(buffer);
  EXPECT_EQ(std::string(buffer.data(), got.octets), "hello");
  EXPECT_EQ(pair.server->peer_state(), Transport::Peer::Quiet);
  pair.client->shutdown_write();
  ready = co_await pair.server->readable(wait);
  EXPECT_EQ(pair.server->try_read(buffer).code, Code::Eof);
  EXPECT_EQ(pair.server->try_write(text).octets, 5U) << "half closed";
  pair.server->reset();
  ready = co_await pair.client->readable(wait);
  got = pair.client->try_read(buffer);
  while (got.code == Code::Ok || got.code == Code::WouldBlock) {
    if (got.code == Code::WouldBlock) ready = co_await pair.client->readable(wait);
    if (ready != Code::Ok) break;
    got = pair.client->try_read(buffer);
  }
  EXPECT_EQ(got.code, Code::Reset);
  pair.listener->close();
}

TEST(RealNetwork, CarriesOctetsAndTellsHowAStreamEnds) {
  World w;
  w.run(0, [&w] { return echo(w); });
}

Task<void> break_off(World& w, Code& waited, Code& read, Code& peer) {
  Pair pair;
  auto connecting = connect(w, pair);
  co_await connecting;
  LiveTransports live;
  live.add(*pair.client);
  // The wait is under way when the connection is broken off.
  w.loop(0).post_remote([&live] { live.break_off(); });
  Wait wait;
  wait.deadline = w.loop(0).now() + 10s;
  waited = co_await pair.client->readable(wait);
  char octet = 0;
  read = pair.client->try_read({&octet, 1}).code;
  EXPECT_TRUE(pair.client->may_have_news());
  EXPECT_EQ(pair.client->peer_state(), Transport::Peer::Reset);
  const Code again = co_await pair.client->readable(wait);
  EXPECT_EQ(again, Code::Ok) << "nobody waits for what is gone";
  (void)co_await pair.server->readable(wait);
  peer = pair.server->try_read({&octet, 1}).code;
  pair.client.reset();
  EXPECT_EQ(live.size(), 0U);
  pair.listener->close();
}

TEST(RealNetwork, WhatIsBrokenOffWakesWhoWaitsAndResetsThePeer) {
  World w;
  Code waited = Code::Other, read = Code::Other, peer = Code::Other;
  w.run(0, [&] { return break_off(w, waited, read, peer); });
  EXPECT_EQ(waited, Code::Ok);
  EXPECT_EQ(read, Code::Reset);
  EXPECT_EQ(peer, Code::Reset);
}

// The wait before the look has used up the only edge that tells of the octet.
Task<void> look_then_wait(World& w, Transport::Peer& seen, Code& again) {
  Pair pair;
  auto connecting = connect(w, pair);
  co_await connecting;
  Wait wait;
  wait.deadline = w.loop(0).now() + 10s;
  const std::array<ConstBuffer, 1> text{{{"x", 1}}};
  EXPECT_EQ(pair.client->try_write(text).octets, 1U);
  Code ready = Code::Ok;
  do ready = co_await pair.server->readable(wait);
  while (ready == Code::Ok && pair.server->peer_state() == Transport::Peer::Quiet);
  seen = pair.server->peer_state();
  wait.deadline = w.loop(0).now() + 100ms;
  again = co_await pair.server->readable(wait);
  pair.listener->close();
}

TEST(RealNetwork, ALookAtOctetsLeavesThemToTheNextWait) {
  World w;
  auto seen = Transport::Peer::Reset;
  Code again = Code::Other;
  w.run(0, [&] { return look_then_wait(w, seen, again); });
  EXPECT_EQ(seen, Transport::Peer::Data);
  EXPECT_EQ(again, Code::Ok);
}

Task<void> wait_in_vain(World& w, std::vector<Code>& codes) {
  Pair pair;
  auto connecting = connect(w, pair);
  co_await connecting;
  Wait wait;
  wait.deadline = w.loop(0).now() + 20ms;
  Code code = co_await pair.server->readable(wait);
  codes.push_back(code);
  CancelToken token;
  token.cancel();
  wait.deadline = Instant::max();
  wait.cancel = &token;
  code = co_await pair.server->readable(wait);
  codes.push_back(code);
  // Fill the stream until it takes no more.
  const std::string block(64 * 1024, 'x');
  const std::array<ConstBuffer, 1> buffers{{{block.data(), block.size()}}};
  while (pair.client->try_write(buffers).code == Code::Ok) {
  }
  wait.cancel = nullptr;
  wait.deadline = w.loop(0).now() + 20ms;
  code = co_await pair.client->writable(wait);
  codes.push_back(code);
  pair.listener->close();
}

TEST(RealNetwork, WaitsEndAtTheirDeadlineAndWhenCancelled) {
  World w;
  std::vector<Code> codes;
  w.run(0, [&] { return wait_in_vain(w, codes); });
  EXPECT_EQ(codes, (std::vector<Code>{Code::TimedOut, Code::Cancelled, Code::TimedOut}));
}

std::uint16_t port_of(int fd, int (*name)(int, sockaddr*, socklen_t*)) {
  sockaddr_in in{};
  socklen_t size = sizeof in;
  return name(fd, reinterpret_cast<sockaddr*>(&in), &size) == 0 && in.sin_family == AF_INET ? ntohs(in.sin_port) : std::uint16_t{0};
}

// What all the loops of this process watch, as the kernel tells (proc(5), fdinfo of an epoll descriptor).
std::size_t watched_descriptors() {
  std::size_t count = 0;
  for (int fd = 0; fd < 1024; ++fd) {
    std::ifstream info("/proc/self/fdinfo/" + std::to_string(fd));
    for (std::string line; std::getline(info, line);) count += line.starts_with("tfd:") ? 1 : 0;
  }
  return count;
}

// A program that is started between the connection and its end has a share of each socket until it becomes itself.
Task<void> close_what_a_fork_shares(World& w, std::size_t& before, std::size_t& after) {
  before = watched_descriptors();
  std::vector<int> shared;
  {
    Pair pair;
    auto connecting = connect(w, pair);
    co_await connecting;
    for (int fd = 0; fd < 1024; ++fd)
      if (port_of(fd, &::getsockname) != 0) shared.push_back(fd);
    EXPECT_EQ(shared.size(), 3U);
    for (int& fd : shared) fd = ::dup(fd);
    const std::array<ConstBuffer, 1> text{{{"late", 4}}};
    EXPECT_EQ(pair.client->try_write(text).octets, 4U);
    pair.listener->close();
  }
  after = watched_descriptors();
  for (const int fd : shared) ::close(fd);
}

TEST(RealNetwork, WatchesNothingThatItHasClosedWhoeverStillSharesTheOpenFile) {
  World w;
  std::size_t before = 0, after = 1;
  w.run(0, [&] { return close_what_a_fork_shares(w, before, after); });
  EXPECT_GE(before, 2U) << "each loop's own bell";
  EXPECT_EQ(after, before);
}

Task<void> find_delays(World& w, std::vector<int>& out) {
  Pair pair;
  auto connecting = connect(w, pair);
  co_await connecting;
  const std::uint16_t port = pair.listener->local().port;
  // The connection's two descriptors have the listener's port on either side.
  for (int fd = 0; fd < 1024; ++fd) {
    if (const std::uint16_t peer = port_of(fd, &::getpeername); peer == 0 || (peer != port && port_of(fd, &::getsockname) != port)) continue;
    int on = 0;
    socklen_t size = sizeof on;
    EXPECT_EQ(::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    out.push_back(on == 0 ? 0 : 1);
  }
  pair.listener->close();
}

TEST(RealNetwork, SendsWithoutDelayOnBothSides) {
  World w;
  std::vector<int> found;
  w.run(0, [&] { return find_delays(w, found); });
  EXPECT_EQ(found, (std::vector<int>{1, 1}));
}

Task<void> refused(World& w, Code& out) {
  Network& network = w.real->environment().network;
  auto bound = network.listen(w.loop(0), *parse_address("127.0.0.1:0"));
  const Address gone = (*bound)->local();
  auto twice = network.listen(w.loop(0), gone);
  EXPECT_FALSE(twice);
  if (!twice) {
    EXPECT_EQ(twice.error().id, "address-in-use");
  }
  (*bound)->close();
  Wait wait;
  wait.deadline = w.loop(0).now() + 10s;
  auto task = network.connect(w.loop(0), gone, wait);
  auto connected = co_await task;
  out = connected ? Code::Ok : connected.error();
}

// In a process of its own, as a filter can't be taken off again. Milliseconds of processor time that a wait of a quarter of a
// second takes; none where there can be no filter.
int time_under_a_filter() {
  constexpr int kMost = 255;
  const pid_t child = ::fork();
  if (child == 0) {
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{std::size(code), code};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) ::_exit(0);
    RealOptions options;
    options.tick = 100us;  // finer than the old way of waiting can be
    RealWorld world(options);
    Loop& loop = *world.environment().loops.front();
    Scope scope(loop);
    const auto wait = [](RealWorld& w, Loop& l) -> Task<void> {
      Wait moment;
      moment.deadline = l.now() + 250ms;
      co_await sleep_until(l, moment);
      w.stop();
    };
    scope.spawn(wait(world, loop));
    const Duration before = thread_time();
    world.run();
    ::_exit(static_cast<int>(std::min<std::int64_t>((thread_time() - before).count() / 1'000'000, kMost)));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

TEST(RealLoop, WaitsTooWhereAFilterForbidsTheNewestWayOfWaiting) {
  EXPECT_LT(time_under_a_filter(), 50) << "milliseconds of processor time";
}

TEST(RealNetwork, RefusesATakenAddressAndReportsARefusedConnection) {
  World w;
  Code code = Code::Ok;
  w.run(0, [&] { return refused(w, code); });
  EXPECT_EQ(code, Code::Refused);
}

TEST(RealWorld, ShiftsThePolicyClockForwardOnlyAndNeverTheOther) {
  World w;
  const Clock& clock = w.real->environment().clock;
  const Duration before = clock.policy_now() - clock.io_now();
  EXPECT_FALSE(w.real->shift_policy(-1s));
  EXPECT_TRUE(w.real->shift_policy(1h));
  EXPECT_EQ(w.real->policy_shift(), 1h);
  const Duration after = clock.policy_now() - clock.io_now();
  EXPECT_GT(after - before, 1h - 1s);
  EXPECT_LT(after - before, 1h + 1s);
}

TEST(RealWorld, ComputesOffTheLoop) {
  World w;
  std::thread::id on_loop, on_pool;
  Code code = Code::Other;
  w.run(1, [&]() -> Task<void> {
    return [](World& world, std::thread::id& here, std::thread::id& there, Code& out) -> Task<void> {
      here = std::this_thread::get_id();
      std::function<void()> job = [&there] { there = std::this_thread::get_id(); };
      auto task = world.real->environment().compute.run(world.loop(1), std::move(job), {});
      out = co_await task;
      EXPECT_EQ(std::this_thread::get_id(), here);
    }(w, on_loop, on_pool, code);
  });
  EXPECT_EQ(code, Code::Ok);
  EXPECT_NE(on_loop, on_pool);
}

}  // namespace
}  // namespace gatelab::io
