// SPDX-License-Identifier: Apache-2.0
// The generator over a simulated network and clock, where the truth is known by construction.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <future>

#include "harness/load/generate.h"
#include "harness/load/judge.h"
#include "harness/mock/mock.h"
#include "io/process.h"
#include "io/real.h"
#include "io/sim.h"

namespace gatelab::harness::load {
namespace {

using namespace std::chrono_literals;

io::SimOptions options() {
  io::SimOptions out;
  out.seed = 5;
  return out;
}

// A server that answers as it is told, by what it is asked and when.
class SimulatedLoad : public testing::Test {
 protected:
  using Answer = std::function<harness::Reply(const SeenRequest&, Duration since)>;

  void serve(Answer answer) {
    Stub stub;
    stub.reply.make = [this, answer = std::move(answer)](const SeenRequest& request) {
      seen_.push_back(request);
      return std::make_shared<const harness::Reply>(answer(request, sim_.now() - run_->began()));
    };
    mocks_.provide("origin", {stub}, nullptr);
    ASSERT_TRUE(mocks_.start());
    target_.address = mocks_.addresses().at("origin/origin");
  }
  static harness::Reply after(Duration delay, std::uint16_t status = 200) {
    harness::Reply out;
    out.delay = delay;
    out.status = status;
    out.body = "{}";
    return out;
  }

  Load open(double rate, Duration length, Spacing spacing = Spacing::Even) {
    Load out;
    out.curve = Curve({{rate, rate, length}});
    out.spacing = spacing;
    out.flows.push_back(flow({"GET / HTTP/1.1\r\nHost: a\r\n\r\n"}));
    return out;
  }
  static Flow flow(const std::vector<std::string>& requests, const Data& data = {}, const std::vector<std::string>& saved = {}) {
    Flow out;
    for (const std::string& octets : requests) {
      auto made = Template::make(octets, data, saved);
      EXPECT_TRUE(made) << made.error().message;
      Request request;
      request.octets = std::move(*made);
      request.method = http::method_of(octets.substr(0, octets.find(' ')));
      out.requests.push_back(std::move(request));
    }
    return out;
  }

  Round run(const Load& load) {
    const Generators generators{sim_.environment().network, sim_.environment().clock, sim_.environment().loops};
    run_ = std::make_unique<RoundRun>(generators, load, target_, 0);
    run_->start();
    EXPECT_EQ(sim_.run_until([this] { return run_->done(); }, 1h), io::SimEnd::Idle);
    Round out = run_->result();
    run_.reset();
    return out;
  }

  ~SimulatedLoad() override {
    mocks_.stop();
    sim_.run_until([this] { return mocks_.stopped(); }, 1min);
  }

