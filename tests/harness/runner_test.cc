// SPDX-License-Identifier: Apache-2.0
// Whole runs of scenario files: nothing passes that could not have failed, and what fails says why.
#include "harness/runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>

#include "io/real.h"
#include "io/sim.h"

namespace gatelab::harness {
namespace {

constexpr const char* kGateway = R"(gatelab: 1
listeners: [ { name: main, address: 127.0.0.1:8080 } ]
consumers: [ { name: mobile, keys: [ { value: test-key } ] } ]
upstreams:
  orders: { url: http://127.0.0.1:9001 }
  items: { url: http://127.0.0.1:9002 }
routes:
  - { name: orders, match: { path: /orders/* }, upstream: orders }
  - { name: items, match: { path: /items/* }, upstream: items }
  - { name: keyed, match: { path: /keyed }, policies: [ { api-key: { header: X-Api-Key } } ], upstream: orders }
  - { name: hello, match: { path: /hello }, policies: [ { respond: { status: 200, text: hello } } ] }
)";

// A directory of its own for each test, with a gateway.yaml.
class Runs : public testing::Test {
 protected:
  Runs() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::path(testing::TempDir()) / (std::string("gatelab-runs-") + info->name());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    write("gateway.yaml", kGateway);
  }
  ~Runs() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& name, const std::string& text) { std::ofstream(directory_ / name, std::ios::binary) << text; }
  // Runs `text` as the only scenario; "name: …" and the gateway are given.
  TestSummary run(const std::string& text) {
    write("case.yaml", "gatelab: 1\nname: test\ngateway: gateway.yaml\n" + text);
    return run_files({(directory_ / "case.yaml").string()});
  }
  TestSummary run_files(std::vector<std::string> paths) {
    options.paths = std::move(paths);
    io::Simulation sim{io::SimOptions{}};
    out.str("");
    err.str("");
    summary = run_tests(options, sim.environment().files, out, err);
    for (const auto& [kind, to] : options.reports) if (const auto text = sim.environment().files.read(to)) written[kind] = *text;
    json = sim.environment().files.read("report.json") ? *sim.environment().files.read("report.json") : "";
    return summary;
  }
  std::string path(const std::string& name = "") const { return (directory_ / name).string(); }

  TestOptions options;
  TestSummary summary;
  std::ostringstream out, err;
  std::string json;
  std::map<std::string, std::string> written;  // reports by kind

 private:
  std::filesystem::path directory_;
};

struct Vacuous {
  const char* name;
  const char* yaml;
  bool invalid;      // refused before anything runs
  const char* says;  // in what is printed
};

// A world of sockets that waits by asking again and again, and notes when it waits for a step.
class Sockets final : public RealDriver {
 public:
  Sockets(std::uint32_t workers, std::uint64_t seed, std::atomic<bool>& stepping) : world_({workers + 1, seed}), environment_(world_.environment()), stepping_(stepping) {
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
    constexpr int kEnough = 2'000'000;  // of asking: nobody waits so long for what comes
    stepping_ = stepping_ || budget == std::chrono::minutes(10);
    for (int asked = 0; asked < kEnough; ++asked, std::this_thread::yield())
      if (done()) return true;
    return false;
  }

 private:
  io::RealWorld world_;
  io::Environment environment_;
  io::Loop* outside_;
  std::atomic<bool>& stepping_;
};

constexpr Vacuous kVacuous[] = {
    {"a case without an expectation", "cases:\n  - name: a\n    steps: [ { send: GET /hello } ]\n", true, "no-expectation"},
    {"a case without steps", "cases:\n  - name: a\n    steps: []\n", true, "steps"},
    {"a file without cases", "cases: []\n", true, "cases"},
    {"an expectation of nothing", "cases:\n  - name: a\n    steps: [ { send: GET /hello, expect: {} } ]\n", true, "expect"},
    {"rows without a row", "cases:\n  - name: a\n    each: []\n    steps: [ { send: GET /hello, expect: { status: 200 } } ]\n", true, "each"},
    {"a stub that nobody used", "mocks:\n  orders: [ { when: GET /orders/1, reply: {} }, { when: GET /orders/2, reply: {} } ]\ncases:\n  - name: a\n    steps: [ { send: GET /orders/1, expect: { status: 200 } } ]\n",
     false, "no case has used this stub"},
    {"a credential that nobody used", "credentials: { mobile: { api_key: test-key } }\ncases:\n  - name: a\n    steps: [ { send: GET /hello, expect: { status: 200 } } ]\n", false,
     "no case has used the credential `mobile`"},
    {"a mock of no upstream", "mocks:\n  nobody: [ { when: GET /, reply: {} } ]\ncases:\n  - name: a\n    steps: [ { send: GET /hello, expect: { status: 200 } } ]\n", true, "the gateway has no upstream `nobody`"},
    {"a gateway that is not there", "cases:\n  - name: a\n    gateway: missing.yaml\n    steps: [ { send: GET /hello, expect: { status: 200 } } ]\n", true, "missing.yaml: No such file"},
    {"calls of no upstream", "cases:\n  - name: a\n    steps: [ { send: GET /hello, expect: { status: 200 } }, { check: [ { calls: nobody, value: 0 } ] } ]\n", true, "the gateway has no upstream `nobody`"},
    {"each line of an access log without one", "cases:\n  - name: a\n    steps: [ { check: [ { log: lines, value: { each: { contains: hello } } } ] } ]\n", false, "log: got []"},
    {"not each line of an access log without one", "cases:\n  - name: a\n    steps: [ { check: [ { log: lines, value: { not: { each: { not: { contains: hello } } } } } ] } ]\n", false, "log: got []"},
    {"served_by of no upstream", "cases:\n  - name: a\n    steps: [ { send: GET /hello, repeat: 2, totals: { served_by: { nobody: 0 } } } ]\n", true, "the gateway has no upstream or target `nobody`"},
    {"a call that no stub answers", "mocks:\n  orders: [ { when: GET /orders/1, reply: {} } ]\ncases:\n  - name: a\n    steps:\n      - { send: GET /orders/1, expect: { status: 200 } }\n      - { send: GET /orders/2, expect: { status: { ge: 200 } } }\n",
     false, "no stub of `orders` answers GET /orders/2"},
    {"an upstream without a mock", "cases:\n  - name: a\n    steps: [ { send: GET /items/1, expect: { status: 502 } } ]\n", false, "the request went to an upstream that has no mock"},
    {"a fault that no request meets", "mocks:\n  orders: [ { when: GET /orders/1, reply: {} } ]\ncases:\n  - name: a\n    steps:\n      - fault: { upstream: orders, kind: hang, when: GET /order/1 }\n      - { send: GET /orders/1, expect: { status: 200 } }\n",
     false, "no request has met this fault: its `when` is GET /order/1"},
    {"a fault of no target", "mocks:\n  orders: [ { when: GET /orders/1, reply: {} } ]\ncases:\n  - name: a\n    steps:\n      - fault: { target: orders/primary, kind: refuse }\n      - { send: GET /orders/1, expect: { status: 502 } }\n", true,
     "the gateway has no upstream or target `orders/primary`"},
    {"a state that no stub leads to", "mocks:\n  orders: [ { when: GET /orders/1, state: { is: paid }, reply: {} } ]\ncases:\n  - name: a\n    steps: [ { send: GET /orders/1, expect: { status: 200 } } ]\n", true, "no stub leads to the state `paid`"},
    {"a stub that has answered enough", "mocks:\n  orders: [ { when: GET /orders/1, times: 1, reply: {} } ]\ncases:\n  - name: a\n    steps: [ { send: GET /orders/1, repeat: 2, expect: { status: { ge: 200 } } } ]\n", false, "it has answered 1 request, and does no more"},
    {"an unknown credential", "cases:\n  - name: a\n    steps: [ { send: GET /hello, as: nobody, expect: { status: 200 } } ]\n", true, "nobody"},
};

TEST_F(Runs, NothingPassesVacuously) {
  for (const Vacuous& c : kVacuous) {
    run(c.yaml);
    EXPECT_EQ(summary.invalid, c.invalid) << c.name << "\n" << out.str() << err.str();
    EXPECT_TRUE(summary.invalid || summary.failed > 0) << c.name << " passed\n" << out.str();
    EXPECT_NE((out.str() + err.str()).find(c.says), std::string::npos) << c.name << "\n" << out.str() << err.str();
  }
}

TEST_F(Runs, ZeroSelectedCasesAreNoSuccess) {
  const char* hello = "cases:\n  - name: a\n    steps: [ { send: GET /hello, expect: { status: 200 } } ]\n";
  run(hello);
  EXPECT_EQ(summary.passed, 1U) << out.str() << err.str();
  options.filter = "nothing like it";
  run(hello);
  EXPECT_EQ(summary.cases, 0U);
  EXPECT_NE(err.str().find("no case was selected"), std::string::npos);
  options.filter = {};
  options.tags = {"slow"};
  run(hello);
  EXPECT_EQ(summary.cases, 0U);
  options.tags = {};
  options.real = true;
  run(hello);
  EXPECT_EQ(summary.cases, 0U);
  EXPECT_NE(err.str().find("modes"), std::string::npos);
  options.real = false;
  std::filesystem::create_directories(path("empty"));
  run_files({path("empty")});
  EXPECT_EQ(summary.cases, 0U);
  EXPECT_NE(err.str().find("no scenario was found"), std::string::npos);
  run_files({path("not-there")});
  EXPECT_NE(summary.environment_error, "");
}

// On sockets a step may wait for long; whoever interrupts the run does not.
TEST_F(Runs, AnInterruptEndsAStepThatWaitsOnSockets) {
  std::atomic<bool> stepping{false};
  options.real = true;
  options.real_world = [&stepping](std::uint32_t workers, std::uint64_t seed) { return std::make_unique<Sockets>(workers, seed, stepping); };
  options.interrupted = [&stepping] { return stepping.load(); };
  run("modes: [sim, real]\nmocks:\n  orders: [ { when: GET /orders/1, reply: { chunks: [ a ], open: true } } ]\n"
      "cases:\n  - name: a\n    steps: [ { send: GET /orders/1, expect: { status: 200 } } ]\n");
  EXPECT_TRUE(stepping);
  EXPECT_TRUE(summary.interrupted) << out.str() << err.str();
  EXPECT_EQ(summary.cases, 0U) << "a case that was given up proves nothing\n" << out.str();
}

TEST_F(Runs, ARequestThatIsGivenUpSaysWhatElseToWrite) {
  run("mocks:\n  orders: [ { when: GET /orders/1, reply: { events: [ a ], open: true } } ]\n"
      "cases:\n  - name: a\n    steps: [ { send: GET /orders/1, expect: { status: 200 } } ]\n");
  EXPECT_EQ(summary.failed, 1U);
  for (const char* words : {"the request ended with: timeout", "given up after 10m", "stream: name"}) EXPECT_NE(out.str().find(words), std::string::npos) << out.str();
}

TEST_F(Runs, ANearMissNamesTheStubThatCameNearestAndWhatItLacked) {
  run("mocks:\n  orders:\n    - { when: { request: POST /orders/1, json: { $.sku: A1 } }, reply: { status: 201 } }\n    - { when: { request: GET /orders/1, headers: { X-Beta: '1' } }, reply: {} }\n"
      "    - { when: GET /orders/9, reply: {} }\n"
      "cases:\n  - name: a\n    steps: [ { send: GET /orders/1, headers: { X-Beta: '2' }, expect: { status: 200 } } ]\n");
  EXPECT_EQ(summary.failed, 1U);
  const std::string text = out.str();
  EXPECT_NE(text.find("X-Beta"), std::string::npos) << text;
  EXPECT_NE(text.find("case.yaml:7, but header X-Beta: got 2"), std::string::npos) << text;
  // And a table of all, nearest first.
  std::size_t at = text.find("  stubs  GET /orders/1 ");
  ASSERT_NE(at, std::string::npos) << text;
  for (const char* row : {"GET /orders/1 ", "POST /orders/1 ", "GET /orders/9 "}) {
    const std::size_t found = text.find(row, at);
    ASSERT_NE(found, std::string::npos) << row << text;
    at = found;
  }
}

TEST_F(Runs, AFailurePointsAtTheExpectationAndTellsHowToRunItAgain) {
  options.seed = 7;
  run("cases:\n  - name: hello says hello\n    steps:\n      - send: GET /hello\n        expect:\n          status: 401\n");
  EXPECT_EQ(summary.failed, 1U);
  const std::string text = out.str();
  for (const char* part : {"FAIL ", "case.yaml:", "hello says hello", "seed 7", "rerun: gatelab test", "--seed 7", "9 │", "status: 401", "^^^ got 200", "route hello"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST_F(Runs, AReportOverWhatIsReadIsRefusedBeforeAnythingRuns) {
  options.same_file = [](const std::string& a, const std::string& b) { return b.ends_with(a); };
  for (const char* over : {"case.yaml", "gateway.yaml"}) {
    options.reports = {{"junit", over}};
    run("cases:\n  - name: hello\n    steps: [ { send: GET /hello, expect: { status: 200 } } ]\n");
    EXPECT_NE(summary.misuse.find(std::string("--report junit=") + over + " would be written over"), std::string::npos) << summary.misuse;
    EXPECT_EQ(summary.cases, 0U);
  }
  // What a search of the directory has only looked into is somebody's too.
  write("other.yaml", kGateway);
  options.reports = {{"junit", "other.yaml"}};
  run_files({path()});
  EXPECT_NE(summary.misuse.find("other.yaml would be written over"), std::string::npos) << summary.misuse;
}

TEST_F(Runs, AReportOnStdoutStandsAloneThere) {
  options.reports = {{"json", "-"}};
  run("cases:\n  - name: hello\n    steps: [ { send: GET /hello, expect: { status: 500 } } ]\n");
  EXPECT_EQ(summary.failed, 1U);
  EXPECT_TRUE(nlohmann::json::parse(out.str(), nullptr, false).is_object()) << out.str();
}

TEST_F(Runs, EveryCaseHasAFreshEngineAndResultsComeInFileOrder) {
  write("gateway.yaml", std::string(kGateway) + "  - { name: limited, match: { path: /limited }, policies: [ { rate-limit: { rate: 1/m, key: ip } }, { respond: { status: 200, text: x } } ] }\n");
  std::string cases = "cases:\n";
  for (int i = 0; i < 40; ++i) cases += "  - name: case " + std::to_string(i) + "\n    steps: [ { send: GET /limited, expect: { status: 200 } }, { send: GET /limited, expect: { status: 429 } } ]\n";
  options.jobs = 4;
  options.verbose = true;
  run(cases);
  EXPECT_EQ(summary.passed, 40U) << out.str();
  std::size_t at = 0;
  for (int i = 0; i < 40; ++i) {
    const std::size_t found = out.str().find("case " + std::to_string(i) + "\n", at);
    ASSERT_NE(found, std::string::npos) << i;
    at = found;
  }
}

// The promise of docs/time.md: the same build and seed give the same octets, whatever runs beside.
TEST_F(Runs, AHundredRunsWithOneSeedWriteTheSameReport) {
  // A policy that read a clock would have to be in the way of a request to be found out.
  write("gateway.yaml", std::string(kGateway) +
                            "  - name: limited\n    match: { path: /limited }\n    policies:\n      - { id: by-ip, rate-limit: { rate: 2/m, key: ip, algorithm: gcra } }\n"
                            "      - api-key: { header: X-Api-Key }\n      - { id: by-key, rate-limit: { rate: 5/h, key: consumer, algorithm: sliding-window } }\n"
                            "      - headers: { response: { add: { X-A: b } } }\n    upstream: orders\n"
                            "  - { name: moved, match: { path: /moved }, policies: [ { redirect: { to: /hello } } ] }\n");
  const std::string cases =
      "mocks:\n  orders: [ { when: POST /orders/1, reply: { echo: true, delay: 30ms } }, { when: GET /limited, reply: { json: {} } } ]\n"
      "cases:\n"
      "  - name: many at once\n    steps:\n      - { send: POST /orders/1, body: hello, repeat: { count: 20, concurrency: 5 }, expect: { status: 200, latency: 30ms } }\n"
      "  - name: own answers\n    steps: [ { send: GET /hello, expect: { status: 200 } }, { advance: 1h }, { send: GET /hello, expect: { status: 200, ended: { by: respond } } } ]\n"
      "  - name: limits, redirects and time\n    steps:\n      - { send: GET /limited, headers: { X-Api-Key: test-key }, repeat: 3 }\n      - { advance: 40s }\n"
      "      - { send: GET /limited, headers: { X-Api-Key: test-key }, expect: { status: 200 } }\n      - { send: GET /moved, expect: { status: 308 } }\n"
      "  - name: one that fails\n    steps: [ { send: GET /hello, expect: { status: 201 } } ]\n";
  options.seed = 7;
  options.reports = {{"json", "report.json"}};
  run(cases);
  EXPECT_EQ(summary.passed, 3U) << out.str();
  const std::string first = json;
  EXPECT_NE(first.find("\"trace"), std::string::npos) << "a report without a trace would not show a difference\n" << first;
  for (int i = 1; i < 100; ++i) {
    options.jobs = 1 + static_cast<std::uint32_t>(i % 4);
    run(cases);
    ASSERT_EQ(json, first) << "run " << i;
  }
  options.seed = 8;
  run(cases);
  EXPECT_NE(json, first) << "and another seed is another run";
}

TEST_F(Runs, AWrongFileIsRefusedWithItsPlaceAndNothingRuns) {
  write("good.yaml", "gatelab: 1\nname: good\ngateway: gateway.yaml\ncases:\n  - name: a\n    steps: [ { send: GET /hello, expect: { status: 200 } } ]\n");
  write("wrong.yaml", "gatelab: 1\nname: wrong\ngateway: gateway.yaml\ncases:\n  - name: a\n    stesp: []\n    steps: [ { sned: GET /hello, expect: { status: 200 } } ]\n");
  run_files({path()});
  EXPECT_TRUE(summary.invalid);
  EXPECT_EQ(summary.cases, 0U);
  EXPECT_NE(err.str().find("wrong.yaml:6:5"), std::string::npos) << err.str();
  EXPECT_NE(err.str().find("did you mean `steps`?"), std::string::npos) << err.str();
  EXPECT_NE(err.str().find("wrong.yaml:7"), std::string::npos) << "all errors at once\n" << err.str();
}

TEST_F(Runs, AMisspeltFileInADirectoryIsNotPassedOver) {
  write("good.yaml", "gatelab: 1\nname: good\ngateway: gateway.yaml\ncases:\n  - { name: one, steps: [ { send: GET /hello, expect: { status: 200 } } ] }\n");
  write("typo.yaml", "gatelab: 1\nname: typo\ngateway: gateway.yaml\ncasses:\n  - { name: two, steps: [ { send: GET /hello, expect: { status: 500 } } ] }\n");
  run_files({path()});
  EXPECT_TRUE(summary.invalid);
  EXPECT_EQ(summary.cases, 0U);
  EXPECT_NE(err.str().find("did you mean `cases`?"), std::string::npos) << err.str();
}

std::string many_cases(int count, int failing = -1) {
  std::string out = "cases:\n";
  for (int i = 0; i < count; ++i) out += "  - name: case " + std::to_string(i) + ".\n    steps: [ { send: GET /hello, expect: { status: " + (failing >= 0 && (i == failing || i == failing + 3) ? "201" : "200") + " } } ]\n";
  return out;
}

TEST_F(Runs, EveryCaseIsInExactlyOneShardWhateverStandsBesideIt) {
  std::map<int, std::uint32_t> shard;
  options.verbose = true;
  options.shards = 3;
  for (options.shard = 1; options.shard <= 3; ++options.shard) {
    run(many_cases(30));
    EXPECT_GT(summary.passed, 0U);
    for (int i = 0; i < 30; ++i)
      if (out.str().find("case " + std::to_string(i) + ".") != std::string::npos) { EXPECT_TRUE(shard.emplace(i, options.shard).second) << "case " << i << " ran twice"; }
  }
  EXPECT_EQ(shard.size(), 30U);
  for (options.shard = 1; options.shard <= 3; ++options.shard) {
    run(many_cases(20));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(out.str().find("case " + std::to_string(i) + ".") != std::string::npos, shard[i] == options.shard) << "case " << i << " moved when others went";
  }
}

TEST_F(Runs, AShardWithoutCasesIsNoFailureAndSaysSo) {
  options.shards = 100;
  std::size_t empty = 0, passed = 0;
  for (options.shard = 1; options.shard <= 100; ++options.shard) {
    run(many_cases(1));
    passed += summary.passed;
    empty += summary.empty_shard ? 1 : 0;
    if (summary.empty_shard) { EXPECT_NE(err.str().find("/100 has none of the cases"), std::string::npos) << err.str(); }
  }
  EXPECT_EQ(passed, 1U);
  EXPECT_EQ(empty, 99U);
}

TEST_F(Runs, AShardWithAPartOfAFileCallsNothingUnused) {
  std::string cases = "mocks: { orders: [ { when: GET /orders/1, reply: {} } ] }\n" + many_cases(30);
  cases += "  - { name: the one, steps: [ { send: GET /orders/1, expect: { status: 200 } } ] }\n";
  options.shards = 2;
  for (options.shard = 1; options.shard <= 2; ++options.shard) {
    run(cases);
    EXPECT_EQ(summary.failed, 0U) << out.str();
  }
}

TEST_F(Runs, FailFastEndsAtTheFirstFailureOfTheFileHoweverManyRunAtATime) {
  options.fail_fast = true;
  options.verbose = true;
  options.reports = {{"json", "report.json"}};
  for (const std::uint32_t jobs : {1U, 4U, 16U}) {
    options.jobs = jobs;
    run(many_cases(40, 5));
    EXPECT_EQ(summary.passed, 5U);
    EXPECT_EQ(summary.failed, 1U) << "the case that fails behind it may have run, and is not told";
    EXPECT_NE(out.str().find("34 cases left out behind the first failure"), std::string::npos) << out.str();
    EXPECT_NE(json.find("\"left_out\": 34"), std::string::npos) << json;
    EXPECT_FALSE(summary.interrupted);
  }
}

TEST_F(Runs, TheSlowestCasesAreListed) {
  options.slowest = 2;
  std::atomic<int> asked{0};
  options.elapsed = [&asked] { return std::chrono::milliseconds(asked++ * asked); };  // each case takes longer than the one before
  run(many_cases(4));
  const std::size_t at = out.str().find("slowest:\n");
  ASSERT_NE(at, std::string::npos) << out.str();
  const std::string list = out.str().substr(at);
  EXPECT_LT(list.find("case 3."), list.find("case 2.")) << list;
  EXPECT_EQ(list.find("case 1."), std::string::npos) << list;
}

TEST_F(Runs, TheProgressIsDrawnForATerminalAndErased) {
  run(many_cases(3));
  EXPECT_EQ(err.str(), "");
  options.progress = true;
  run(many_cases(3));
  EXPECT_NE(err.str().find("\r\x1b[K2 of 3"), std::string::npos);
  EXPECT_TRUE(err.str().ends_with("\r\x1b[K")) << "nothing of it stays";
}

// What a configuration or an upstream says ends up in reports: it must not become markup, commands or terminal codes there.
TEST_F(Runs, NothingThatAnyoneSaysIsMarkupInAReport) {
  for (const char* kind : {"html", "junit", "tap", "github"}) options.reports.emplace_back(kind, std::string("report.") + kind);
  run("mocks: { orders: [ { when: GET /orders/1, reply: { body: \"<script>alert(1)</script>\\n::error::x\\x07\\x1b[31m]]>\" } } ] }\n"
      "cases:\n  - name: \"<b> & 'quotes' # \\\"and\\\" %0A\"\n    steps: [ { send: GET /orders/1, expect: { body: nothing of it } } ]\n");
  ASSERT_EQ(summary.failed, 1U) << err.str();
  for (const char* kind : {"html", "junit", "tap", "github"}) {
    const std::string text = written[kind];
    EXPECT_NE(text.find("rerun"), std::string::npos) << kind << "\n" << text;
    EXPECT_NE(text.find("alert(1)"), std::string::npos) << kind << " does not say what came\n" << text;
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << kind;
    EXPECT_EQ(text.find("\n::error::x"), std::string::npos) << kind;
  }
  for (const char* kind : {"html", "junit"}) {
    const std::string text = written[kind];
    for (const char* raw : {"<script", "<b>", "]]>", "& '"}) EXPECT_EQ(text.find(raw), std::string::npos) << kind << " has " << raw << "\n" << text;
  }
  EXPECT_NE(written["tap"].find("\\# "), std::string::npos) << written["tap"];
  const std::string github = written["github"];
  EXPECT_EQ(std::count(github.begin(), github.end(), '\n'), 1) << "one command is one line\n" << github;
}

TEST_F(Runs, ThePageNeedsNothingElseAndIsBounded) {
  options.reports = {{"html", "page.html"}};
  options.repeat = 6000;
  options.jobs = 2;
  run(many_cases(1));
  const std::string page = written["html"];
  for (const char* fetched : {"src=", "url(", "@import", "<link", "<script", "http://", "https://"}) EXPECT_EQ(page.find(fetched), std::string::npos) << fetched;
  EXPECT_NE(page.find("The first 5000 cases are shown"), std::string::npos);
  EXPECT_LT(page.size(), 2'000'000U);
  options.repeat = 600;
  run(many_cases(1, 0));
  EXPECT_NE(written["html"].find("and 100 more failures"), std::string::npos);
}

TEST_F(Runs, AnInterruptedRunReportsWhatItHasDone) {
  options.reports = {{"json", "report.json"}};
  int asked = 0;
  options.interrupted = [&asked] { return ++asked > 2; };
  std::string cases = "cases:\n";
  for (int i = 0; i < 5; ++i) cases += "  - name: case " + std::to_string(i) + "\n    steps: [ { send: GET /hello, expect: { status: 200 } } ]\n";
  run(cases);
  EXPECT_TRUE(summary.interrupted);
  EXPECT_EQ(summary.cases, 2U);
  EXPECT_NE(json.find("case 1"), std::string::npos);
  EXPECT_EQ(json.find("case 2"), std::string::npos);
  EXPECT_NE(json.find("the run was interrupted; cases that did not run: 3"), std::string::npos) << json;
}

// What could not be read may be what the report would be written over.
TEST_F(Runs, ARefusedRunWritesNoReportOverWhatIsNone) {
  options.reports = {{"json", path("broken.yaml")}};
  write("broken.yaml", "gatelab: [\n");
  run_files({path("broken.yaml")});
  EXPECT_TRUE(summary.invalid);
  EXPECT_EQ(written["json"], "gatelab: [\n");
  EXPECT_NE(err.str().find("is left as it is"), std::string::npos) << err.str();
}

// Who reads only the report, as CI does, must see that the run failed.
TEST_F(Runs, WhatFailsARunBesideItsCasesIsInEveryReport) {
  options.reports = {{"json", "report.json"}, {"junit", "report.xml"}, {"tap", "report.tap"}, {"html", "report.html"}, {"github", "report.txt"}};
  const char* hello = "cases:\n  - name: a\n    steps: [ { send: GET /hello, expect: { status: 200 } } ]\n";
  struct {
    std::string yaml, filter, says;
  } const ways[] = {
      {std::string("modes: [sim]\nsteps: []\n") + hello, "", "unknown key `steps`"},
      {std::string("credentials: { mobile: { api_key: test-key } }\n") + hello, "", "no case has used the credential `mobile`"},
      {hello, "nothing like it", "no case was selected"},
  };
  for (const auto& way : ways) {
    options.filter = way.filter;
    written.clear();
    run(way.yaml);
    // Quotes and accents are written in each format's way.
    const std::string says = way.says.substr(0, way.says.find('`'));
    for (const char* kind : {"json", "junit", "tap", "html", "github"}) EXPECT_NE(written[kind].find(says), std::string::npos) << kind << ": " << written[kind];
    EXPECT_NE(written["junit"].find("errors=\"1\""), std::string::npos) << written["junit"];
    EXPECT_NE(written["tap"].find("not ok 1 - "), std::string::npos) << written["tap"];
    EXPECT_NE(written["html"].find("the run failed"), std::string::npos);
    EXPECT_EQ(written["github"].rfind("::error ", 0), 0U) << written["github"];
  }
}

}  // namespace
}  // namespace gatelab::harness
