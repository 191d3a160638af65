// SPDX-License-Identifier: Apache-2.0
// Scenario files: every error by golden file, and what good files become. To write the golden files again after a change of
// wording: test_harness --gtest_filter=ScenarioErrors* --write-golden, and read the difference.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "harness/scenario/client.h"
#include "harness/scenario/file.h"
#include "harness/scenario/gateway_file.h"
#include "harness/scenario/load_data.h"
#include "harness/scenario/recordings.h"
#include "io/disk.h"

namespace gatelab::harness {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool writes_golden() {
  const auto arguments = testing::internal::GetArgvs();
  return std::find(arguments.begin(), arguments.end(), "--write-golden") != arguments.end();
}

const std::string* no_variable(void*, std::string_view) { return nullptr; }

std::unique_ptr<File> parse(const std::string& name, std::string text, diag::Sink& sink, config::EnvSource env = {&no_variable, nullptr}) {
  auto source = std::make_shared<diag::SourceFile>();
  source->name = name;
  source->text = std::move(text);
  config::ParseOptions options;
  options.substitute_env = false;
  auto tree = config::parse(source, options, sink);
  return tree ? parse_file(name, source, std::move(tree), env, sink) : nullptr;
}

std::unique_ptr<File> parse_good(std::string text) {
  diag::Sink sink;
  auto file = parse("good.yaml", std::move(text), sink);
  EXPECT_TRUE(file) << diag::render_all(sink, diag::Colour::Off);
  return file;
}

// Gateways of the fixtures stand in a directory beside them.
class FixtureFiles final : public io::Files {
 public:
  Result<std::string> read(const std::string& path) const override {
    auto text = disk_.read(GATELAB_SOURCE_DIR "/fixtures/scenario-errors/" + path);
    return text ? std::move(text) : gatelab::fail("not-found", path + ": No such file or directory");
  }
  Status write(const std::string&, std::string_view) override { return gatelab::fail("denied", "a fixture is not written"); }
  Status append(const std::string&, std::string_view) override { return gatelab::fail("denied", "a fixture is not written"); }