  io::Simulation sim_{options()};
  MockServers mocks_{sim_.environment().network, sim_.outside(), false};
  Target target_;
  std::unique_ptr<RoundRun> run_;
  std::vector<SeenRequest> seen_;
};

TEST_F(SimulatedLoad, StallIsSeenByEveryRequestThatWasDueInIt) {
  // 10 ms, and nothing at all is answered from 2 s to 3 s.
  const auto truth = [](Duration at) { return at >= 2s && at < 3s ? 3s - at + 10ms : 10ms; };
  serve([&](const SeenRequest&, Duration since) { return after(truth(since)); });
  const Round round = run(open(1000, 10s));
  std::vector<Duration> exact;
  for (int i = 0; i < 10'000; ++i) exact.push_back(truth(1ms * i));
  std::sort(exact.begin(), exact.end());
  ASSERT_EQ(round.judged.latency.count(), 10'000U);
  for (const double q : {0.5, 0.9, 0.95, 0.99, 0.999}) {
    const auto expected = static_cast<double>(exact[static_cast<std::size_t>(std::ceil(q * 10'000)) - 1].count());
    EXPECT_NEAR(static_cast<double>(round.judged.latency.at(q).count()), expected, 0.03 * expected) << q;
  }
}

// With few connections the stall makes requests wait in the generator: the latency says so, the service time does not.
TEST_F(SimulatedLoad, WhatWaitsForAConnectionWaitsSinceItWasPlanned) {
  serve([](const SeenRequest&, Duration) { return after(100ms); });
  Load load = open(40, 5s);
  load.connections = 2;  // one a lane: 20 a second together
  load.timeout = 1min;
  const Round round = run(load);
  EXPECT_EQ(round.judged.latency.count(), 200U);
  EXPECT_EQ(round.judged.service.max() / 1ms, 100);
  // The last one was due at 5 s and had its turn at 10 s.
  EXPECT_NEAR(static_cast<double>(round.judged.latency.max().count()), 5e9, 0.05 * 5e9);
  EXPECT_GT(round.resources.waits, 150U);
  const Judgement judgement = judge({round}, *parse_thresholds("p50<10s"), 0.95, Model::Open, 2);
  EXPECT_EQ(judgement.verdict, Verdict::Invalid);
  ASSERT_FALSE(judgement.invalid.empty());
  EXPECT_NE(judgement.invalid[0].find("all 2 connections were in use"), std::string::npos) << judgement.invalid[0];
}

TEST_F(SimulatedLoad, UsersSendAgainWhenTheyWereAnsweredAndHaveThought) {
  serve([](const SeenRequest&, Duration) { return after(10ms); });
  Load load = open(0, 1s);
  load.model = Model::Closed;
  load.curve = Curve({{4, 4, 10s}});
  load.think = 90ms;
  const Round round = run(load);
  EXPECT_NEAR(static_cast<double>(round.judged.latency.count()), 400, 4);
  EXPECT_EQ(round.judged.latency.max() / 1ms, 10);
}

TEST_F(SimulatedLoad, UsersWithoutThoughtKeepOneRequestInFlightEach) {
  serve([](const SeenRequest&, Duration) { return after(10ms); });
  Load load = open(0, 1s);
  load.model = Model::Closed;
  load.curve = Curve({{3, 3, 2s}});
  EXPECT_EQ(run(load).judged.latency.count(), 600U);
}

TEST_F(SimulatedLoad, WarmUpIsCountedApart) {
  serve([](const SeenRequest&, Duration since) { return after(since < 1s ? 500ms : 5ms); });
  Load load = open(100, 3s);
  load.warmup = 1s;
  const Round round = run(load);
  EXPECT_EQ(round.warmup.latency.count(), 100U);
  EXPECT_EQ(round.judged.latency.count(), 200U);
  EXPECT_EQ(round.judged.latency.max() / 1ms, 5);
}

// Longer than what a socket takes at once, on connections that are used again and again.
TEST_F(SimulatedLoad, LongRequestsGoOutInPieces) {
  std::size_t octets = 0;
  serve([&](const SeenRequest& request, Duration) {
    octets += request.body.size();
    return after(1ms);
  });
  Load load = open(20, 1s);
  load.flows = {flow({"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + std::string(300'000, 'x')})};
  const Round round = run(load);
  EXPECT_EQ(round.judged.statuses.at(200), 20U);
  EXPECT_EQ(round.judged.failed(), 0U);
  EXPECT_EQ(octets, 20U * 300'000U);
}

TEST_F(SimulatedLoad, ConnectionARequestIsOneEach) {
  serve([](const SeenRequest& request, Duration) {
    harness::Reply out = after(1ms);
    out.close = true;
    EXPECT_EQ(request.method, "GET");
    return out;
  });
  Load load = open(100, 1s);
  load.keep_alive = false;
  const Round round = run(load);
  EXPECT_EQ(round.judged.latency.count(), 100U);
  EXPECT_EQ(round.judged.failed(), 0U);
}

TEST_F(SimulatedLoad, WhatIsNeverAnsweredCountsAsTheTimeThatItWasWaitedFor) {
  serve([](const SeenRequest&, Duration since) { return after(since < 500ms ? 1ms : 1h); });
  Load load = open(100, 1s);
  load.timeout = 2s;
  const Round round = run(load);
  EXPECT_EQ(round.judged.errors.at("timeout"), 50U);
  EXPECT_EQ(round.judged.latency.count(), 100U);
  EXPECT_EQ(round.judged.latency.max() / 1ms, 2000);
}

TEST_F(SimulatedLoad, RefusedAndUnexpectedAnswersAreErrorsWithoutALatency) {
  serve([](const SeenRequest&, Duration) { return after(1ms, 503); });
  Round round = run(open(100, 1s));
  EXPECT_EQ(round.judged.errors.at("status 503"), 100U);
  EXPECT_EQ(round.judged.latency.count(), 0U);
  sim_.set_reach(target_.address, io::Simulation::Reach::Refuse);
  round = run(open(100, 1s));
  EXPECT_EQ(round.judged.errors.at("refused"), 100U);
}

TEST_F(SimulatedLoad, FlowHandsOnWhatItHasSavedAndRowsTakeTurns) {
  const auto data = read_data("users.csv", "name,id\nann,7\n\"bo, jr\",8\n");
  ASSERT_TRUE(data);
  serve([](const SeenRequest& request, Duration) {
    harness::Reply out = after(1ms);
    out.body = R"({"order": {"id": )" + std::to_string(request.path.size()) + "}}";
    return out;
  });
  Load load = open(10, 400ms);
  load.data = *data;
  load.slots = 1;
  load.flows = {flow({"GET /users/$(data.name) HTTP/1.1\r\nHost: a\r\n\r\n",
                      "POST /pay HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n{\"order\":\"$(user.order)\",\"by\":\"$(data.name)\"}"},
                     load.data, {"order"})};
  load.flows[0].requests[0].saves.push_back({0, {}, *JsonPath::compile("$.order.id")});
  const Round round = run(load);
  EXPECT_EQ(round.judged.failed(), 0U);
  EXPECT_EQ(round.judged.statuses.at(200), 8U);
  std::vector<std::string> lines;
  for (const SeenRequest& s : seen_) lines.push_back(s.path + " " + s.body);
  std::sort(lines.begin(), lines.end());
  const std::vector<std::string> expected{R"(/pay {"order":10,"by":"ann"})", R"(/pay {"order":10,"by":"ann"})", R"(/pay {"order":17,"by":"bo, jr"})", R"(/pay {"order":17,"by":"bo, jr"})",
                                          "/users/ann ", "/users/ann ", "/users/bo%2C%20jr ", "/users/bo%2C%20jr "};
  EXPECT_EQ(lines, expected);
}

TEST(LoadData, NamesOfColumnsAreWithoutAMarkAndEachThereOnce) {
  const struct {
    const char* name;
    std::string text;
    const char* first;  // the first column, or
    const char* error;
  } rows[] = {
      {"a.csv", "id,name\n7,ann\n", "id", nullptr},
      {"a.csv", "\xEF\xBB\xBFid,name\n7,ann\n", "id", nullptr},
      {"a.csv", "\xEF\xBB\xBF\"id\",name\n7,ann\n", "id", nullptr},
      {"a.jsonl", "\xEF\xBB\xBF{\"id\":7}\n", "id", nullptr},
      {"a.csv", "id,name,id\n7,ann,8\n", nullptr, "`a.csv` line 1: two columns are named `id`: $(data.id) could be either; rename one"},
      {"a.csv", "\n\"a b\",c,a b\n1,2,3\n", nullptr, "`a.csv` line 2: two columns are named `a b`: $(data.a b) could be either; rename one"},
      {"a.csv", "\xEF\xBB\xBF", nullptr, "`a.csv` has no rows"},
      {"a.csv", " id , name\n7,ann\n", "id", nullptr},
      {"a.csv", "name, name\n7,ann\n", nullptr, "`a.csv` line 1: two columns are named `name`: $(data.name) could be either; rename one"},
      {"a.csv", std::string("\xFF\xFEi\0d\0", 6), nullptr, "`a.csv` is UTF-16: save it as UTF-8"},
      {"a.csv", "id\nann\nJos\xE9\n", nullptr, "`a.csv` line 3: not UTF-8 from here on: save it as UTF-8"},
      {"a.jsonl", "{\"id\":7,\"a\":{\"id\":8}}\n", "a", nullptr},
      {"a.jsonl", "{\"id\":7,\"id\":8}\n", nullptr, "`a.jsonl` line 1: two members are named `id`: $(data.id) could be either; take one out"},
      {"a.jsonl", "{}\n{\"id\":7}\n", nullptr, "`a.jsonl` line 1: the object has no members, which would be the columns: {\"id\":7}"},
  };
  for (const auto& row : rows) {
    const auto data = read_data(row.name, row.text);
    ASSERT_EQ(data.ok(), row.error == nullptr) << row.text;
    if (data) EXPECT_EQ(data->names.front(), row.first) << row.text;
    else EXPECT_EQ(data.error().message, row.error) << row.text;
  }
}

TEST_F(SimulatedLoad, ShardsTogetherAreTheWhole) {
  serve([](const SeenRequest&, Duration since) { return after(1ms + since / 100); });
  Load load = open(200, 2s, Spacing::Poisson);
  const Round whole = run(load);
  Round parts;
  for (std::uint32_t i = 0; i < 3; ++i) {
    load.shard = {i, 3};
    parts.merge(run(load));
  }
  EXPECT_EQ(parts.judged.planned, whole.judged.planned);
  EXPECT_EQ(parts.judged.latency, whole.judged.latency);
}

std::uint64_t accounted(const Tally& t) {
  const auto timeouts = t.errors.count("timeout") > 0 ? t.errors.at("timeout") : 0, unsent = t.errors.count("unsent") > 0 ? t.errors.at("unsent") : 0;
  return t.latency.count() + t.failed() - timeouts - unsent;  // those are both, as they have waited
}

// Two connections that answer 20 a second, 40 a second, and a patience of a second: half of what is owed is never sent.
TEST_F(SimulatedLoad, WhatWasOwedAndNeverSentIsAnErrorThatHasWaited) {
  serve([](const SeenRequest&, Duration) { return after(100ms); });
  Load load = open(40, 10s);
  load.connections = 2;
  load.timeout = 1s;
  const Round round = run(load);
  const Tally& t = round.judged;
  EXPECT_EQ(t.planned, 400U);
  EXPECT_EQ(t.sent + t.unsent, 400U);
  EXPECT_GT(t.unsent, 100U);
  EXPECT_EQ(t.errors.at("unsent"), t.unsent);
  EXPECT_EQ(accounted(t), 400U);
  EXPECT_EQ(t.latency.count(), 400U);
  EXPECT_GE(t.latency.at(0.9), 999ms);  // the patience, not what the lucky ones saw
  EXPECT_GE(t.late.max(), 1s);
  std::uint64_t shown = 0;
  for (const Slice& s : round.slices) shown += s.failed;
  EXPECT_EQ(shown, t.unsent);
}

// The later requests of a flow are due when the answer before came, be it behind the plan's end.
TEST_F(SimulatedLoad, LaterStepsOfAFlowAreInTimeWhenTheyFollowTheirAnswer) {
  serve([](const SeenRequest&, Duration) { return after(400ms); });
  Load load = open(20, 2s);
  load.flows = {flow({"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n"})};
  const Round round = run(load);
  EXPECT_EQ(round.judged.planned, 120U);
  EXPECT_EQ(round.judged.in_time, 120U);
  EXPECT_EQ(round.judged.late.max(), Duration{});
  EXPECT_EQ(judge({round}, *parse_thresholds("p50<1s"), 0.95, Model::Open, 2).verdict, Verdict::Pass);
}

TEST_F(SimulatedLoad, StoppedRunAccountsForWhatItCut) {
  serve([](const SeenRequest&, Duration) { return after(1h); });
  Load load = open(100, 1h);
  load.connections = 20;
  load.timeout = 1h;
  const Generators generators{sim_.environment().network, sim_.environment().clock, sim_.environment().loops};
  run_ = std::make_unique<RoundRun>(generators, load, target_, 0);
  run_->start();
  sim_.advance(2s);
  run_->stop();
  EXPECT_EQ(sim_.run_until([this] { return run_->done(); }, 1s), io::SimEnd::Idle);
  const Round round = run_->result();
  EXPECT_EQ(round.judged.errors.at("cut"), 20U);
  EXPECT_EQ(round.judged.errors.at("unsent"), round.judged.unsent);
  EXPECT_EQ(round.judged.failed(), round.judged.planned);
  const Judgement judgement = judge({round}, {}, 0.95, Model::Open, 20);
  EXPECT_EQ(judgement.verdict, Verdict::Invalid);
  EXPECT_EQ(judgement.invalid, std::vector<std::string>{"it was stopped before its end"});
}

TEST_F(SimulatedLoad, StoppedRunSaysSo) {
  serve([](const SeenRequest&, Duration) { return after(10ms); });
  const Load load = open(100, 1h);
  const Generators generators{sim_.environment().network, sim_.environment().clock, sim_.environment().loops};
  run_ = std::make_unique<RoundRun>(generators, load, target_, 0);
  run_->start();
  sim_.advance(2s);
  run_->stop();
  EXPECT_EQ(sim_.run_until([this] { return run_->done(); }, 1s), io::SimEnd::Idle);
  EXPECT_TRUE(run_->result().cut);
  EXPECT_NEAR(static_cast<double>(run_->result().judged.answered), 200, 5);
}

// On threads: a generator that is at its end lives until its loop has heard of the stop, however long that loop is busy.
TEST(LoadStop, RoundIsNotDoneBeforeEveryLoopHasHeardOfIt) {
  const auto held = io::HeldPort::take();
  ASSERT_TRUE(held);
  io::RealWorld world({2, 1, 50us});
  io::Environment& environment = world.environment();
  world.start();
  const Generators generators{environment.network, environment.clock, environment.loops};
  Target target;
  target.address = *parse_address("127.0.0.1:" + std::to_string((*held)->port()));  // nobody listens
  Load load;
  // The first generator has its one request at once; the second one's is half an hour away.
  load.curve = Curve({{2.0 / 3600, 2.0 / 3600, 1h}});
  load.spacing = Spacing::Even;
  Flow flow;
  flow.requests.emplace_back();
  flow.requests[0].octets = *Template::make("GET / HTTP/1.1\r\nHost: a\r\n\r\n", {}, {});
  load.flows.push_back(std::move(flow));
  Progress progress;
  RoundRun run(generators, load, target, 0, &progress);
  const auto turn = [&](std::size_t loop) {
    std::promise<void> had;
    environment.loops[loop]->post_remote([&had] { had.set_value(); });
    had.get_future().wait();
  };
  run.start();
  for (std::uint64_t failed = 0; failed == 0; turn(0)) failed = progress.take().failed;
  for (int i = 0; i < 100; ++i) turn(0);  // until its end is told
  std::promise<void> let_go, busy;
  environment.loops[0]->post_remote([&] {
    busy.set_value();
    let_go.get_future().wait();
  });
  busy.get_future().wait();
  run.stop();
  for (int i = 0; i < 1000 && !run.done(); ++i) turn(1);
  EXPECT_FALSE(run.done());
  let_go.set_value();
  while (!run.done()) turn(1);
  const Round round = run.result();
  EXPECT_TRUE(round.cut);
  EXPECT_EQ(round.judged.errors.at("refused"), 1U);
  run.stop();  // of what is over nothing is stopped, and no loop is told
  EXPECT_TRUE(run.done());
  world.stop();
  world.join();
  run.stop();
}

TEST_F(SimulatedLoad, StopBehindTheEndChangesNothing) {
  serve([](const SeenRequest&, Duration) { return after(1ms); });
  const Load load = open(100, 1s);
  const Generators generators{sim_.environment().network, sim_.environment().clock, sim_.environment().loops};
  run_ = std::make_unique<RoundRun>(generators, load, target_, 0);
  run_->start();
  EXPECT_EQ(sim_.run_until([this] { return run_->done(); }, 2s), io::SimEnd::Idle);
  run_->stop();
  sim_.drain();
  EXPECT_TRUE(run_->done());
  EXPECT_FALSE(run_->result().cut);
}

}  // namespace
}  // namespace gatelab::harness::load
