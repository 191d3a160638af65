// SPDX-License-Identifier: Apache-2.0
// The tap in a gateway that serves: whose exchange is whose, where addresses do not tell, and what it keeps of those under way.
#include <gtest/gtest.h>

#include "harness/mock/mock.h"
#include "harness/replay/tap.h"
#include "harness/scenario/client.h"
#include "harness/scenario/driver.h"
#include "io/scope.h"

namespace gatelab::harness {
namespace {

constexpr const char* kGateway = R"(gatelab: 1
listeners: [ { name: sock, address: "unix:/run/tap-test.sock" } ]
upstreams: { target: { url: http://127.0.0.1:9001 } }
routes: [ { name: all, upstream: target } ]
)";

// Clients of one unix socket, whose addresses are all the same.
class TapWorld {
 public:
  explicit TapWorld(std::size_t max_waiting = TrafficTap::kMostWaiting, const std::string& config = kGateway)
      : tap([this](RecordedExchange e) { recorded.push_back(std::move(e)); }, RecordingWriter::kMaxBody, max_waiting),
        driver_(make_simulated(1, Instant::from_seconds(1'767'225'600), 1)), mocks_(driver_->environment().network, driver_->outside(), true, driver_->environment().random),
        scope_(driver_->outside()), client_(driver_->environment().network, driver_->outside(), scope_.token()), gateway_(driver_->environment(), options()) {
    Stub& stub = stubs_.emplace_back();
    stub.reply.make = [](const SeenRequest& request) {
      auto reply = std::make_shared<Reply>();
      if (request.path == "/slow") reply->delay = std::chrono::seconds(1);
      if (request.path == "/broken") reply->status = 503;
      reply->body = "of " + request.path;
      return reply;
    };
    mocks_.add("target", "target", stubs_);
    gateway::ModelInput input;
    input.source = std::make_shared<diag::SourceFile>(diag::SourceFile{"gateway.yaml", config});
    input.states = &gateway_.states();
    diag::Sink sink;
    const auto model = gateway::build_model(input, sink);
    EXPECT_TRUE(model) << diag::render_all(sink, diag::Colour::Off);
    EXPECT_TRUE(mocks_.start());
    EXPECT_TRUE(gateway_.start(model));
    driver_->start();
  }
  ~TapWorld() {
    scope_.cancel();
    client_.close();
    bool done = false;
    gateway_.drain(Duration{}, [&done] { done = true; });
    driver_->run_until([&done] { return done; }, std::chrono::minutes(1));
    mocks_.stop();
    driver_->run_until([this] { return mocks_.stopped() && scope_.running() == 0; }, std::chrono::minutes(1));
  }
  // All at once, each on the connection of its name.
  void send(const std::vector<std::pair<std::string, std::string>>& requests, int status = 200) {
    std::size_t left = requests.size();
    std::vector<Answer> answers(requests.size());
    std::vector<Dial> dials(requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      dials[i].path = "/run/tap-test.sock";
      dials[i].connection = requests[i].first;
      scope_.spawn(one(dials[i], requests[i].second, answers[i], left));
    }
    driver_->run_until([&left] { return left == 0; }, std::chrono::minutes(1));
    for (const Answer& answer : answers) EXPECT_EQ(answer.status, status) << answer.error;
  }
  // Of the next request to the target.
  void answers_once(std::uint16_t status) {
    upstream::Fault fault;
    fault.kind = upstream::Fault::Kind::Status;
    fault.name = "played";
    fault.status = status;
    fault.count = 1;
    ASSERT_TRUE(gateway_.fault("target/target", fault));
  }
  // "/target: its answer / what the upstream was asked: its answer"
  std::string told() const {
    std::string out;
    for (const RecordedExchange& e : recorded) {
      out += e.request.target + ": " + text(e.answer.body);
      for (const RecordedAttempt& a : e.attempts) out += " / " + a.request.target + ": " + text(a.answer.body);
      out += "\n";
    }
    return out;
  }

  std::vector<RecordedExchange> recorded;
  TrafficTap tap;

 private:
  static std::string text(const RecordedBody& body) { return body.octets ? *body.octets : "none"; }
  gateway::Options options() {
    gateway::Options out;
    out.hermetic = true;
    out.locate = [this](const std::string& target) -> std::optional<Address> {
      const auto known = mocks_.addresses().find(target);
      return known == mocks_.addresses().end() ? std::nullopt : std::optional(known->second);
    };
    out.tap = &tap;
    out.on_record = [this](const observe::Record& record) { tap.finished(record); };
    return out;
  }
  io::Task<void> one(const Dial& dial, std::string target, Answer& answer, std::size_t& left) {
    io::Task<void> sending = client_.send(dial, "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n", "GET", std::chrono::minutes(1), answer);
    co_await sending;
    --left;
  }

  std::vector<Stub> stubs_;
  std::unique_ptr<Driver> driver_;
  MockServers mocks_;
  io::Scope scope_;
  Client client_;
  gateway::Gateway gateway_;
};

TEST(TapOfAGateway, ClientsOfAUnixSocketKeepTheirOwnExchanges) {
  TapWorld world;
  world.send({{"one", "/slow"}, {"two", "/quick"}, {"three", "/brief"}});
  EXPECT_EQ(world.told(), "/quick: of /quick / /quick: of /quick\n/brief: of /brief / /brief: of /brief\n/slow: of /slow / /slow: of /slow\n");
  world.send({{"two", "/slow"}, {"one", "/again"}});
  EXPECT_EQ(world.recorded.size(), 5U);
  EXPECT_NE(world.told().find("/again: of /again / /again: of /again\n/slow: of /slow / /slow: of /slow\n"), std::string::npos) << world.told();
  EXPECT_EQ(world.tap.lost_answers(), 0U);
}

TEST(TapOfAGateway, AnswersThatThereIsNoRoomForAreCounted) {
  TapWorld world(100);
  world.send({{"one", "/a"}});
  EXPECT_EQ(world.told(), "/a: of /a / /a: none\n");
  EXPECT_EQ(world.tap.lost_answers(), 1U);
}

// It stands above the tap, so that nothing of it passed.
TEST(TapOfAGateway, WhatAFaultHasAnsweredIsNoLostAnswer) {
  TapWorld world;
  world.answers_once(503);
  world.send({{"one", "/a"}}, 503);
  EXPECT_EQ(world.told(), "/a: gatelab plays the fault `played`\n / /a: none\n");
  world.send({{"one", "/b"}});
  EXPECT_EQ(world.tap.lost_answers(), 0U);
}

TEST(TapOfAGateway, ATryThatAFaultHasAnsweredLeavesTheAnswerToTheNext) {
  std::string config = kGateway;
  config.replace(config.find("9001 }"), 6, "9001, retry: { max_retries: 1, on: [503] } }");
  TapWorld world(TrafficTap::kMostWaiting, config);
  world.answers_once(503);
  world.send({{"one", "/a"}});
  EXPECT_EQ(world.told(), "/a: of /a / /a: none / /a: of /a\n");
  ASSERT_EQ(world.recorded.size(), 1U);
  ASSERT_EQ(world.recorded[0].attempts.size(), 2U);
  EXPECT_EQ(world.recorded[0].attempts[0].reason, "completed");
  EXPECT_EQ(world.recorded[0].attempts[1].reason, "completed");
  EXPECT_EQ(world.tap.lost_answers(), 0U);
}

// What the target says with the same status is its own.
TEST(TapOfAGateway, AFaultIsToldFromTheTargetsAnswerOfTheSameStatus) {
  std::string config = kGateway;
  config.replace(config.find("9001 }"), 6, "9001, retry: { max_retries: 1, on: [503] } }");
  TapWorld world(TrafficTap::kMostWaiting, config);
  world.answers_once(503);
  world.send({{"one", "/broken"}}, 503);
  EXPECT_EQ(world.told(), "/broken: of /broken / /broken: none / /broken: of /broken\n");
  EXPECT_EQ(world.tap.lost_answers(), 0U);
}

}  // namespace
}  // namespace gatelab::harness
