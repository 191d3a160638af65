// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/random.h"
#include "http/uri.h"
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

using Parameters = std::vector<std::pair<std::string_view, std::string_view>>;

struct Rewritten {
  const char *policy, *sent, *fields, *forwarded;  // `forwarded` empty: refused
};

// The route's template has taken `id` from the path's last segment.
std::string forwarded(Stepped& policy, const std::string& sent, const char* fields, const http::PathOptions& options = {}) {
  policy.step(get(sent, fields));
  const http::CanonicalPath canonical = http::canonical_path(policy.request->path, options, *policy.arena);
  EXPECT_EQ(canonical.rule, http::Rule::Ok) << sent;
  policy.input->path = policy.input->forwarded = canonical.path;
  policy.input->path_options = &options;
  const Parameters parameters{{"id", canonical.path.substr(canonical.path.rfind('/') + 1)}};
  policy.input->parameters = parameters;
  const policy::Step step = policy.list[0]->step(*policy.input);
  // Both end with this function.
  policy.input->path_options = nullptr;
  policy.input->parameters = {};
  if (step.verdict == policy::Verdict::Continue) return std::string(policy.input->forwarded);
  EXPECT_EQ(step.reason, "rewritten-path") << sent;
  EXPECT_EQ(step.answer->status, 400);
  EXPECT_EQ(policy.input->forwarded, canonical.path) << "what is refused is left alone";
  return "";
}

void check(std::initializer_list<Rewritten> cases, const http::PathOptions& options = {}) {
  for (const Rewritten& one : cases) {
    Stepped policy(std::string("[ { path: { ") + one.policy + " } } ]");
    ASSERT_EQ(policy.errors, "") << one.policy;
    EXPECT_EQ(forwarded(policy, one.sent, one.fields, options), one.forwarded) << one.policy << " " << one.sent << " " << one.fields;
  }
}

TEST(Path, ATemplateIsTheWholePath) {
  check({
      {"to: /v2/items", "/old/7", "", "/v2/items"},
      {"to: '/v2/${path.id}'", "/old/7", "", "/v2/7"},
      {"to: '/v2/${path.id}/x'", "/old/a%20b", "", "/v2/a%20b/x"},
      {"to: '/v2/${path.id}'", "/old/a;v=1", "", "/v2/a;v=1"},
      {"to: '/v2${request.path}'", "/old/a%20b", "", "/v2/old/a%20b"},
      {"to: '/v2${request.path}'", "/", "", "/v2/"},
      {"to: '${request.path}/x'", "/old", "", "/old/x"},
      {"to: '/${request.header.X-A:none}'", "/old/7", "", "/none"},
      {"to: '/${request.header.X-A}'", "/old/7", "X-A: a b\r\n", "/a%20b"},
      {"to: '/${request.query.q}'", "/old/7?q=%C3%A9", "", "/%C3%A9"},
      {"to: '/${client.ip}'", "/old/7", "", "/192.0.2.1"},
      {"to: '/v2/${path.id}', when: GET /other/*", "/old/7", "", "/old/7"},
  });
}

TEST(Path, ARegularExpressionReplacesTheFirstPartThatItMatches) {
  check({
      {"regex: ^/old/, replace: /new/", "/old/old/7", "", "/new/old/7"},
      {"regex: ^/old/, replace: /new/", "/older/7", "", "/older/7"},
      {R"(regex: '^/(\w+)/(\d+)$', replace: /\2/\1)", "/old/7", "", "/7/old"},
      {R"(regex: '^/(?P<what>\w+)/(?P<which>\d+)$', replace: '/\g<which>/\g<what>')", "/old/7", "", "/7/old"},
      {R"(regex: '\d+', replace: 'n\0')", "/old/7/8", "", "/old/n7/8"},
      {R"(regex: '\.json$', replace: '')", "/old/7.json", "", "/old/7"},
      {R"(regex: '^/a(/b)?', replace: '/x\1')", "/a/c", "", "/x/c"},
      {R"(regex: '^/a', replace: '/${request.header.X-T}')", "/a/c", "X-T: t\r\n", "/t/c"},
      // What is left begins with one slash.
      {"regex: ^/old, replace: ''", "/old//evil.example/x", "", "/evil.example/x"},
      {"regex: ^/old, replace: ''", "/old", "", ""},
  });
}

