// SPDX-License-Identifier: Apache-2.0
#include "policy/mirror/copies.h"
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

using policy::Copies;

Stepped make(const std::string& more, const std::string& beside = "") { return Stepped("[ { mirror: { upstream: shadow" + more + " }" + beside + " } ]"); }

std::map<std::string, double> counted(const Stepped& policy) {
  std::map<std::string, double> out;
  for (const auto& [id, state] : const_cast<Stepped&>(policy).states.alive()) {
    std::vector<policy::Measure> measures;
    state->measure(measures);
    for (const policy::Measure& m : measures) out[m.label.empty() ? std::string(m.metric) : m.label_value] = m.value;
  }
  return out;
}

TEST(Mirror, AsksForACopyAndTakesItsMarkFromTheOriginal) {
  Stepped policy = make(", host_suffix: -shadow, timeout: 3s");
  ASSERT_EQ(policy.errors, "");
  EXPECT_EQ(policy.step(get("/", "X-Mirrored: forged\r\n")).detail, "a copy goes to shadow");
  EXPECT_EQ(policy.request->fields.find("X-Mirrored"), nullptr);
  const policy::Copy* copy = policy.input->copies;
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(copy->host_suffix, "-shadow");
  EXPECT_EQ(copy->value, "r/mirror");
  EXPECT_EQ(copy->timeout, std::chrono::seconds(3));
  EXPECT_EQ(copy->max_body, 64U * 1024);
  EXPECT_EQ(copy->next, nullptr);
}

TEST(Mirror, CopiesItsShareOfTheRequests) {
  Stepped policy = make(", share: 25%");
  int copies = 0;
  for (std::uint64_t i = 0; i < 4'000; ++i) {
    policy.step(get("/"));
    policy.input->dice = mix64(i);
    policy.input->copies = nullptr;
    policy.list[0]->step(*policy.input);
    copies += policy.input->copies != nullptr ? 1 : 0;
  }
  EXPECT_NEAR(copies, 1000, 100);
}

TEST(Mirror, DoesNotBeginWithABodyThatIsTooLong) {
  Stepped policy = make(", max_body: 10B");
  const auto post = [](int n) { return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(n) + "\r\n\r\n"; };
  policy.step(post(10));
  EXPECT_NE(policy.input->copies, nullptr);
  policy.step(post(11));
  EXPECT_EQ(policy.input->copies, nullptr);
  EXPECT_EQ(counted(policy)["body-too-large"], 1);
}

TEST(Mirror, CopiesNothingForWhoOnlyAsksOrLooksOn) {
  Stepped observing = make("", ", mode: observe");
  EXPECT_EQ(observing.step(get("/")).outcome, policy::Outcome::Observe);
  EXPECT_EQ(observing.input->copies, nullptr);
  Stepped policy = make(", share: 10%");
  policy.step(get("/"));
  policy.input->copies = nullptr;
  policy.input->is_explained = true;
  EXPECT_EQ(policy.list[0]->step(*policy.input).detail, "copies of 10% go to shadow");
  EXPECT_EQ(policy.input->copies, nullptr);
}

TEST(Mirror, HasRoomForAsManyAsItSaysAndCountsTheRest) {
  Copies copies;
  EXPECT_TRUE(copies.enter(2));
  EXPECT_TRUE(copies.enter(2));
  EXPECT_FALSE(copies.enter(2));
  copies.leave(Copies::Result::Answered);
  EXPECT_TRUE(copies.enter(2));
  std::vector<policy::Measure> measures;
  copies.measure(measures);
  EXPECT_EQ(measures[0].value, 2);
  EXPECT_EQ(measures[1].value, 1);  // answered
  EXPECT_EQ(measures[3].value, 1);  // busy
}

TEST(Mirror, RefusesConfigurationsThatMeanNothing) {
  for (const char* more : {", share: 10", ", max_body: 10", ", max_in_flight: 0", ", timeout: 0s", ", header: Host", ", header: 'a b'", ", host_suffix: 'a b'", ", url: http://a", ", when: { method: GET }"}) EXPECT_NE(make(more).errors, "") << more;
  EXPECT_NE(Stepped("[ { mirror: {} } ]").errors, "");
}

}  // namespace
}  // namespace gatelab::test