 private:
  io::DiskFiles disk_;
};

TEST(ScenarioErrors, AreSaidAsTheGoldenFilesSay) {
  std::set<fs::path> cases;
  for (const auto& entry : fs::directory_iterator(GATELAB_SOURCE_DIR "/fixtures/scenario-errors"))
    if (entry.path().extension() == ".yaml") cases.insert(entry.path());
  ASSERT_GE(cases.size(), 15U);
  for (const fs::path& path : cases) {
    diag::Sink sink;
    const FixtureFiles files;
    const auto file = parse(path.filename().string(), read(path), sink);
    if (file) Recordings(files).load(*file, sink);
    if (file) GatewayCheck({&no_variable, nullptr}, files).check(*file, sink);
    if (file) check_loads(*file, files, sink);
    EXPECT_TRUE(sink.has_errors()) << path << " was taken";
    fs::path expected = path;
    expected.replace_extension(".expected");
    if (writes_golden()) std::ofstream(expected, std::ios::binary) << diag::render_all(sink, diag::Colour::Off);
    EXPECT_EQ(diag::render_all(sink, diag::Colour::Off), read(expected)) << path;
  }
}

// A word in an error that no fixture shows is a word that nobody has looked at.
TEST(ScenarioErrors, EveryIdHasAGoldenFile) {
  std::string golden, sources;
  for (const auto& entry : fs::directory_iterator(GATELAB_SOURCE_DIR "/fixtures/scenario-errors")) golden += entry.path().extension() == ".expected" ? read(entry.path()) : "";
  for (const char* room : {"scenario", "mock", "match"})
    for (const auto& entry : fs::directory_iterator(std::string(GATELAB_SOURCE_DIR "/engine/harness/") + room)) sources += read(entry.path());
  std::size_t ids = 0;
  for (const std::string call : {"sink.error(\"", ".id = \""}) {
    for (std::size_t at = sources.find(call); at != std::string::npos; at = sources.find(call, at + 1)) {
      const std::size_t begin = at + call.size();
      const std::string id = sources.substr(begin, sources.find('"', begin) - begin);
      EXPECT_NE(golden.find("error[" + id + "]"), std::string::npos) << id << " is in no golden file";
      ++ids;
    }
  }
  EXPECT_GT(ids, 20U);
}

TEST(ScenarioFile, RowsOfEachBecomeCasesOfTheirOwn) {
  const auto file = parse_good(R"YAML(
gatelab: 1
gateway: g.yaml
cases:
  - name: $(row.path) is $(row.status)
    each:
      - { path: /a, status: 200 }
      - { path: /b, status: 404 }
    steps:
      - { send: GET $(row.path), expect: { status: $(row.status) } }
)YAML");
  ASSERT_EQ(file->cases.size(), 2U);
  EXPECT_EQ(file->cases[0].name, "/a is 200");
  EXPECT_EQ(file->cases[1].name, "/b is 404");
  EXPECT_EQ(file->cases[1].row, 2);
  EXPECT_EQ(file->cases[1].steps[0].send.target, "/b");
  EXPECT_FALSE(file->cases[1].steps[0].expect->status->match(nlohmann::json(404)));
  EXPECT_TRUE(file->cases[1].steps[0].expect->status->match(nlohmann::json("404")));  // the type stays
}

TEST(ScenarioFile, ACasesWorldIsLaidOverTheFilesDeeplyButListsAreReplaced) {
  const auto file = parse_good(R"YAML(
gatelab: 1
gateway: g.yaml
seed: 3
clock: { start: "2026-01-01T00:00:00Z" }
credentials: { gold: { api_key: a } }
mocks: { orders: [ { when: GET /a, reply: {} }, { when: GET /b, reply: {} } ] }
tags: [ all ]
cases:
  - { name: plain, steps: [ { send: GET /a, as: gold, expect: { status: 200 } } ] }
  - name: its own
    gateway: h.yaml
    seed: 4
    tags: [ own ]
    credentials: { free: { api_key: { value: b, query: key } } }
    mocks: { orders: [ { when: GET /c, reply: {} } ], items: [ { when: GET /d, reply: {} } ] }
    steps: [ { send: GET /a, as: free, expect: { status: 200 } } ]
)YAML");
  const World &a = file->cases[0].world, &b = file->cases[1].world;
  EXPECT_EQ(a.gateway, "g.yaml");
  EXPECT_EQ(b.gateway, "h.yaml");
  EXPECT_EQ(a.seed, 3U);
  EXPECT_EQ(b.seed, 4U);
  EXPECT_EQ(b.start, a.start);
  EXPECT_EQ(a.mocks.at("orders").size(), 2U);
  EXPECT_EQ(b.mocks.at("orders").size(), 1U);
  EXPECT_EQ(b.mocks.size(), 2U);
  EXPECT_EQ(b.credentials.size(), 2U);
  EXPECT_EQ(b.credentials.at("free").where, Credential::Where::Query);
  EXPECT_EQ(file->cases[1].tags, (std::vector<std::string>{"all", "own"}));
}

std::string sent(const std::string& step, const Credential* credential = nullptr) {
  const auto file = parse_good("gatelab: 1\ngateway: g.yaml\ncases:\n  - name: a\n    steps:\n      - " + step + "\n");
  return file ? octets_of(file->cases[0].steps[0].send, credential, {}) : "";
}

TEST(ScenarioSend, BecomesTheseOctets) {
  EXPECT_EQ(sent("{ send: GET /a, headers: { Host: h }, expect: { status: 200 } }"), "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(sent("{ send: GET /a, headers: { Host: h }, query: { q: \"x y&z\", n: 1 }, expect: { status: 200 } }"), "GET /a?q=x%20y%26z&n=1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(sent("{ send: \"GET /a?b=c\", headers: { Host: h }, query: { q: 1 }, via: { http: 1.0 }, expect: { status: 200 } }"), "GET /a?b=c&q=1 HTTP/1.0\r\nHost: h\r\n\r\n");
  EXPECT_EQ(sent("{ send: { method: QUERY, path: /a, headers: [ [Host, h], [X, 1], [X, 2] ] }, expect: { status: 200 } }"), "QUERY /a HTTP/1.1\r\nHost: h\r\nX: 1\r\nX: 2\r\n\r\n");
  EXPECT_EQ(sent("{ send: POST /a, headers: { Host: h, X: [1, 2] }, body: hello, expect: { status: 200 } }"), "POST /a HTTP/1.1\r\nHost: h\r\nX: 1\r\nX: 2\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(sent("{ send: POST /a, headers: { Host: h }, json: { a: [1, true, null, 1.50] }, expect: { status: 200 } }"),
            "POST /a HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n{\"a\":[1,true,null,1.50]}");
  EXPECT_EQ(sent("{ send: PUT /a, headers: { Host: h }, body: { size: 4B }, expect: { status: 200 } }"), "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nxxxx");
  EXPECT_EQ(sent("{ send: { raw: \"GET  / HTTP/9\\r\\n\\r\\n\" }, expect: { status: 400 } }"), "GET  / HTTP/9\r\n\r\n");
}

TEST(ScenarioSend, ACredentialGoesWhereItSays) {
  Credential c;
  c.name = "k";
  c.key = Secret("v");
  const std::string step = "{ send: GET /a, headers: { Host: h }, expect: { status: 200 } }";
  EXPECT_EQ(sent(step, &c), "GET /a HTTP/1.1\r\nHost: h\r\nk: v\r\n\r\n");
  c.where = Credential::Where::Query;
  EXPECT_EQ(sent(step, &c), "GET /a?k=v HTTP/1.1\r\nHost: h\r\n\r\n");
  c.where = Credential::Where::Cookie;
  EXPECT_EQ(sent(step, &c), "GET /a HTTP/1.1\r\nHost: h\r\nCookie: k=v\r\n\r\n");
}

const std::string* one_variable(void* context, std::string_view name) { return name == "WHO" ? static_cast<const std::string*>(context) : nullptr; }

TEST(ScenarioValues, StandForWhatTheyNameAndKeepTheirType) {
  std::string who = "alice";
  diag::Sink sink;
  const auto file = parse("v.yaml", R"YAML(
gatelab: 1
gateway: g.yaml
vars: { id: 7, deep: { list: [1, 2] }, who: $(env.WHO) }
cases:
  - name: of $(vars.who)
    vars: { more: x }
    steps:
      - send: POST /$(vars.id)/$(vars.more)/$(env.NOBODY:none)
        json: { id: $(vars.id), all: $(vars.deep), text: "no $(vars.id)", literal: "$$(vars.id)", later: $(saved.x) }
        expect: { status: 200 }
)YAML", sink, {&one_variable, &who});
  ASSERT_TRUE(file) << diag::render_all(sink, diag::Colour::Off);
  EXPECT_EQ(file->cases[0].name, "of alice");
  const Step& step = file->cases[0].steps[0];
  EXPECT_EQ(step.send.target, "/7/x/none");
  EXPECT_EQ(step.send.body, R"JSON({"id":7,"all":{"list":[1,2]},"text":"no 7","literal":"$(vars.id)","later":"$(saved.x)"})JSON");
  EXPECT_TRUE(step.late);
}

}  // namespace
}  // namespace gatelab::harness
