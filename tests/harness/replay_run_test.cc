// SPDX-License-Identifier: Apache-2.0
// Recordings replayed in whole runs: the same configuration answers the same, another one is found out, and nothing passes that
// has compared nothing.
#include <gtest/gtest.h>

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "base/base64.h"
#include "coding/coder.h"
#include "harness/replay/import_parts.h"
#include "harness/replay/shrink.h"
#include "harness/replay_command.h"
#include "harness/runner.h"
#include "io/real.h"
#include "io/sim.h"

namespace {

std::atomic<bool> overwrites{false};

}  // namespace

// What is freed is overwritten while a test asks for it, so that whoever uses it after all falls over. The sanitizers see that by
// themselves, and would not if this were in their place.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void operator delete(void* memory) noexcept {
  if (memory != nullptr && overwrites.load(std::memory_order_relaxed)) ::explicit_bzero(memory, ::malloc_usable_size(memory));
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
#endif

namespace gatelab::harness {
namespace {

constexpr const char* kGateway = R"(gatelab: 1
listeners: [ { name: main, address: 127.0.0.1:8080 } ]
consumers: [ { name: mobile, keys: [ { value: the-key-of-mobile } ] } ]
issuers: { main: { issuer: https://idp.test, audiences: [shop], keys: { jwks_url: http://127.0.0.1:9100/jwks.json }, algorithms: [RS256] } }
upstreams: { orders: { url: http://127.0.0.1:9001, retry: { max_retries: 1 } } }
routes:
  - { name: token, match: { path: /token/* }, policies: [ { jwt: { issuer: main } } ], upstream: orders }
  - { name: key, match: { path: /key/* }, policies: [ { api-key: { header: X-Api-Key } } ], upstream: orders }
  - { name: limited, match: { path: /limited }, policies: [ { rate-limit: { rate: 2/h, algorithm: fixed-window, key: constant } } ], upstream: orders }
  - { name: rest, upstream: orders }
)";

RecordedExchange exchange(int n, const std::string& target, const std::string& body, RecordedHeaders headers = {}) {
  RecordedExchange e;
  e.id = "e" + std::to_string(n);
  e.began = Instant::from_seconds(1'767'225'600 + n);
  e.request = {"GET", target, "1.1", {{"Host", "shop.test"}}, {}};
  e.request.headers.insert(e.request.headers.end(), headers.begin(), headers.end());
  e.answer = {200, {{"Content-Type", "application/json"}, {"Date", "Thu, 01 Jan 2026 00:00:00 GMT"}, {"Via", "1.1 gatelab-00000000"}, {"X-Request-Id", std::to_string(n)}}, body_from(body)};
  RecordedAttempt attempt;
  attempt.upstream = "orders";
  attempt.target = "orders";
  attempt.took = std::chrono::milliseconds(3);
  attempt.request = e.request;
  attempt.answer = {200, {{"Content-Type", "application/json"}, {"Date", "Thu, 01 Jan 2026 00:00:00 GMT"}}, body_from(body)};
  e.attempts.push_back(std::move(attempt));
  return e;
}

class Replays : public testing::Test {
 protected:
  Replays() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::path(testing::TempDir()) / (std::string("gatelab-replays-") + info->name());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    write("gateway.yaml", kGateway);
  }
  ~Replays() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& name, const std::string& text) { std::ofstream(directory_ / name, std::ios::binary) << text; }
  void record(const std::vector<RecordedExchange>& exchanges) {
    RecordingWriter writer;
    std::string text = RecordingWriter::first_line();
    for (const RecordedExchange& e : exchanges) text += writer.lines(e);
    write("a.gtl", text);
  }
  std::string path(const std::string& name) const { return (directory_ / name).string(); }

  TestSummary run(const std::string& steps, const std::string& world = "") {
    write("case.yaml", "gatelab: 1\nname: test\ngateway: gateway.yaml\nclock: { start: recorded }\nissuers: { main: { alg: RS256, kid: k1 } }\n" + world + "cases:\n  - name: one\n    steps:\n" + steps);
    options.paths = {path("case.yaml")};
    options.verbose = true;
    io::Simulation sim{io::SimOptions{}};
    out.str("");
    err.str("");
    return run_tests(options, sim.environment().files, out, err);
  }
  TestSummary command(ReplayOptions replay) {
    replay.from = path("a.gtl");
    replay.gateway = path("gateway.yaml");
    if (!replay.against.empty()) replay.against = path(replay.against);
    io::Simulation sim{io::SimOptions{}};
    out.str("");
    err.str("");
    return run_replay(replay, options, sim.environment().files, out, err);
  }
  void says(const std::string& text) const { EXPECT_NE(out.str().find(text), std::string::npos) << text << "\nin\n" << out.str() << err.str(); }

  TestOptions options;
  std::ostringstream out, err;

 private:
  std::filesystem::path directory_;
};

const std::string kSame = "      - replay: { from: a.gtl, upstreams: recorded }\n        compare: { with: recorded, headers: { ignore: [ X-Request-Id ] } }\n";

// Sockets; notes when it waits for a replay, which may take its pace and ten minutes.
class Sockets final : public RealDriver {
 public:
  Sockets(std::uint32_t workers, std::uint64_t seed, std::atomic<bool>& replaying) : world_({workers + 1, seed}), environment_(world_.environment()), replaying_(replaying) {
    outside_ = environment_.loops.back();
    environment_.loops.pop_back();
  }
  ~Sockets() override {
    world_.stop();
    world_.join();
  }
  io::Environment& environment() noexcept override { return environment_; }
  io::Loop& outside() noexcept override { return *outside_; }
  void start() override { world_.start(); }
  bool shift_policy(Duration by) noexcept override { return world_.shift_policy(by); }
  bool wait(const std::function<bool()>& done, Duration budget) override {
    constexpr int kEnough = 2'000'000;  // of asking
    replaying_ = replaying_ || budget > std::chrono::minutes(30);
    for (int asked = 0; asked < kEnough; ++asked, std::this_thread::yield())
      if (done()) return true;
    return false;
  }

 private:
  io::RealWorld world_;
  io::Environment environment_;
  io::Loop* outside_;
  std::atomic<bool>& replaying_;
};

// One exchange is in flight and another is waited for when the user gives up.
TEST_F(Replays, OneThatIsGivenUpFreesNothingInUse) {
  RecordedExchange silent = exchange(0, "/silent", "");
  silent.attempts[0].reason = "response-timeout";
  silent.attempts[0].answer = {};
  record({silent, exchange(1, "/a", "text"), exchange(3600, "/late", "text")});
  overwrites = true;
  for (int round = 0; round < 5; ++round) {
    std::atomic<bool> replaying{false};
    std::atomic<int> asked{0};
    options.real = true;
    options.real_world = [&replaying](std::uint32_t workers, std::uint64_t seed) { return std::make_unique<Sockets>(workers, seed, replaying); };
    // Not at once: the first is to be on its way.
    options.interrupted = [&replaying, &asked, round] { return replaying && ++asked > 200 * round; };
    const TestSummary summary = run(kSame, "modes: [sim, real]\n");
    EXPECT_TRUE(replaying);
    EXPECT_TRUE(summary.interrupted) << out.str() << err.str();
    EXPECT_EQ(summary.passed + summary.failed, 0U) << "a case that was given up proves nothing\n" << out.str();
  }
  overwrites = false;
}


TEST_F(Replays, TheSameGatewayAnswersTheSame) {
  record({exchange(0, "/a?b=1", R"({"n":1})"), exchange(1, "/a?b=1", R"({"n":2})"), exchange(2, "/b", "text")});
  EXPECT_EQ(run(kSame + "        totals: { compared: 3, different: 0 }\n").passed, 1U) << out.str() << err.str();
  says("3 exchanges compared, 0 different");
  // At the recorded instants: the last begins after two seconds, and its upstream takes 3 ms.
  EXPECT_EQ(run(kSame + "      - check: [ { calls: orders, value: 3 } ]\n").passed, 1U) << out.str();
}

// In two pieces, as if the upstream had paused between them, or in one.
RecordedBody gzipped(const std::string& first, const std::string& rest, coding::Behind between) {
  const auto encoder = coding::make_encoder(coding::Coding::Gzip, 6);
  std::string out;
  for (auto [in, behind] : {std::pair{std::string_view(first), between}, std::pair{std::string_view(rest), coding::Behind::End}})
    for (bool more = true; more;) {
      char room[512];
      const coding::Moved moved = encoder->move(in, behind, room);
      in.remove_prefix(moved.taken);
      out.append(room, moved.made);
      more = moved.more;
    }
  return body_from(out);
}

TEST_F(Replays, ACompressedAnswerIsTheSameWhereverItWasCut) {
  RecordedExchange e = exchange(0, "/a", "");
  for (RecordedAnswer* answer : {&e.answer, &e.attempts[0].answer}) answer->headers.emplace_back("Content-Encoding", "gzip");
  e.answer.body = gzipped(R"({"n":1,)", R"("m":2})", coding::Behind::Wait);
  e.attempts[0].answer.body = gzipped(R"({"n":1,)", R"("m":2})", coding::Behind::More);
  ASSERT_NE(e.answer.body.size, e.attempts[0].answer.body.size);
  record({e});
  EXPECT_EQ(run(kSame + "        totals: { compared: 1, different: 0 }\n").passed, 1U) << out.str() << err.str();
  // As older recordings have it.
  RecordedExchange opaque = e;
  opaque.answer.body.octets = nullptr;
  opaque.answer.body.left_out = "opaque";
  record({opaque});
  EXPECT_EQ(run(kSame).passed, 1U) << out.str() << err.str();
  e.attempts[0].answer.body = gzipped(R"({"n":1,)", R"("m":3})", coding::Behind::More);
  record({e});
  EXPECT_EQ(run(kSame).failed, 1U);
  says("      $.m\n        - 2\n        + 3\n");
}

TEST_F(Replays, WhatDiffersIsToldWithItsDifferencesAndTheTrace) {
  RecordedExchange changed = exchange(0, "/a", R"({"n":1,"at":5})");
  changed.answer.body = body_from(R"({"n":2,"at":6})");
  RecordedExchange refused = exchange(1, "/key/1", "{}");
  record({changed, refused});
  EXPECT_EQ(run("      - replay: { from: a.gtl, upstreams: recorded }\n        compare: { with: recorded, headers: { ignore: [ X-Request-Id ] }, json: { ignore: [ $.at ] } }\n        totals: { different: 0 }\n").failed, 1U);
  says("different: got 2\n  2 of 2 exchanges differ, in 2 ways\n");
  says("      $.n\n        - 2\n        + 1\n");
  says("status 200 → 401\n");
  says("trace  route key  GET /key/1  401  ended by api-key (missing-key)");
  EXPECT_EQ(out.str().find("$.at"), std::string::npos);
}

TEST_F(Replays, TokensAreMintedAgainAndAreAsOldAsTheyWere) {
  const auto part = [](const std::string& json) { return base64url_encode(json); };
  const auto token = [&part](int exp) { return part(R"({"alg":"RS256","kid":"theirs"})") + "." + part(R"({"iss":"https://idp.test","sub":"a","aud":"shop","exp":)" + std::to_string(exp) + "}") + ".<redacted:0123456789ab>"; };
  RecordedExchange good = exchange(0, "/token/1", "{}", {{"Authorization", "Bearer " + token(1'767'225'700)}}), expired = exchange(200, "/token/2", "{}", {{"Authorization", "Bearer " + token(1'767'225'700)}});
  record({good, expired});
  const std::string replay = "      - replay: { from: a.gtl, upstreams: recorded, remint: main, pace: PACE }\n        compare: { with: recorded, headers: { ignore: [ X-Request-Id ] } }\n        totals: { different: 1 }\n";
  for (const std::string pace : {"recorded", "fast", "10x"}) {
    std::string steps = replay;
    EXPECT_EQ(run(steps.replace(steps.find("PACE"), 4, pace)).passed, 1U) << pace << out.str() << err.str();
  }
  EXPECT_EQ(run("      - replay: { from: a.gtl, upstreams: recorded, remint: main, only: { path: /none } }\n        compare: { with: recorded }\n").invalid, true);
  record({exchange(0, "/a", "{}")});
  EXPECT_EQ(run("      - replay: { from: a.gtl, upstreams: recorded, remint: main }\n        compare: { with: recorded, headers: { ignore: [ X-Request-Id ] } }\n").failed, 1U);
  says("no request has a token that could be minted again");
}

TEST_F(Replays, SecretsComeFromTheScenarioAndNeverGetIntoItsReport) {
  RecordedExchange e = exchange(0, "/key/1", "{}", {{"X-Api-Key", "<redacted:0123456789ab>"}});
  e.answer.body = body_from(R"({"other":1})");
  e.attempts[0].answer.body = body_from(R"({"token":"the-key-of-mobile"})");
  record({e});
  const auto replay = [](const std::string& secrets) { return "      - replay: { from: a.gtl, upstreams: recorded, secrets: { " + secrets + " } }\n        compare: { with: recorded, headers: { ignore: [ X-Request-Id ] } }\n        totals: { different: 0 }\n"; };
  EXPECT_EQ(run(replay("0123456789ab: the-key-of-mobile")).failed, 1U);
  says("$.token\n        - (absent)\n        + \"<redacted>\"");
  EXPECT_EQ(out.str().find("the-key-of-mobile"), std::string::npos) << out.str();
  EXPECT_EQ(run(replay("0123456789ab: the-key-of-mobile, ba9876543210: x")).failed, 1U + 0U);
  says("no request has the mark <redacted:ba9876543210>");
}

TEST_F(Replays, BackendCallsThatWereNotRecordedFail) {
  RecordedExchange asked = exchange(0, "/a", "{}");
  asked.attempts[0].request.target = "/other";
  record({asked, exchange(1, "/b", "{}"), exchange(2, "/b", "{}")});
  EXPECT_EQ(run(kSame + "        totals: { different: 1 }\n").failed, 1U);
  says("nothing recorded of `orders` answers GET /a");
  says("path: got /a");
  RecordedExchange cached = exchange(2, "/b", "{}");
  cached.attempts.clear();
  record({exchange(1, "/b", "{}"), cached});
  EXPECT_EQ(run(kSame + "        totals: { different: 1 }\n").failed, 1U);
  says("GET /b to `orders`: the one recorded answer is given: it is called again");
}

TEST_F(Replays, AnUpstreamThatBrokeThenBreaksAgain) {
  RecordedExchange e = exchange(0, "/a", R"({"n":1})");
  RecordedAttempt broken = e.attempts[0];
  broken.answer = {};
  broken.reason = "upstream-closed";
  e.attempts.insert(e.attempts.begin(), broken);
  record({e});
  EXPECT_EQ(run(kSame + "        totals: { different: 0 }\n").passed, 1U) << out.str();
}

TEST_F(Replays, AnotherConfigurationIsHeldAgainstThisOne) {
  record({exchange(0, "/limited", "{}"), exchange(1, "/limited", "{}"), exchange(2, "/limited", "{}")});
  std::string other = kGateway;
  other.replace(other.find("2/h"), 3, "3/h");
  write("other.yaml", other);
  const std::string replay = "      - replay: { from: a.gtl, upstreams: recorded }\n        compare: { with: { gateway: GATEWAY } }\n        totals: { compared: 3, different: 0 }\n";
  std::string same = replay;
  EXPECT_EQ(run(same.replace(same.find("GATEWAY"), 7, "gateway.yaml")).passed, 1U) << out.str();
  std::string steps = replay;
  EXPECT_EQ(run(steps.replace(steps.find("GATEWAY"), 7, "other.yaml")).failed, 1U);
  says("status 200 → 429");
}

TEST_F(Replays, NoiseIsLearntFromMoreRuns) {
  record({exchange(0, "/a", "{}")});
  const std::string replay = "      - replay: { from: a.gtl, upstreams: recorded }\n        compare: { with: recordedLEARN }\n        totals: { different: DIFFERENT }\n";
  for (const bool learn : {true, false}) {
    std::string steps = replay;
    steps.replace(steps.find("LEARN"), 5, learn ? ", learn_noise: 1" : "").replace(steps.find("DIFFERENT"), 9, learn ? "0" : "1");
    EXPECT_EQ(run(steps).passed, 1U) << out.str();  // X-Request-Id
    if (learn) says("noise learnt: header X-Request-Id");
  }
}

TEST_F(Replays, NothingPassesThatHasComparedNothing) {
  RecordedExchange unanswered = exchange(0, "/a", "{}"), upload = exchange(1, "/b", "{}");
  unanswered.answer = {};
  upload.request.body.size = 9;
  upload.request.body.left_out = "too-large";
  record({unanswered, upload});
  EXPECT_EQ(run("      - replay: { from: a.gtl, upstreams: recorded, only: { path: /b } }\n        compare: { with: recorded }\n").failed, 1U);
  says("1 can't be replayed, such as GET /b");
  EXPECT_EQ(run("      - replay: { from: a.gtl, upstreams: recorded, left_out: skip }\n        compare: { with: recorded }\n").failed, 1U);
  says("nothing was compared");
  record({exchange(0, "/a", "{}")});
  EXPECT_EQ(run("      - replay: { from: a.gtl, upstreams: recorded }\n        compare: { with: recorded, headers: { ignore: [ X-Request-Id, X-None ] } }\n").failed, 1U);
  says("this mask hides nothing: no answer has header X-None");
  EXPECT_TRUE(run("      - replay: { from: a.gtl, upstreams: recorded }\n").invalid);  // the case could not fail
}

TEST_F(Replays, WhatHasNoRecordedAnswerIsToldAndFailsUnlessItIsLeftOut) {
  RecordedExchange unanswered = exchange(1, "/a?api_key=planted-key", "{}");
  unanswered.answer = {};
  record({exchange(0, "/a", "{}"), unanswered});
  EXPECT_EQ(run(kSame).failed, 1U) << out.str();
  says("1 not compared, as the recording has no answer to it: GET /a?api_key=%3Credacted%3E");
  EXPECT_EQ(out.str().find("planted-key"), std::string::npos) << out.str();
  std::string skip = kSame;
  EXPECT_EQ(run(skip.replace(skip.find(" }"), 2, ", left_out: skip }")).passed, 1U) << out.str();
  says("1 not compared");
  says("1 exchange compared, 0 different");
}

// As HAR files and logs have them, and recordings that were made with --keep-secrets.
TEST_F(Replays, SecretsOfAFileThatHasThemAreEqualIfTheyAreAndNeverShown) {
  record({exchange(0, "/a?api_key=planted-key", R"({"token":"planted-token"})")});
  EXPECT_EQ(run(kSame).passed, 1U) << out.str() << err.str();
  RecordedExchange other = exchange(0, "/a?api_key=planted-key", R"({"token":"planted-token","n":1})");
  other.answer.body = body_from(R"({"token":"planted-token","n":2})");
  record({other});
  EXPECT_EQ(run(kSame).failed, 1U);
  says("GET /a?api_key=%3Credacted%3E");
  EXPECT_EQ(out.str().find("planted"), std::string::npos) << out.str();
}

TEST_F(Replays, WhatNoStubAnswersIsToldWithoutItsSecrets) {
  RecordedExchange asked = exchange(0, "/a?api_key=planted-key", "{}");
  asked.attempts[0].request.target = "/a?api_key=other";
  record({asked});
  EXPECT_EQ(run(kSame + "        totals: { different: 1 }\n").failed, 1U);
  says("query: got api_key=");
  EXPECT_EQ(out.str().find("planted"), std::string::npos) << out.str();

  RecordedExchange posted = exchange(0, "/a", "{}", {{"X-Api-Key", "planted-header"}, {"Content-Type", "application/json"}});
  posted.request.method = "POST";
  posted.request.body = body_from(R"({"password":"planted \"body\"","id":7})");
  posted.request.headers.emplace_back("Content-Length", std::to_string(posted.request.body.size));
  record({posted});
  for (const char* when : {"json: { $.password: right }", "headers: { X-Api-Key: right }"}) {
    EXPECT_EQ(run("      - replay: { from: a.gtl, upstreams: mocks }\n        compare: { with: recorded }\n        totals: { different: 1 }\n",
                  std::string("mocks: { orders: [ { when: { request: POST /a, ") + when + " }, reply: { body: ok } } ] }\n").failed, 1U) << err.str();
    says("no stub of `orders` answers POST /a");
    says("<redacted>");
    EXPECT_EQ(out.str().find("planted"), std::string::npos) << out.str();
  }
}

TEST_F(Replays, WhereOnlyFreshHeadersDifferTheFlagsThatIgnoreThemAreNamed) {
  record({exchange(0, "/a", "{}")});
  EXPECT_EQ(command({}).failed, 1U);
  says("--ignore-header X-Request-Id");
}

TEST_F(Replays, TheCommandIsAScenarioThatRuns) {
  record({exchange(0, "/a?x=$(vars.none)", "{}")});
  ReplayOptions replay;
  replay.ignore_headers = {"X-Request-Id"};
  replay.path = "^/a$";
  EXPECT_EQ(command(replay).passed, 1U) << out.str() << err.str();
  says("1 exchange compared, 0 different");
  replay.ignore_headers.clear();
  replay.rerun = "gatelab replay again";
  EXPECT_EQ(command(replay).failed, 1U);
  says("rerun: gatelab replay again --seed 1");
}

TEST_F(Replays, AFailureIsShrunkToTheExchangesThatItNeeds) {
  std::vector<RecordedExchange> all;
  for (int i = 0; i < 30; ++i) all.push_back(exchange(i, i % 8 == 3 ? "/limited" : "/a" + std::to_string(i), "{}"));
  record(all);
  ReplayOptions replay;
  replay.ignore_headers = {"X-Request-Id"};
  replay.shrink = true;
  EXPECT_EQ(command(replay).failed, 1U);
  says("          only: { exchanges: [ \"e3\", \"e11\", \"e19\" ] }\n");
  EXPECT_NE(err.str().find("enough for `status 200 → 429`: 3 of 30 exchanges"), std::string::npos) << err.str();
  const std::string ready = out.str();
  write("ready.yaml", ready);
  options.paths = {path("ready.yaml")};
  io::Simulation sim{io::SimOptions{}};
  EXPECT_EQ(run_tests(options, sim.environment().files, out, err).failed, 1U) << err.str();
  says("status 200 → 429");
}

TEST(Shrink, FindsAllThatIsNeededAndNothingElse) {
  const std::vector<std::vector<std::size_t>> needs{{0}, {99}, {3, 4}, {0, 99}, {7, 31, 64}, {1, 2, 3, 5, 8, 13, 21, 34}};
  for (const std::vector<std::size_t>& need : needs) {
    const auto fails = [&need](const std::vector<std::size_t>& list) { return std::includes(list.begin(), list.end(), need.begin(), need.end()); };
    EXPECT_EQ(smallest_failing(100, {}, fails), need);
    EXPECT_EQ(smallest_failing(100, {need.back()}, fails), need);
  }
  EXPECT_EQ(smallest_failing(8, {}, [](const auto& list) { return list.size() >= 8; }, 1000).size(), 8U);
  EXPECT_EQ(smallest_failing(1000, {}, [](const auto&) { return true; }, 3).size() < 1000U, true);
}

}  // namespace
}  // namespace gatelab::harness
