// SPDX-License-Identifier: Apache-2.0
// Exchanges behind their seam (design: "Exchange sees the client only through Inbound"): two at once over one connection
// with streams, each on its own way, in simulated time and with every seed's segmentation.
#include "proxy/exchange.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "io/sim.h"
#include "proxy/two_streams.h"

namespace gatelab::test {
namespace {

using namespace std::chrono_literals;

const Address kTarget = *parse_address("127.0.0.1:9001");

// Waits a second of virtual time for each request: two walks are suspended at once.
class Pause final : public policy::Policy {
 public:
  std::string_view kind() const noexcept override { return "pause"; }
  policy::Phase phase() const noexcept override { return policy::Phase::Access; }
  policy::Step step(policy::Input& in) const noexcept override {
    if (in.effect_done) return policy::Step::go_on();
    policy::Step step;
    step.verdict = policy::Verdict::Need;
    // Nothing in it has to be destroyed.
    step.effect = new (in.arena.allocate(sizeof(policy::Effect))) policy::Effect(policy::Until{in.now + 1s});
    return step;
  }
};

// Gateway's middle between a connection of streams and a target that answers "<path>:<body>", in as many seconds as the
// path's last digit says; paths that begin with /early are answered before the body has come.
class World final : public proxy::Sink {
 public:
  explicit World(std::uint64_t seed)
      : sim([seed] {
          io::SimOptions options;
          options.seed = seed;
          return options;
        }()),
        services(sim.environment(), *sim.environment().loops[0], *this, Dice(seed)), streams(services.loop), scope_(services.loop), outside_(sim.outside()) {
    config_.name = "target";
    pause_.id = "paused/pause";
    std::vector<route::Spec> specs(2);
    specs[0].name = "paused";
    specs[0].match.path_kind = route::PathKind::Prefix;
    specs[0].match.path = "/paused";
    specs[1].name = "all";
    diag::Sink sink;
    table_ = std::make_unique<route::Table>(std::move(specs), sink);
    auto snapshot = std::make_unique<proxy::Snapshot>();
    snapshot->table = table_.get();
    snapshot->routes.resize(2);
    snapshot->routes[0].name = "paused";
    snapshot->routes[0].policies = policies_;
    snapshot->routes[1].name = "all";
    for (proxy::Route& route : snapshot->routes) route.upstream = 0;
    snapshot->no_route.name = "(none)";
    std::vector<upstream::Target::Place> places{{std::make_shared<upstream::Pool>(), kTarget, false}};
    snapshot->upstreams.push_back(std::make_unique<upstream::Upstream>(config_, std::move(places), Dice(1)));
    services.snapshot = proxy::Pin(std::move(snapshot));
    settings_.name = "main";
    auto bound = sim.environment().network.listen(sim.outside(), kTarget);
    listener_ = std::move(*bound);
    listener_->start({&sim.outside()}, [this](std::uint32_t, io::TransportPtr t) {
      ++target_connections;
      outside_.spawn(serve(std::move(t)));
    });
  }
  ~World() override {
    services.snapshot = proxy::Pin();
    outside_.cancel();
    sim.run_until([this] { return outside_.running() == 0; }, 1min);
    listener_->close();
    EXPECT_EQ(scope_.running(), 0U) << "an exchange has not ended";
  }

  Stream& open(const std::string& line, std::size_t body = 0, std::size_t window = SIZE_MAX) {
    std::string head = line + " HTTP/1.1\r\nHost: a\r\n";
    if (body > 0) head += "Content-Length: " + std::to_string(body) + "\r\n";
    Stream& stream = streams.open(head + "\r\n", window);
    scope_.spawn(exchange(stream));
    return stream;
  }
  void run(Duration d = Duration{}) {
    sim.drain();
    if (d > Duration{}) sim.advance(d);
  }
  std::size_t running() const { return scope_.running(); }
  void finished(const observe::Record& record) noexcept override { records.emplace_back().assign(record); }
  void tunnel_opened() noexcept override {}
  void tunnel_closed() noexcept override {}

  io::Simulation sim;
  proxy::Services services;
  Streams streams;
  std::vector<observe::OwnedRecord> records;
  std::size_t target_connections = 0;
  std::string target_read;  // octets of bodies, in the order in which they came

 private:
  io::Task<void> exchange(Stream& stream) {
    proxy::Exchange one(services, settings_, stream);
    auto running = one.run(nullptr);
    co_await running;
  }

