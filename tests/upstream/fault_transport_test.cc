// SPDX-License-Identifier: Apache-2.0
// What a request on a faulty connection sees, and what its target sees of it, on the simulated network and its clock.
#include "upstream/fault_transport.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "io/scope.h"
#include "io/sim.h"

namespace gatelab::upstream {
namespace {

using namespace std::chrono_literals;

const std::string kRequest = "GET /orders/1?x=2 HTTP/1.1\r\nHost: orders\r\n\r\n";
const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789";
constexpr Duration kPatience = 10s;

io::SimOptions options() {
  io::SimOptions out;
  out.seed = 3;
  return out;
}

// A target that reads heads and answers each, and a client that talks to it through whatever the registry says.
struct World {
  World() : scope(sim.outside()) {
    auto bound = sim.environment().network.listen(sim.outside(), *parse_endpoint("127.0.0.1:0"));
    listener = std::move(*bound);
    listener->start({&sim.outside()}, [this](std::uint32_t, io::TransportPtr accepted) { scope.spawn(serve(std::move(accepted))); });
    faults.of("orders", "primary").attach(sim.outside(), live);
  }
  ~World() {
    scope.cancel();
    sim.drain();
    listener->close();
    kept.reset();
    sim.drain();
  }

  io::Task<void> serve(io::TransportPtr transport) {
    io::Wait wait;
    wait.cancel = &scope.token();
    wait.background = true;
    std::string read;
    for (;;) {
      char block[512];
      const io::Count count = transport->try_read(block);
      if (count.code == io::Code::WouldBlock) {
        const io::Code ready = co_await transport->readable(wait);
        if (ready != io::Code::Ok) co_return;
        continue;
      }
      if (count.code != io::Code::Ok) {
        target_saw_end = count.code;
        co_return;
      }
      read.append(block, count.octets);
      while (read.find("\r\n\r\n") != std::string::npos) {
        requests.push_back(read.substr(0, read.find("\r\n\r\n") + 4));
        read.erase(0, requests.back().size());
        io::Task<io::Code> writing = io::write_all(*transport, answer, wait);
        (void)co_await writing;
      }
    }
  }

  struct Seen {
    std::string octets;
    io::Code end = io::Code::TimedOut;  // TimedOut: nothing more came
    Duration first{}, last{};           // when the first and the last octet came, from the start
    Duration ended{};
  };

  io::Task<void> talk(Seen& out, std::string request, std::size_t enough) {
    io::Wait wait;
    wait.cancel = &scope.token();
    wait.deadline = sim.now() + kPatience;
    const Instant began = sim.now();
    io::TransportPtr transport = std::move(kept);
    if (!transport) {
      auto connecting = sim.environment().network.connect(sim.outside(), listener->local(), wait);
      auto connected = co_await connecting;
      transport = std::move(*connected);
      live->add(*transport);
    }
    if (target.active()) transport = target.wrap(std::move(transport));
    io::Task<io::Code> writing = io::write_all(*transport, request, wait);
    out.end = co_await writing;
    written_after = sim.now() - began;
    while (out.end == io::Code::Ok && out.octets.size() < enough) {
      char block[512];
      const io::Count count = transport->try_read(block);
      if (count.code == io::Code::Ok) {
        if (out.octets.empty()) out.first = sim.now() - began;
        out.last = sim.now() - began;
        out.octets.append(block, count.octets);
        continue;
      }
      out.end = count.code == io::Code::WouldBlock ? co_await transport->readable(wait) : count.code;
    }
    out.ended = sim.now() - began;
    if (out.end == io::Code::Ok) kept = target.unwrap(std::move(transport));
    else transport->close();
  }

  Seen run(std::string request = kRequest, std::size_t enough = SIZE_MAX) {
    Seen out;
    scope.spawn(talk(out, std::move(request), enough));
    auto& seen = out;
    sim.run_until([this, &seen] { return seen.ended > Duration{} || kept != nullptr || seen.end == io::Code::Reset || seen.end == io::Code::Eof; }, 1min);
    sim.drain();
    return out;
  }

  void set(Fault fault) { faults.set("orders/primary", std::move(fault), sim.now()); }
  void set(Fault::Kind kind) {
    Fault fault;
    fault.kind = kind;
    set(fault);
  }

