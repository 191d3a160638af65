// SPDX-License-Identifier: Apache-2.0
// What is sent: secrets of the environment stay there, and what could not be sent is no agreement.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "harness/diff/diff.h"
#include "io/disk.h"

namespace gatelab::harness::diff {
namespace {

constexpr const char* kBase = R"yaml(gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:8080 } ]
consumers:
  - { name: mobile, keys: [ { value: $(env.MOBILE_KEY) }, { value: "$(env.SPARE_KEY:none)" } ] }
  - { name: partner, keys: [ { value: key-of-partner } ] }
upstreams: { orders: { url: http://127.0.0.1:9001 } }
routes:
  - name: orders
    match: { path: /orders/* }
    policies:
      - api-key: { query: key }
      - headers: { request: { set: { X-Upstream-Auth: "Basic $(env.UPSTREAM_AUTH)" } } }
      - rate-limit: { rate: 3/m, key: consumer }
    upstream: orders
  - { name: open, match: { path: /open }, policies: [ { api-key: {} } ], upstream: orders }
)yaml";

const std::map<std::string, std::string, std::less<>>& environment() {
  static const std::map<std::string, std::string, std::less<>> all{{"MOBILE_KEY", "sEcReT-of-mobile"}, {"SPARE_KEY", "sEcReT-to-spare"}, {"UPSTREAM_AUTH", "c0VjUmVULXVw"}, {"OTHER_AUTH", "b3RoZXItc0VjUmVU"},
                                                                           {"UPSTREAM_HOST", "secret-host.internal"}, {"QUERY_TOKEN", "sEcReT/of a+query"}, {"PIN", "739"}, {"BOT_TOKEN", "4711:sEcReT"}, {"SAID", "sEcReT \"said\""}, {"MOVED", "sEcReT-place"}};
  return all;
}
const std::string* variable(void*, std::string_view name) {
  const auto known = environment().find(name);
  return known == environment().end() ? nullptr : &known->second;
}

struct Sent {
  std::optional<Report> report;
  std::string problem, text, json;
};

Sent sent(const std::string& a, const std::string& b, const std::string& scenario = "", const std::string& traffic = "") {
  const io::DiskFiles files;
  Options options;
  options.explore = 100'000;
  options.combine = false;
  options.files = &files;
  options.env = {&variable, nullptr};
  options.jobs = 2;
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / (std::string("gatelab-sent-") + info->name() + ".yaml");
  if (!scenario.empty()) {
    std::ofstream(file) << scenario;
    options.scenarios = {file.string()};
  }
  if (!traffic.empty()) options.traffic = std::make_shared<diag::SourceFile>(diag::SourceFile{"calls.txt", traffic});
  diag::Sink of_a, of_b, of_requests;
  Sent out;
  const auto source = [](const char* name, const std::string& text) { return std::make_shared<diag::SourceFile>(diag::SourceFile{name, text}); };
  out.report = run(source("a.yaml", a), source("b.yaml", b), options, of_a, of_b, of_requests, out.problem);
  std::filesystem::remove(file);
  for (const diag::Sink* sink : {&of_a, &of_b, &of_requests}) EXPECT_FALSE(sink->has_errors()) << diag::render_all(*sink, diag::Colour::Off);
  if (!out.report) return out;
  out.text = as_text(*out.report, "a.yaml", "b.yaml", diag::Colour::Off);
  out.json = as_json(*out.report, "a.yaml", "b.yaml");
  return out;
}

std::string changed(std::string text, std::string_view from, std::string_view to) {
  EXPECT_NE(text.find(from), std::string::npos) << from;
  return text.replace(text.find(from), from.size(), to);
}

void expect_no_secret(const Sent& all) {
  for (const auto& [name, value] : environment())
    for (const std::string* out : {&all.text, &all.json}) EXPECT_TRUE(value.size() < 4 || out->find(value) == std::string::npos) << name << " is in\n" << out->substr(0, 4000);
  // Part of most, however they are encoded.
  for (const std::string* out : {&all.text, &all.json}) EXPECT_EQ(out->find("sEcReT"), std::string::npos) << out->substr(0, 4000);
}

TEST(DiffSends, NoKeyOfTheEnvironmentIsPrinted) {
  Sent all = sent(kBase, changed(kBase, "3/m", "4/m"));
  ASSERT_TRUE(all.report) << all.problem;
  ASSERT_GT(all.report->different, 0U);
  expect_no_secret(all);
  EXPECT_NE(all.text.find("key=$(env.MOBILE_KEY)"), std::string::npos) << all.text.substr(0, 4000);
  EXPECT_NE(all.text.find("key='\"${MOBILE_KEY}\"\n"), std::string::npos) << all.text.substr(0, 4000);
  all = sent(kBase, changed(kBase, "{ path: /open }", "{ path: /open, methods: [ GET ] }"));
  ASSERT_TRUE(all.report) << all.problem;
  ASSERT_GT(all.report->different, 0U);
  expect_no_secret(all);
  EXPECT_EQ(sent(kBase, kBase).report->different, 0U);
}

TEST(DiffSends, NoHeaderOfTheEnvironmentIsPrinted) {
  const Sent all = sent(kBase, changed(kBase, "UPSTREAM_AUTH", "OTHER_AUTH"));
  ASSERT_TRUE(all.report) << all.problem;
  ASSERT_GT(all.report->different, 0U);
  expect_no_secret(all);
  EXPECT_NE(all.text.find("$(env.OTHER_AUTH)"), std::string::npos) << all.text.substr(0, 4000);
}

TEST(DiffSends, KeysInTrafficAndScenariosAreTheSameKeysStill) {
  const std::string other = changed(kBase, "3/m", "1/m");
  Sent all = sent(kBase, other, "", "curl 'http://127.0.0.1:8080/orders/1?key=sEcReT-of-mobile'\ncurl 'http://127.0.0.1:8080/orders/1?key=sEcReT-of-mobile'\n");
  ASSERT_TRUE(all.report) << all.problem;
  EXPECT_EQ(all.report->different, 2U) << all.text;  // the first by its RateLimit fields
  EXPECT_NE(all.text.find("completed → rate-limited"), std::string::npos) << all.text;
  expect_no_secret(all);
  all = sent(kBase, other, "gatelab: 1\nname: t\ngateway: a.yaml\ncredentials: { mobile: { api_key: { value: $(env.MOBILE_KEY), query: key } } }\ncases:\n  - name: c\n    steps:\n      - { send: GET /orders/1, as: mobile, repeat: 2, expect: { status: 200 } }\n");
  ASSERT_TRUE(all.report) << all.problem;
  EXPECT_NE(all.text.find("completed → rate-limited"), std::string::npos) << all.text;
  expect_no_secret(all);
}

// Policies, an upstream and an issuer, each with a value of its own.
constexpr const char* kEverywhere = R"yaml(gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:8080 } ]
upstreams:
  orders: { url: "http://$(env.UPSTREAM_HOST):9001" }
routes:
  - name: orders
    match: { path: /orders/* }
    policies:
      - query: { set: { token: $(env.QUERY_TOKEN), pin: "$(env.PIN)" } }
      - rate-limit: { rate: 3/m, key: constant }
    upstream: orders
  - { name: bot, match: { path: /bot }, policies: [ { path: { to: "/bot$(env.BOT_TOKEN)/x" } }, { rate-limit: { rate: 3/m, key: constant } } ], upstream: orders }
  - { name: said, match: { path: /said }, policies: [ { rate-limit: { rate: 3/m, key: constant } }, { respond: { status: 200, text: "$(env.SAID) is said" } } ] }
  - { name: moved, match: { path: /moved }, policies: [ { rate-limit: { rate: 3/m, key: constant } }, { redirect: { to: "https://new.example/$(env.MOVED)", status: 302 } } ] }
)yaml";

TEST(DiffSends, NoValueOfTheEnvironmentIsPrintedWhereverItStands) {
  std::string other = kEverywhere;
  for (std::size_t at = other.find("3/m"); at != std::string::npos; at = other.find("3/m", at)) other.replace(at, 3, "4/m");
  const Sent all = sent(kEverywhere, other);
  ASSERT_TRUE(all.report) << all.problem;
  ASSERT_GT(all.report->groups.size(), 3U);
  expect_no_secret(all);
  EXPECT_NE(all.json.find("/bot$(env.BOT_TOKEN)/x"), std::string::npos) << all.json.substr(0, 4000);
  EXPECT_NE(all.json.find("token=$(env.QUERY_TOKEN)"), std::string::npos) << all.json.substr(0, 4000);
  EXPECT_NE(all.json.find("pin=$(env.PIN)"), std::string::npos) << all.json.substr(0, 4000);
}

// Each stays one of its own; a scenario has only to name the variable.
TEST(DiffSends, KeysThatShareAVariableAreStillTwoKeys) {
  const std::string base = changed(kBase, "{ value: $(env.MOBILE_KEY) }, { value: \"$(env.SPARE_KEY:none)\" }", "{ value: \"$(env.MOBILE_KEY) one\" }");
  const std::string two = changed(base, "key-of-partner", "\"$(env.MOBILE_KEY) two\"");
  const std::string scenario = "gatelab: 1\nname: t\ngateway: a.yaml\ncredentials: { mobile: { api_key: { value: $(env.MOBILE_KEY) two, header: X-Api-Key } } }\ncases:\n  - name: c\n    steps:\n      - { send: GET /open, as: mobile, expect: { status: 200 } }\n";
  const Sent all = sent(two, changed(two, "name: partner", "name: other"), scenario);
  ASSERT_TRUE(all.report) << all.problem;
  EXPECT_EQ(all.report->different, 1U) << all.text;
  EXPECT_NE(all.text.find("partner → other"), std::string::npos) << all.text;
  EXPECT_NE(all.text.find("\"$(env.MOBILE_KEY) two\""), std::string::npos) << all.text;
  expect_no_secret(all);
}

TEST(DiffSends, NothingOfTheTrafficIsASubstitution) {
  const Sent all = sent(kBase, changed(kBase, "key-of-partner", "another"), "", "curl http://127.0.0.1:8080/open -H 'X-Api-Key: key-of-partner' -H 'X: $(env.A}\"; touch /tmp/p; echo \"${B)' -H 'Y: $(env.OTHER_AUTH) $(env.A:`id`)' --data-raw '@/etc/hosts'\n");
  ASSERT_TRUE(all.report) << all.problem;
  ASSERT_EQ(all.report->different, 1U);
  EXPECT_NE(all.text.find("-H 'X: $(env.A}\"; touch /tmp/p; echo \"${B)' -H 'Y: $(env.OTHER_AUTH) $(env.A:`id`)'"), std::string::npos) << all.text;
  EXPECT_NE(all.text.find("[X, \"$$(env.A}\\\"; touch /tmp/p; echo \\\"${B)\"], [Y, \"$$(env.OTHER_AUTH) $$(env.A:`id`)\"]"), std::string::npos) << all.text;
  EXPECT_EQ(all.text.find("--data-binary"), std::string::npos) << all.text;
}

// What others have copied has its secrets in plain sight, in no variable.
TEST(DiffSends, SecretsOfTrafficAreSentAndNotPrinted) {
  const Sent all = sent(kBase, changed(kBase, "key-of-partner", "another"), "", "curl 'http://127.0.0.1:8080/open?api_key=planted-query&page=3' -H 'X-Api-Key: key-of-partner' -H 'Authorization: Bearer planted-bearer' --json '{\"password\":\"planted-body\",\"id\":7}'\n");
  ASSERT_TRUE(all.report) << all.problem;
  ASSERT_EQ(all.report->different, 1U) << "the key is sent: " << all.text;
  for (const std::string* out : {&all.text, &all.json})
    for (const char* secret : {"planted", "key-of-partner"}) EXPECT_EQ(out->find(secret), std::string::npos) << *out;
  EXPECT_NE(all.text.find("Authorization: Bearer <redacted>"), std::string::npos) << all.text;
  EXPECT_NE(all.text.find("page=3"), std::string::npos) << all.text;
  EXPECT_NE(all.text.find("secrets of the traffic were sent"), std::string::npos) << all.text;
}

TEST(DiffSends, ItFailsWhenNothingCouldBeSent) {
  const Sent all = sent(kBase, kBase, "gatelab: 1\nname: t\ngateway: a.yaml\ncases:\n  - name: c\n    steps:\n      - { send: GET /open, via: { listener: nowhere }, repeat: 3, expect: { status: 200 } }\n");
  EXPECT_FALSE(all.report);
  EXPECT_EQ(all.problem, "nothing was compared, as no request was sent (3 requests could not be sent: there is no listener `nowhere`)");
}

TEST(DiffSends, ItSaysHowManyCouldNotBeSent) {
  const Sent all = sent(kBase, kBase, "gatelab: 1\nname: t\ngateway: a.yaml\ncases:\n  - name: c\n    steps:\n      - { send: GET /open, via: { listener: nowhere }, repeat: 3, expect: { status: 200 } }\n      - { send: GET /open }\n");
  ASSERT_TRUE(all.report) << all.problem;
  EXPECT_EQ(all.report->requests, 1U);
  EXPECT_NE(all.text.find("note  3 requests could not be sent: there is no listener `nowhere`"), std::string::npos) << all.text;
}

// One side alone is a difference.
TEST(DiffSends, AListenerThatOneSideLacksIsADifference) {
  const Sent all = sent(changed(kBase, "listeners: [", "listeners: [ { name: more, address: 127.0.0.1:8081 },"), kBase, "gatelab: 1\nname: t\ngateway: a.yaml\ncases:\n  - name: c\n    steps:\n      - { send: GET /open, via: { listener: more }, expect: { status: 200 } }\n");
  ASSERT_TRUE(all.report) << all.problem;
  EXPECT_EQ(all.report->different, 1U);
}

}  // namespace
}  // namespace gatelab::harness::diff