  io::Task<void> serve(io::TransportPtr transport) {
    std::string text, path, body;
    std::size_t want = 0;
    bool answered = false;
    std::array<char, 256> buffer;
    io::Wait wait;
    wait.cancel = &outside_.token();
    wait.what = "target";
    wait.background = true;
    for (;;) {
      const std::size_t end = text.find("\r\n\r\n");
      if (end != std::string::npos && path.empty()) {
        path = text.substr(text.find(' ') + 1);
        path = path.substr(0, path.find(' '));
        const std::size_t length = text.find("Content-Length: ");
        want = length < end ? std::stoul(text.substr(length + 16)) : 0;
        body = text.substr(end + 4);
        target_read += body;
      }
      if (!path.empty() && !answered && (body.size() >= want || path.starts_with("/early"))) {
        answered = true;
        const char digit = path.back();
        io::Wait pause = wait;
        pause.background = false;
        pause.deadline = sim.outside().now() + (digit >= '0' && digit <= '9' ? (digit - '0') * 1s : 0s);
        const io::Code slept = co_await io::sleep_until(sim.outside(), pause);
        if (slept == io::Code::Cancelled) break;
        std::string content = path + ":" + body;
        std::string reply = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(content.size()) + "\r\n\r\n" + content;
        auto writing = io::write_all(*transport, reply, wait);
        const io::Code written = co_await writing;
        if (written != io::Code::Ok) break;
      }
      if (answered && body.size() >= want) {
        text = body.substr(want);
        path.clear();
        body.clear();
        answered = false;
        if (!text.empty()) continue;
      }
      const io::Count read = transport->try_read(buffer);
      if (read.code == io::Code::Ok) {
        (path.empty() ? text : body).append(buffer.data(), read.octets);
        if (!path.empty()) target_read.append(buffer.data(), read.octets);
        continue;
      }
      if (read.code != io::Code::WouldBlock) break;
      const io::Code code = co_await transport->readable(wait);
      if (code != io::Code::Ok) break;
    }
    transport->close();
  }

