// SPDX-License-Identifier: Apache-2.0
// The walk over the policies of a route: order, answers, what is undone, what is only observed.
#include "proxy/walk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "http/parser.h"

namespace gatelab::proxy {
namespace {

using policy::Phase;
using policy::Verdict;

// A policy that does what the test says and writes down that it did.
class Scripted final : public policy::Policy {
 public:
  Scripted(std::string name, Phase phase, Verdict verdict, std::vector<std::string>& log) : phase_(phase), verdict_(verdict), log_(log) {
    id = std::move(name);
    place = "gateway.yaml:1";
  }
  std::string_view kind() const noexcept override { return "scripted"; }
  Phase phase() const noexcept override { return phase_; }
  policy::Step step(policy::Input& in) const noexcept override {
    log_.push_back(id + (in.effect_done ? "+" : ""));
    ++in.scratch.a;
    policy::Step step;
    step.verdict = verdict_;
    step.reason = "because";
    if (verdict_ == Verdict::Continue) return policy::Step::go_on();
    if (verdict_ == Verdict::Need && in.scratch.a > 1) return policy::Step::go_on();
    if (verdict_ == Verdict::Need) step.effect = &effect_;
    if (verdict_ == Verdict::Abort) step.outcome = observe::Outcome::Error;
    if (verdict_ == Verdict::Respond) return policy::deny(in, observe::reason::kRateLimited);
    return step;
  }
  void on_response(policy::ResponseInput& response) const noexcept override { log_.push_back("response " + id + " " + std::to_string(response.request.scratch.a)); }
  bool has_on_response() const noexcept override { return hears_response; }
  void undo(policy::Input& in) const noexcept override { log_.push_back("undo " + id + " " + std::to_string(in.scratch.a)); }
  void on_end(policy::Input&, const observe::Record&) const noexcept override { log_.push_back("end " + id); }
  bool hears_response = true;

 private:
  Phase phase_;
  Verdict verdict_;
  std::vector<std::string>& log_;
  mutable policy::Effect effect_ = policy::Until{};
};

struct Case {
  Arena arena;
  http::RequestHead head{arena};
  policy::Scratch scratch;
  observe::Record record{arena};
  policy::Input input{head, "/", {}, "r", nullptr, {}, {}, arena, scratch, false};
  std::vector<std::string> log;
  std::vector<std::unique_ptr<Scripted>> owned;
  std::vector<const policy::Policy*> policies;
  std::optional<Walk> walk;