TEST(Path, WhatAClientSendsCanNotLeaveItsPlace) {
  check({
      {"to: '/v2/${request.query.q}/x'", "/old/7?q=..", "", ""},
      {"to: '/v2/${request.query.q}/x'", "/old/7?q=.", "", ""},
      {"to: '/v2/a${request.query.q}/x'", "/old/7?q=..", "", "/v2/a../x"},
      {"to: '/v2/${request.query.q}/x'", "/old/7?q=../../admin", "", ""},
      {"to: '/v2/${request.query.q}/x'", "/old/7?q=%2e%2e%2fadmin", "", ""},
      {"to: '/v2/${request.query.q}/x'", "/old/7?q=a%2fb", "", ""},
      {"to: '/v2/${request.query.q}/x'", "/old/7?q=a%5cb", "", ""},
      {"to: '/v2/${request.query.q}/x'", "/old/7?q=a%00b", "", ""},
      {"to: '/v2/${request.query.q}/x'", "/old/7?q=a%0d%0aHost:%20b", "", ""},
      {"to: '/v2/${request.query.q}/x'", "/old/7?q=a%3fb%23c", "", "/v2/a%3Fb%23c/x"},
      {"to: '/v2/${request.query.q}/x'", "/old/7?q=%252e%252e%252f", "", "/v2/%252e%252e%252f/x"},
      {"to: '/v2/${request.query.q}/x'", "/old/7?q=..;", "", "/v2/..%3B/x"},
      {"to: '/v2/${request.query.q}/x'", "/old/7?q=", "", ""},
      {"to: '/v2/${request.header.X-A}/x'", "/old/7", "X-A: ../admin\r\n", ""},
      {"to: '/v2/${request.header.X-A}/x'", "/old/7", "X-A: a?b#c\r\n", "/v2/a%3Fb%23c/x"},
      {"to: '/v2/${request.cookie.c}/x'", "/old/7", "Cookie: c=..\r\n", ""},
      {"to: '/v2/${claims.sub}/x'", "/old/7", "", ""},
      {R"(regex: '^/old/(.*)x(.*)$', replace: '/v2/\1\2/y')", "/old/.x.", "", ""},
      {R"(regex: '^/old(?:/([0-9]+))?/x', replace: '/v2/\1/x')", "/old/7/x", "", "/v2/7/x"},
      {R"(regex: '^/old(?:/([0-9]+))?/x', replace: '/v2/\1/x')", "/old/x", "", ""},
      {R"(regex: '^/old(?:/([0-9]+))?$', replace: '/v2/\1')", "/old", "", ""},
      {R"(regex: '^/old/(?:n([0-9]+)|t([a-z]+))', replace: '/v2/\1\2/x')", "/old/n7", "", "/v2/7/x"},
      {R"(regex: '^/old/(?:n([0-9]+)|t([a-z]+))', replace: '/v2/\1\2/x')", "/old/tab", "", "/v2/ab/x"},
      {R"(regex: 'x', replace: '')", "/old/.x./admin", "", ""},
      {R"(regex: '25', replace: '')", "/old/%252fadmin", "", ""},
  });
}

TEST(Path, ListenersThatKeepEncodedSlashesStillHideNoDots) {
  http::PathOptions options;
  options.encoded_slash = http::EncodedSlash::Keep;
  check({
      {"to: '/v2/${request.query.q}/x'", "/old/7?q=a%2fb", "", "/v2/a%2Fb/x"},
      {"to: '/v2/${path.id}/x'", "/old/a%2fb", "", "/v2/a%2Fb/x"},
      {"to: '/v2/${request.query.q}/x'", "/old/7?q=..%2fadmin", "", ""},
      {"to: '/v2/${request.query.q}/x'", "/old/7?q=a%2f..", "", ""},
  }, options);
  options.duplicate_slash = http::DuplicateSlash::Merge;
  check({{"regex: 'x', replace: ''", "/old/x/7", "", "/old/7"}}, options);
  options.duplicate_slash = http::DuplicateSlash::Reject;
  check({{"regex: 'x', replace: ''", "/old/x/7", "", ""}}, options);
}