  upstream::Config config_;
  Pause pause_;
  std::vector<const policy::Policy*> policies_{&pause_};
  std::unique_ptr<route::Table> table_;
  proxy::ListenerSettings settings_;
  std::unique_ptr<io::Listener> listener_;
  io::Scope scope_, outside_;
};

using Frames = std::vector<std::string>;

// Every test runs with many seeds: other cuts of the octets, other turns of the loops.
class TwoStreams : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, TwoStreams, testing::Range<std::uint64_t>(1, 21));

TEST_P(TwoStreams, AreAnsweredWhenTheirOwnTargetIsReadyNotInTheOrderOfTheirRequests) {
  World w(GetParam());
  w.open("GET /slow/3");
  w.open("GET /quick/1");
  w.run(2s);
  EXPECT_EQ(w.streams.received(3), "200 /quick/1:.");
  EXPECT_EQ(w.streams.received(1), "");
  w.run(1s);
  EXPECT_EQ(w.streams.received(1), "200 /slow/3:.");
  EXPECT_EQ(w.target_connections, 2U);
  ASSERT_EQ(w.records.size(), 2U);
  EXPECT_EQ(w.records[0].target, "/quick/1");
  EXPECT_EQ(w.records[0].total, 1s);
  EXPECT_EQ(w.records[1].total, 3s);
  EXPECT_NE(w.records[0].request_id, w.records[1].request_id);
}

TEST_P(TwoStreams, UploadsAndAnswersOfBothInterleave) {
  World w(GetParam());
  Stream& a = w.open("POST /a", 6, 0);
  Stream& b = w.open("POST /b", 6, 0);
  for (int i = 0; i < 3; ++i) {
    a.send("aa");
    w.run();
    b.send("bb");
    w.run();
  }
  EXPECT_EQ(w.target_read, "aabbaabbaabb") << "each piece goes up when it comes";
  for (int i = 0; i < 9; ++i) {
    a.take(1);
    w.run();
    b.take(1);
    w.run();
  }
  EXPECT_EQ(w.streams.received(1), "200 /a:aaaaaa.");
  EXPECT_EQ(w.streams.received(3), "200 /b:bbbbbb.");
  Frames data;
  for (const std::string& f : w.streams.frames)
    if (f.find(" data ") != std::string::npos) data.push_back(f);
  ASSERT_EQ(data.size(), 18U);
  for (std::size_t i = 0; i < data.size(); ++i) EXPECT_EQ(data[i].front(), i % 2 == 0 ? '1' : '3') << i;
  ASSERT_EQ(w.records.size(), 2U);
  for (const auto& record : w.records) {
    EXPECT_EQ(record.request_octets, 6U);
    EXPECT_EQ(record.response_octets, 9U);
    EXPECT_EQ(record.ended_reason, "completed");
  }
}

TEST_P(TwoStreams, OneThatStandsStillHoldsTheOtherNotUp) {
  World w(GetParam());
  Stream& still = w.open("POST /still", 200'000, 1);
  still.finish(std::string(200'000, 'x'));
  for (int i = 0; i < 5; ++i) {
    w.open("GET /other");
    w.run();
  }
  for (int id = 3; id <= 11; id += 2) EXPECT_EQ(w.streams.received(id), "200 /other:.") << id;
  EXPECT_EQ(w.streams.received(1), "200 /");
  EXPECT_EQ(w.running(), 1U);
  still.take(300'000);
  w.run();
  EXPECT_EQ(w.streams.received(1), "200 /still:" + std::string(200'000, 'x') + ".");
  EXPECT_EQ(w.target_connections, 2U) << "the others took turns on one connection";
}

TEST_P(TwoStreams, OneThatIsGivenUpLeavesTheOtherAlone) {
  World w(GetParam());
  Stream& gone = w.open("GET /slow/9");
  w.open("GET /slow/2");
  w.run(1s);
  gone.go_away();
  w.run();
  ASSERT_EQ(w.records.size(), 1U) << "it is noticed at once";
  EXPECT_EQ(w.records[0].ended_reason, "client-gone");
  EXPECT_EQ(w.records[0].ended_by, "client");
  EXPECT_EQ(w.running(), 1U);
  w.run(1s);
  EXPECT_EQ(w.streams.received(3), "200 /slow/2:.");
  EXPECT_EQ(w.streams.received(1), "!");
}

TEST_P(TwoStreams, OneThatIsGivenUpWithinItsUploadLeavesTheOtherAlone) {
  World w(GetParam());
  Stream& gone = w.open("POST /gone", 10);
  Stream& stays = w.open("POST /stays", 4);
  gone.send("xxxx");
  stays.send("yy");
  w.run();
  gone.go_away();
  w.run();
  stays.finish("yy");
  w.run();
  EXPECT_EQ(w.streams.received(3), "200 /stays:yyyy.");
  ASSERT_EQ(w.records.size(), 2U);
  EXPECT_EQ(w.records[0].ended_reason, "client-gone");
}

TEST_P(TwoStreams, AnEarlyAnswerIsReadWhileBothBodiesStillGoUp) {
  World w(GetParam());
  Stream& a = w.open("POST /early", 4);
  Stream& b = w.open("POST /early", 4);
  a.send("aa");
  b.send("bb");
  w.run();
  EXPECT_EQ(w.streams.received(1).substr(0, 11), "200 /early:") << w.streams.received(1);
  EXPECT_EQ(w.streams.received(3).substr(0, 11), "200 /early:");
  a.finish("aa");
  b.finish("bb");
  w.run();
  EXPECT_EQ(w.records.size(), 2U);
}

TEST_P(TwoStreams, TwoWalksAreSuspendedAtOnceAndKeepTheirOwnDecisions) {
  World w(GetParam());
  w.open("GET /paused/a");
  w.run(500ms);
  w.open("GET /paused/b");
  w.run(499ms);
  EXPECT_TRUE(w.streams.frames.empty());
  w.run(1ms);
  EXPECT_EQ(w.streams.received(1), "200 /paused/a:.");
  EXPECT_EQ(w.streams.received(3), "");
  w.run(500ms);
  EXPECT_EQ(w.streams.received(3), "200 /paused/b:.");
  ASSERT_EQ(w.records.size(), 2U);
  for (const auto& record : w.records) {
    EXPECT_EQ(record.route, "paused");
    ASSERT_EQ(record.decisions.size(), 1U);
    EXPECT_EQ(record.decisions[0].id, "paused/pause");
  }
}

TEST_P(TwoStreams, ALostConnectionEndsEachOfThemOnce) {
  World w(GetParam());
  w.open("GET /slow/9");
  w.open("GET /paused");
  Stream& uploading = w.open("POST /up", 10);
  uploading.send("x");
  Stream& unread = w.open("POST /down", 9, 2);
  unread.finish("123456789");
  w.run(500ms);
  EXPECT_EQ(w.running(), 4U);
  w.streams.cut();
  w.run();
  EXPECT_EQ(w.running(), 0U);
  EXPECT_EQ(w.records.size(), 4U);
}

}  // namespace
}  // namespace gatelab::test