  Scripted& add(std::string name, Phase phase, Verdict verdict = Verdict::Continue) {
    owned.push_back(std::make_unique<Scripted>(std::move(name), phase, verdict, log));
    policies.push_back(owned.back().get());
    return *owned.back();
  }
  Walk::End run() {
    if (!walk) walk.emplace(policies, input, scratch, record);
    return walk->run();
  }
  std::string trace() const {
    std::string out;
    for (const std::string& line : log) out.append(out.empty() ? "" : ", ").append(line);
    return out;
  }
  std::string decisions() const {
    std::string out;
    for (const observe::Decision& d : record.decisions) out.append(out.empty() ? "" : ", ").append(d.id).append(" ").append(observe::name(d.outcome));
    return out;
  }
  void respond() {
    std::uint16_t status = 200;
    http::Fields fields(arena);
    http::BodyFraming body;
    policy::ResponseInput response{status, fields, false, input, body};
    walk->on_response(response);
  }
};

TEST(Walk, StepsEveryPolicyOnceInOrderAndAnswersInReverse) {
  Case c;
  c.add("a", Phase::Access);
  c.add("b", Phase::Authenticate).hears_response = false;
  c.add("c", Phase::Transform);
  EXPECT_EQ(c.run(), Walk::End::Through);
  c.respond();
  c.walk->on_end(c.record);
  EXPECT_EQ(c.trace(), "a, b, c, response c 1, response a 1, end c, end b, end a");
  EXPECT_EQ(c.decisions(), "a allow, b allow, c allow");
}

TEST(Walk, StopsAtTheFirstAnswerAndOnlyThoseThatWereSteppedHearOfIt) {
  Case c;
  c.add("a", Phase::Access);
  c.add("b", Phase::Authenticate, Verdict::Respond);
  c.add("never", Phase::Transform);
  EXPECT_EQ(c.run(), Walk::End::Answer);
  EXPECT_EQ(c.walk->stopped_by().id, "b");
  EXPECT_EQ(c.walk->reason(), "rate-limited");
  ASSERT_NE(c.walk->answer(), nullptr);
  EXPECT_EQ(c.walk->answer()->status, 429);
  c.respond();
  c.walk->on_end(c.record);
  EXPECT_EQ(c.trace(), "a, b, response b 1, response a 1, end b, end a");
  EXPECT_EQ(c.decisions(), "a allow, b deny");
}

TEST(Walk, ALimitThatRefusesGivesBackWhatEarlierLimitsCharged) {
  Case c;
  c.add("access", Phase::Access);
  c.add("one", Phase::PreLimit);
  c.add("auth", Phase::Authenticate);
  c.add("two", Phase::Limit);
  c.add("three", Phase::Limit, Verdict::Respond);
  EXPECT_EQ(c.run(), Walk::End::Answer);
  EXPECT_EQ(c.trace(), "access, one, auth, two, three, undo two 1, undo one 1");
}

TEST(Walk, WhatIsNotALimitGivesNothingBack) {
  Case c;
  c.add("one", Phase::PreLimit);
  c.add("auth", Phase::Authenticate, Verdict::Respond);
  EXPECT_EQ(c.run(), Walk::End::Answer);
  EXPECT_EQ(c.trace(), "one, auth") << "a wrong key counts";
}

TEST(Walk, ObservedDenialsAreNotedAndNotCarriedOut) {
  Case c;
  c.add("a", Phase::PreLimit, Verdict::Respond).mode = policy::Policy::Mode::Observe;
  c.add("b", Phase::Access, Verdict::Abort).mode = policy::Policy::Mode::Observe;
  c.add("c", Phase::Transform);
  EXPECT_EQ(c.run(), Walk::End::Through);
  EXPECT_EQ(c.decisions(), "a observe, b observe, c allow");
}

TEST(Walk, AnEffectIsPerformedAndItsPolicySteppedAgainWithItsOwnMemory) {
  Case c;
  c.add("a", Phase::Access);
  c.add("b", Phase::Authenticate, Verdict::Need);
  c.add("c", Phase::Transform);
  EXPECT_EQ(c.run(), Walk::End::Effect);
  ASSERT_NE(c.walk->effect(), nullptr);
  c.input.effect_done = true;
  EXPECT_EQ(c.run(), Walk::End::Through);
  EXPECT_EQ(c.trace(), "a, b, b+, c") << "and the next policy does not take the effect for its own";
}

TEST(Walk, AnAbortEndsWithoutAnAnswer) {
  Case c;
  c.add("a", Phase::Access, Verdict::Abort);
  c.add("never", Phase::Transform);
  EXPECT_EQ(c.run(), Walk::End::Abort);
  EXPECT_EQ(c.decisions(), "a error");
}

TEST(Walk, ThatOnlyExplainsTakesBackItsCharges) {
  Case c;
  c.add("one", Phase::PreLimit);
  c.add("two", Phase::Limit);
  EXPECT_EQ(c.run(), Walk::End::Through);
  c.walk->take_back();
  EXPECT_EQ(c.trace(), "one, two, undo two 1, undo one 1");
}

TEST(Walk, OverNoPoliciesGoesThrough) {
  Case c;
  EXPECT_EQ(c.run(), Walk::End::Through);
  EXPECT_FALSE(c.walk->has_on_response());
}

}  // namespace
}  // namespace gatelab::proxy
