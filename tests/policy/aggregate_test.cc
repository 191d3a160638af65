// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "policy/stepped.h"

namespace gatelab::test {
namespace {

// Answers an aggregate's calls by their names, one after the other, and says in which order they were begun.
class Gathered {
 public:
  explicit Gathered(const std::string& parts, const std::string& more = "") : policy("[ { aggregate: { parts: { " + parts + " }" + more + " } } ]") { EXPECT_EQ(policy.errors, ""); }

  struct Reply {
    std::uint16_t status = 200;
    std::string body;
    std::string failure;
  };
  policy::Step run(const std::map<std::string, Reply>& replies, const std::string& head = get("/a")) {
    policy::Step step = policy.step(head);
    EXPECT_EQ(step.verdict, policy::Verdict::Need);
    policy::CallGroup& group = *std::get<policy::Calls>(*step.effect).group;
    std::vector<const policy::Call*> open;
    begin(group.after(nullptr), open);
    while (!open.empty() && !group.is_over()) {
      const policy::Call* call = open.front();
      open.erase(open.begin());
      const auto reply = replies.find(std::string(call->name));
      if (reply == replies.end()) continue;  // it never ends
      call->answer->status = reply->second.status;
      call->answer->failure = policy.arena->copy(reply->second.failure);
      call->answer->body = policy.arena->copy(reply->second.body);
      begin(group.after(call), open);
    }
    policy.input->effect_done = true;
    return policy.go_on(policy.list[0]->step(*policy.input));
  }
  const std::string& order() const { return order_; }
  std::map<std::string, std::string> targets;
  Stepped policy;