  io::Simulation sim{options()};
  Faults faults{Random(7)};
  TargetFaults& target = faults.of("orders", "primary");
  std::shared_ptr<io::LiveTransports> live = std::make_shared<io::LiveTransports>();
  io::Scope scope;
  std::unique_ptr<io::Listener> listener;
  std::string answer = kAnswer;
  std::vector<std::string> requests;
  std::optional<io::Code> target_saw_end;
  io::TransportPtr kept;
  Duration written_after{};
};

TEST(FaultTransport, PassesOnWhatMeetsNoFault) {
  World w;
  Fault fault;
  fault.kind = Fault::Kind::Hang;
  fault.method = "POST";
  w.set(fault);
  const World::Seen seen = w.run(kRequest, kAnswer.size());
  EXPECT_EQ(seen.octets, kAnswer);
  EXPECT_EQ(w.requests, std::vector<std::string>{kRequest});
  EXPECT_TRUE(w.faults.injected().empty());
}

TEST(FaultTransport, AConditionIsOfMethodAndPathWithoutQuery) {
  const auto meets = [](const std::string& method, const std::string& path) {
    World w;
    Fault fault;
    fault.kind = Fault::Kind::Status;
    fault.method = method;
    fault.path = path;
    w.set(fault);
    return w.run(kRequest, 12).octets.starts_with("HTTP/1.1 503");
  };
  EXPECT_TRUE(meets("GET", ""));
  EXPECT_FALSE(meets("HEAD", ""));
  EXPECT_TRUE(meets("", "/orders/1"));
  EXPECT_FALSE(meets("", "/orders"));
  EXPECT_TRUE(meets("", "/orders/*"));
  EXPECT_TRUE(meets("", "*"));
  EXPECT_FALSE(meets("", "/items/*"));
  EXPECT_FALSE(meets("POST", "/orders/*"));
}

TEST(FaultTransport, ResetAndCloseEndTheConnectionBeforeTheTargetSeesTheRequest) {
  for (const auto& [kind, end] : {std::pair{Fault::Kind::Reset, io::Code::Reset}, std::pair{Fault::Kind::Close, io::Code::Eof}}) {
    World w;
    w.set(kind);
    const World::Seen seen = w.run();
    EXPECT_EQ(seen.octets, "");
    EXPECT_EQ(seen.end, end);
    EXPECT_TRUE(w.requests.empty());
    EXPECT_EQ(w.target_saw_end, end) << "the target sees it as well";
  }
}

TEST(FaultTransport, ResetAndCloseAfterSoManyOctetsOfTheAnswer) {
  for (const auto& [kind, end] : {std::pair{Fault::Kind::Reset, io::Code::Reset}, std::pair{Fault::Kind::Close, io::Code::Eof}}) {
    World w;
    Fault fault;
    fault.kind = kind;
    fault.after = 20;
    w.set(fault);
    const World::Seen seen = w.run();
    EXPECT_EQ(seen.octets, kAnswer.substr(0, 20));
    EXPECT_EQ(seen.end, end);
    EXPECT_EQ(w.requests.size(), 1U);
  }
}

TEST(FaultTransport, HangLetsTheRequestThroughAndNothingBack) {
  World w;
  w.set(Fault::Kind::Hang);
  const World::Seen seen = w.run();
  EXPECT_EQ(seen.octets, "");
  EXPECT_EQ(seen.end, io::Code::TimedOut);
  EXPECT_EQ(seen.ended, kPatience);
  EXPECT_EQ(w.requests.size(), 1U);
}

TEST(FaultTransport, HalfOpenTakesWhatIsSaidAndNobodyHearsIt) {
  World w;
  w.set(Fault::Kind::HalfOpen);
  const World::Seen seen = w.run();
  EXPECT_EQ(seen.end, io::Code::TimedOut);
  EXPECT_TRUE(w.requests.empty());
}

TEST(FaultTransport, TruncateEndsInTheBodyWhereverTheNetworkCuts) {
  for (const std::uint64_t after : {0, 1, 4, 9}) {
    World w;
    Fault fault;
    fault.kind = Fault::Kind::Truncate;
    fault.after = after;
    w.set(fault);
    const World::Seen seen = w.run();
    EXPECT_EQ(seen.octets, kAnswer.substr(0, kAnswer.size() - 10 + after));
    EXPECT_EQ(seen.end, io::Code::Eof);
    EXPECT_EQ(w.requests.size(), 1U);
  }
}

TEST(FaultTransport, GarbageIsNoHttp) {
  World w;
  w.set(Fault::Kind::Garbage);
  const World::Seen seen = w.run();
  EXPECT_FALSE(seen.octets.empty());
  EXPECT_NE(seen.octets.substr(0, 5), "HTTP/");
  EXPECT_EQ(seen.end, io::Code::Eof);
  EXPECT_TRUE(w.requests.empty());
}

TEST(FaultTransport, AStatusOfItsOwnAndTheConnectionIsGoodForAnother) {
  World w;
  Fault fault;
  fault.kind = Fault::Kind::Status;
  fault.status = 429;
  fault.headers.emplace_back("Retry-After", "7");
  fault.delay = 30ms;
  fault.count = 1;
  w.set(fault);
  const World::Seen seen = w.run(kRequest, 150);
  EXPECT_EQ(seen.octets.substr(0, 12), "HTTP/1.1 429");
  EXPECT_NE(seen.octets.find("Retry-After: 7\r\n"), std::string::npos);
  EXPECT_EQ(seen.first, 30ms);
  EXPECT_TRUE(w.requests.empty());
}

TEST(FaultTransport, AnAnswerToHeadHasNoBody) {
  const auto size = [](const std::string& request) {
    World w;
    w.set(Fault::Kind::Status);
    return w.run(request).octets.size();
  };
  const std::size_t get = size(kRequest), head = size("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(get - head, std::string("gatelab plays the fault `status`\n").size());
}

TEST(FaultTransport, SlowAddsItsDelayToTheTargetsOwn) {
  World w;
  Fault fault;
  fault.kind = Fault::Kind::Slow;
  fault.delay = 200ms;
  w.set(fault);
  const World::Seen seen = w.run(kRequest, kAnswer.size());
  EXPECT_EQ(seen.octets, kAnswer);
  EXPECT_EQ(seen.first, 200ms);
  EXPECT_EQ(seen.last, 200ms);
}

TEST(FaultTransport, DripIsAnOctetAtATime) {
  World w;
  Fault fault;
  fault.kind = Fault::Kind::Drip;
  fault.delay = 10ms;
  w.set(fault);
  const World::Seen seen = w.run(kRequest, kAnswer.size());
  EXPECT_EQ(seen.octets, kAnswer);
  EXPECT_EQ(seen.last, static_cast<int>(kAnswer.size() - 1) * 10ms);
}

TEST(FaultTransport, ThrottleHoldsBothDirectionsToTheirRate) {
  World w;
  Fault fault;
  fault.kind = Fault::Kind::Throttle;
  fault.rate = 10'000;
  w.set(fault);
  w.answer = "HTTP/1.1 200 OK\r\n\r\n" + std::string(5'000, 'a');
  const World::Seen seen = w.run("POST / HTTP/1.1\r\nX: " + std::string(5'000, 'b') + "\r\n\r\n", w.answer.size());
  EXPECT_EQ(seen.octets, w.answer);
  // A first quantum of 20 ms may pass at once.
  EXPECT_GE(w.written_after, 480ms);
  EXPECT_LE(w.written_after, 520ms);
  EXPECT_GE(seen.last - w.written_after, 440ms);
  EXPECT_LE(seen.last - w.written_after, 520ms);
}

TEST(FaultTransport, AWholeResetBreaksOffWhatIsOpen) {
  World w;
  w.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
  World::Seen waiting;
  w.scope.spawn(w.talk(waiting, kRequest, SIZE_MAX));
  w.sim.advance(1s);
  ASSERT_EQ(waiting.octets, w.answer) << "the rest of the body is waited for";
  w.set(Fault::Kind::Reset);
  w.sim.drain();
  EXPECT_EQ(waiting.end, io::Code::Reset);
  EXPECT_EQ(waiting.ended, 1s);
  EXPECT_EQ(w.target_saw_end, io::Code::Reset);
}

TEST(FaultTransport, AResetOfSomeBreaksOffNothing) {
  World w;
  const World::Seen seen = w.run(kRequest, kAnswer.size());
  ASSERT_EQ(seen.octets, kAnswer);
  Fault fault;
  fault.kind = Fault::Kind::Reset;
  fault.share = {500'000};
  w.set(fault);
  w.sim.drain();
  EXPECT_FALSE(w.target_saw_end);
  EXPECT_EQ(w.kept->peer_state(), io::Transport::Peer::Quiet);
}

TEST(FaultTransport, AConnectionThatHangsIsBrokenOffToo) {
  World w;
  w.set(Fault::Kind::Hang);
  World::Seen waiting;
  w.scope.spawn(w.talk(waiting, kRequest, SIZE_MAX));
  w.sim.advance(1s);
  w.set(Fault::Kind::Reset);
  w.sim.drain();
  EXPECT_EQ(waiting.end, io::Code::Reset);
  EXPECT_EQ(waiting.ended, 1s);
}

TEST(FaultTransport, AKeptConnectionThatWasBrokenOffSaysSo) {
  World w;
  (void)w.run(kRequest, kAnswer.size());
  ASSERT_NE(w.kept, nullptr);
  w.set(Fault::Kind::Reset);
  w.sim.drain();
  EXPECT_EQ(w.kept->peer_state(), io::Transport::Peer::Reset);
  EXPECT_TRUE(w.kept->may_have_news());
}

}  // namespace
}  // namespace gatelab::upstream
