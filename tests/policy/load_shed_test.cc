// SPDX-License-Identifier: Apache-2.0
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

constexpr const char* kConsumers = "[ { name: gold, groups: [paying, staff], keys: [ { value: k } ] }, { name: free, keys: [ { value: l } ] } ]";

policy::Priority priority_of(const char* value, const char* consumer) {
  Stepped policy("[ { load-shed: " + std::string(value) + " } ]", kConsumers);
  EXPECT_EQ(policy.errors, "") << value;
  EXPECT_EQ(policy.step(get("/")).verdict, policy::Verdict::Continue);
  const auto arena = std::move(policy.arena);  // holds the only place
  const auto input = std::move(policy.input);
  const auto request = std::move(policy.request);
  const policy::Step wait = policy.step(get("/"), Instant::from_seconds(1000), policy.people.find(consumer));
  if (wait.verdict != policy::Verdict::Need) return policy::Priority::Normal;
  const policy::Priority priority = std::get<policy::Acquire>(*wait.effect).place->priority;
  policy.end();
  return priority;
}

TEST(LoadShed, PutsWhoeverTheConfigurationSaysFirst) {
  using policy::Priority;
  EXPECT_EQ(priority_of("{ max: 1, queue: 5 }", ""), Priority::Normal);
  EXPECT_EQ(priority_of("{ max: 1, queue: 5, priority: sheddable }", "gold"), Priority::Sheddable);
  constexpr const char* kGroups = "{ max: 1, queue: 5, priority: sheddable, groups: { staff: critical, paying: normal } }";
  EXPECT_EQ(priority_of(kGroups, "gold"), Priority::Critical) << "the first that fits";
  EXPECT_EQ(priority_of(kGroups, "free"), Priority::Sheddable);
  EXPECT_EQ(priority_of(kGroups, ""), Priority::Sheddable);
}

TEST(LoadShed, RunsAfterAuthenticationOnlyIfItMustKnowWhoItIs) {
  EXPECT_EQ(Stepped("[ { load-shed: { max: 1, queue: 5 } } ]").list.at(0)->phase(), policy::Phase::PreLimit);
  EXPECT_EQ(Stepped("[ { load-shed: { max: 1, queue: 5, groups: { paying: critical } } } ]", kConsumers).list.at(0)->phase(), policy::Phase::Limit);
}

TEST(LoadShed, RefusesConfigurationsThatMeanNothing) {
  for (const char* value : {"{ max: 1 }", "{ queue: 5 }", "{ max: 1, queue: 0 }", "{ max: 1, queue: 5, key: ip }", "{ max: 1, queue: 5, target: 1s, interval: 100ms }", "{ max: 1, queue: 5, target: 0s }",
                            "{ max: 1, queue: 5, priority: high }", "{ max: 1, queue: 5, groups: { nobody: critical } }", "{ max: 1, queue: 5, groups: [ paying ] }", "{ max: 1, queue: 5, groups: { paying: first } }"})
    EXPECT_NE(Stepped("[ { load-shed: " + std::string(value) + " } ]", kConsumers).errors, "") << value;
}

}  // namespace
}  // namespace gatelab::test