 private:
  void begin(const policy::Call* first, std::vector<const policy::Call*>& open) {
    std::vector<const policy::Call*> begun;
    for (const policy::Call* call = first; call != nullptr; call = call->next) begun.insert(begun.begin(), call);
    for (const policy::Call* call : begun) {
      order_.append(order_.empty() ? "" : " ").append(call->name);
      targets[std::string(call->name)] = std::string(call->path) + (call->query.empty() ? "" : "?" + std::string(call->query));
      open.push_back(call);
    }
  }
  std::string order_;
};

TEST(Aggregate, AsksForAllAtOnceAndForWhatNeedsAValueBehindIt) {
  Gathered parts("c: { upstream: u, path: '/c/${part.b/x/0}' }, a: { upstream: u, path: /a }, b: { upstream: u, path: '/b?of=${part.a/n}' }");
  const policy::Step step = parts.run({{"a", {200, R"({"n":"x/y&z"})", ""}}, {"b", {200, R"({"x":[1e400,2]})", ""}}, {"c", {200, "true", ""}}});
  EXPECT_EQ(parts.order(), "a b c");
  EXPECT_EQ(parts.targets["b"], "/b?of=x%2Fy%26z");
  EXPECT_EQ(parts.targets["c"], "/c/1e400");
  ASSERT_NE(step.answer, nullptr);
  EXPECT_EQ(step.answer->body, R"({"c":true,"a":{"n":"x/y&z"},"b":{"x":[1e400,2]}})");
  parts.policy.end();
}

TEST(Aggregate, WhatBecomesOfAPartThatFailed) {
  struct Case {
    const char* part;
    Gathered::Reply reply;
    int status;
    const char* reason;
    const char* body;
  };
  const Case cases[] = {
      {"", {200, "1", ""}, 200, "aggregated", R"({"a":{"x":1},"b":1})"},
      {"", {204, "", ""}, 200, "aggregated", R"({"a":{"x":1},"b":null})"},
      {"", {500, "1", ""}, 502, "part-failed", ""},
      {"", {0, "", "connect-failure"}, 502, "part-failed", ""},
      {"", {0, "", "response-timeout"}, 504, "part-timeout", ""},
      {"", {200, "{", ""}, 502, "part-failed", ""},
      {", status: [ 200, 500 ]", {500, "1", ""}, 200, "aggregated", R"({"a":{"x":1},"b":1})"},
      {", on_failure: omit", {500, "1", ""}, 200, "aggregated-in-part", R"({"a":{"x":1}})"},
      {", on_failure: omit", {200, "[1,]", ""}, 200, "aggregated-in-part", R"({"a":{"x":1}})"},
      {", on_failure: 'null'", {500, "1", ""}, 200, "aggregated-in-part", R"({"a":{"x":1},"b":null})"},
      {", default: { y: 2 }", {0, "", "total-timeout"}, 200, "aggregated-in-part", R"({"a":{"x":1},"b":{"y":2}})"},
      {", pick: /z", {200, R"({"z":3})", ""}, 200, "aggregated", R"({"a":{"x":1},"b":3})"},
      {", pick: /z, on_failure: omit", {200, "{}", ""}, 200, "aggregated-in-part", R"({"a":{"x":1}})"},
      {", at: /a/b", {200, "1", ""}, 200, "aggregated", R"({"a":{"x":1,"b":1}})"},
      {", at: /a/x/b, on_failure: omit", {200, "1", ""}, 200, "aggregated-in-part", R"({"a":{"x":1}})"},
      {", at: ''", {200, R"({"q":4})", ""}, 200, "aggregated", R"({"q":4,"a":{"x":1}})"},
      {", at: '', on_failure: omit", {200, "[]", ""}, 200, "aggregated-in-part", R"({"a":{"x":1}})"},
  };
  for (const Case& c : cases) {
    Gathered parts("a: { upstream: u, path: /a }, b: { upstream: u, path: /b" + std::string(c.part) + " }");
    const policy::Step step = parts.run({{"a", {200, R"({"x":1})", ""}}, {"b", c.reply}});
    EXPECT_EQ(step.reason, c.reason) << c.part;
    ASSERT_NE(step.answer, nullptr);
    EXPECT_EQ(step.answer->status, c.status) << c.part;
    EXPECT_EQ(step.answer->body, c.body) << c.part;
    EXPECT_EQ(parts.policy.answer_field(step, "Cache-Control"), std::string_view(c.reason) == "aggregated-in-part" ? "no-store" : "") << c.part;
    parts.policy.end();
  }
}

TEST(Aggregate, WhoNeverAnsweredHadNoTimeLeft) {
  Gathered parts("a: { upstream: u, path: /a }, b: { upstream: u, path: /b, on_failure: omit }, c: { upstream: u, path: '/c/${part.b/x}', on_failure: omit }", ", errors: /errors");
  const policy::Step step = parts.run({{"a", {200, "1", ""}}});
  EXPECT_EQ(step.answer->body, R"({"a":1,"errors":{"b":{"reason":"total-timeout"},"c":{"reason":"total-timeout"}}})");
  parts.policy.end();
}

TEST(Aggregate, TheFirstWithoutWhichThereIsNoAnswerEndsIt) {
  Gathered parts("a: { upstream: u, path: /a }, b: { upstream: u, path: '/b/${part.a/x}' }");
  const policy::Step step = parts.run({{"a", {200, "{}", ""}}});
  EXPECT_EQ(parts.order(), "a");
  EXPECT_EQ(step.reason, "part-failed");
  parts.policy.end();
}

TEST(Aggregate, LargeAnswersAreMergedOffTheLoop) {
  Gathered parts("a: { upstream: u, path: /a }, b: { upstream: u, path: /b, on_failure: omit }", ", errors: /errors");
  const policy::Step step = parts.run({{"a", {200, "\"" + std::string(100'000, 'x') + "\"", ""}}, {"b", {0, "", "connect-failure"}}});
  ASSERT_NE(step.answer, nullptr);
  EXPECT_EQ(step.answer->body.size(), 100'000U + 2 + 6 + std::string(R"(,"errors":{"b":{"reason":"connect-failure"}})").size());
  parts.policy.end();
}

TEST(Aggregate, ManyMembersBesideManyMembersCostNoMoreThanTheirNumber) {
  std::string a = "{", b = "{";
  for (int i = 0; i < 50'000; ++i) {
    a.append(i == 0 ? "" : ",").append("\"a").append(std::to_string(i)).append("\":0");
    b.append(i == 0 ? "" : ",").append("\"b").append(std::to_string(i)).append("\":0");
  }
  Gathered parts("a: { upstream: u, path: /a, at: '' }, b: { upstream: u, path: /b, at: '' }");
  const policy::Step step = parts.run({{"a", {200, a + "}", ""}}, {"b", {200, b + "}", ""}}});
  EXPECT_EQ(step.answer->body.size(), a.size() + b.size() + 1);
  parts.policy.end();
}

}  // namespace
}  // namespace gatelab::test