TEST(Path, WhatIsTooLongIsRefusedAndNotCut) {
  Stepped policy("[ { path: { to: \"/${request.header.X-Long}/${request.header.X-Long}/end\" } } ]");
  ASSERT_EQ(policy.errors, "");
  EXPECT_EQ(forwarded(policy, "/a", ("X-Long: " + std::string(5'000, 'x') + "\r\n").c_str()), "");
  EXPECT_EQ(forwarded(policy, "/a", ("X-Long: " + std::string(50, 'x') + "\r\n").c_str()), "/" + std::string(50, 'x') + "/" + std::string(50, 'x') + "/end");
}

TEST(Path, SeveralFollowUponEachOther) {
  Stepped policy("[ { path: { to: '/b${request.path}' } }, { path: { regex: ^/b/a, replace: /c }, id: second } ]");
  ASSERT_EQ(policy.errors, "");
  EXPECT_EQ(forwarded(policy, "/a/x", ""), "/b/a/x");
  policy.list[1]->step(*policy.input);
  EXPECT_EQ(policy.input->forwarded, "/c/x");
}

TEST(Path, ObservedItLeavesThePathAlone) {
  Stepped policy("[ { path: { to: /b }, mode: observe } ]");
  ASSERT_EQ(policy.errors, "");
  const policy::Step step = policy.step(get("/a"));
  EXPECT_EQ(step.outcome, observe::Outcome::Observe);
  EXPECT_EQ(step.detail, "to /b");
  EXPECT_EQ(policy.input->forwarded, "");
}

// Whatever is sent, what goes on is a path that the listener would have let in as it is, in the place that was meant for it.
TEST(Path, NothingThatIsSentChangesTheShapeOfTheTarget) {
  constexpr const char* kPieces[] = {"/", "//", ".", "..", "%2e", "%2E%2e", "%2f", "%5c", ";", "%00", "%0d%0a", "api", "%61", "%252e", "%25", "%3f", "%23", "a", "api.."};
  Dice dice = Random(7).fork("paths", 1);
  std::size_t passed = 0;
  for (const http::EncodedSlash slash : {http::EncodedSlash::Reject, http::EncodedSlash::Keep}) {
    http::PathOptions options;
    options.encoded_slash = slash;
    for (const char* yaml : {"[ { path: { to: '/in/${request.query.q}/out' } } ]", "[ { path: { to: '/in/a${request.query.q}-${request.query.q}/out' } } ]"}) {
      Stepped policy(yaml);
      ASSERT_EQ(policy.errors, "");
      for (int i = 0; i < 3'000; ++i) {
        std::string q;
        for (std::uint64_t n = 1 + dice.below(6); n > 0; --n) q += kPieces[dice.below(std::size(kPieces))];
        const std::string path = forwarded(policy, "/x?q=" + q, "", options);
        if (path.empty()) continue;
        ++passed;
        Arena arena;
        const http::CanonicalPath again = http::canonical_path(path, options, arena);
        EXPECT_EQ(again.rule, http::Rule::Ok) << q;
        EXPECT_EQ(again.path, path) << q;
        EXPECT_TRUE(path.starts_with("/in/") && path.ends_with("/out")) << q << " " << path;
        EXPECT_EQ(std::count(path.begin(), path.end(), '/'), 3) << q << " " << path;
        EXPECT_EQ(path.find_first_of("?#\\ \r\n"), std::string::npos) << q << " " << path;
      }
    }
  }
  EXPECT_GT(passed, 1'000U);
}

TEST(Path, RefusesConfigurationsThatMeanNothing) {
  for (const char* yaml : {"{}", "{ to: v2 }", "{ to: '' }", "{ to: /a/../b }", "{ to: /a//b }", "{ to: '/a?b=c' }", "{ to: '/a#b' }", "{ to: '/a b' }", "{ to: '/%61' }", "{ to: '/a%2fb' }", "{ to: '/a\\b' }",
                           "{ to: '/${path}' }", "{ to: '/${path.id' }", "{ to: '${path.id}' }", "{ to: [/a] }", "{ to: /a, regex: b, replace: c }", "{ to: /a, replace: c }", "{ regex: a }", "{ replace: a }",
                           "{ regex: '(', replace: a }", "{ regex: '(?=a)', replace: a }", "{ regex: '(a)', replace: '\\2' }", "{ regex: '(a)', replace: '\\g<b>' }", "{ regex: '(a)', replace: '\\g<b' }",
                           "{ regex: '(a)', replace: '\\' }", "{ regex: a, replace: '/../' }", "{ regex: a, replace: '?b' }", "{ regex: '%25', replace: '%' }", "{ strip_prefix: /a }", "{ regex: a, replace: b, flags: i }", "/v2"})
    EXPECT_NE(Stepped("[ { path: " + std::string(yaml) + " } ]").errors, "") << yaml;
}

}  // namespace
}  // namespace gatelab::test
