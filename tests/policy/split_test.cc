// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "policy/stepped.h"

namespace gatelab::test {
namespace {

Stepped make(const std::string& value, const std::string& more = "") { return Stepped("[ { split: " + value + more + " } ]", "[ { name: ann, groups: [testers] }, { name: bob } ]"); }

std::string variant_of(Stepped& policy, const std::string& head, const policy::Consumer* consumer = nullptr) {
  EXPECT_EQ(policy.step(head, Instant::from_seconds(1000), consumer).verdict, policy::Verdict::Continue);
  std::string variant(policy.input->variant);
  policy.end();
  return variant;
}

std::string user(int i) { return get("/", "X-User: user-" + std::to_string(i) + "\r\n"); }

std::map<int, std::string> spread(const std::string& variants, int users = 10'000) {
  Stepped policy = make("{ variants: " + variants + ", key: { header: X-User } }");
  EXPECT_EQ(policy.errors, "");
  std::map<int, std::string> out;
  for (int i = 0; i < users; ++i) out[i] = variant_of(policy, user(i));
  return out;
}

int share(const std::map<int, std::string>& of, const std::string& variant) {
  return static_cast<int>(std::count_if(of.begin(), of.end(), [&variant](const auto& one) { return one.second == variant; }));
}

TEST(Split, GivesEachVariantItsShare) {
  const auto of = spread("{ a: 70, b: 20, c: 10, d: 0 }");
  EXPECT_NEAR(share(of, "a"), 7000, 200);
  EXPECT_NEAR(share(of, "b"), 2000, 200);
  EXPECT_NEAR(share(of, "c"), 1000, 150);
  EXPECT_EQ(share(of, "d"), 0);
}

TEST(Split, AWeightThatGrowsTakesKeysAndMovesNoOthers) {
  const auto before = spread("{ a: 90, b: 5, c: 5 }"), after = spread("{ a: 90, b: 5, c: 30 }");
  int moved = 0;
  for (const auto& [i, variant] : before) {
    if (after.at(i) == variant) continue;
    EXPECT_EQ(after.at(i), "c") << i;
    ++moved;
  }
  EXPECT_NEAR(moved, 10'000 * 30 / 125 - 10'000 * 5 / 100, 200);  // what c has more, and nothing else
  EXPECT_EQ(share(spread("{ c: 5, b: 5, a: 90 }"), "a"), share(before, "a")) << "the order in the file decides nothing";
}

TEST(Split, EachRequestByItselfIsRolledByItsOwnDice) {
  Stepped policy = make("{ variants: { a: 50, b: 50 }, key: request }");
  std::map<std::string, int> seen;
  for (std::uint64_t i = 0; i < 2'000; ++i) {
    policy.step(get("/"));
    policy.input->dice = mix64(i);
    policy.list[0]->step(*policy.input);
    ++seen[std::string(policy.input->variant)];
    policy.end();
  }
  EXPECT_NEAR(seen["a"], 1000, 100);
}

TEST(Split, TellsPeopleApartByWhatItsKeySays) {
  struct Case {
    const char* key;
    std::string a, b;
    bool together;
  };
  // Of many pairs some would be together by chance: all must be, or some must not.
  for (const Case& c : {Case{"{ cookie: s }", "Cookie: s=", "Cookie: x=y; s=", true}, Case{"{ cookie: s }", "Cookie: t=", "Cookie: u=", true}, Case{"{ header: X-User }", "X-User: ", "X-User: other-", false}, Case{"ip", "X-User: ", "X-User: other-", true}}) {
    Stepped policy = make("{ variants: { a: 1, b: 1 }, key: " + std::string(c.key) + " }");
    int same = 0;
    for (int i = 0; i < 64; ++i) same += variant_of(policy, get("/", c.a + std::to_string(i) + "\r\n")) == variant_of(policy, get("/", c.b + std::to_string(i) + "\r\n")) ? 1 : 0;
    EXPECT_EQ(same == 64, c.together) << c.key << " " << c.a;
  }
}

TEST(Split, LetsOnlyThoseOverrideWhoMayAndOnlyByDeclaredNames) {
  Stepped policy = make("{ variants: { a: 1, b: 0 }, key: ip, override: { header: X-Try, groups: [testers] } }");
  ASSERT_EQ(policy.errors, "");
  const policy::Consumer *ann = policy.people.find("ann"), *bob = policy.people.find("bob");
  const std::string asks = get("/", "X-Try: b\r\n");
  EXPECT_EQ(variant_of(policy, asks, ann), "b");
  EXPECT_EQ(variant_of(policy, asks, bob), "a");
  EXPECT_EQ(variant_of(policy, asks), "a");
  EXPECT_EQ(variant_of(policy, get("/", "X-Try: c\r\n"), ann), "a");
  EXPECT_EQ(variant_of(policy, get("/", "X-Try: B\r\n"), ann), "a");
  policy.step(asks, Instant::from_seconds(1), ann);
  EXPECT_EQ(policy.list[0]->step(*policy.input).detail, "b, as the header X-Try asks");
}

TEST(Split, OverwritesWhatAClientSaysOfItsVariant) {
  Stepped policy = make("{ variants: { a: 1, b: 0 }, key: ip, tell: { request: X-Variant } }");
  policy.step(get("/", "X-Variant: b\r\nx-variant: b\r\n"));
  int found = 0;
  for (const http::Field& f : policy.request->fields)
    if (iequals(f.name, "x-variant")) {
      ++found;
      EXPECT_EQ(f.value, "a");
    }
  EXPECT_EQ(found, 1);
}

TEST(Split, RefusesConfigurationsThatMeanNothing) {
  for (const char* value : {"{}", "{ variants: { a: 1, b: 1 } }", "{ key: ip }", "{ variants: { a: 1 }, key: ip }", "{ variants: { a: 0, b: 0 }, key: ip }", "{ variants: { a: 1, b: -1 }, key: ip }", "{ variants: { a: 1, b: 5% }, key: ip }",
                            "{ variants: { a: 1, 'b c': 1 }, key: ip }", "{ variants: { a: { upstream: x }, b: 1 }, key: ip }", "{ variants: { a: 1, b: 1 }, key: user }", "{ variants: { a: 1, b: 1 }, key: { header: a, cookie: b } }",
                            "{ variants: { a: 1, b: 1 }, key: ip, override: {} }", "{ variants: { a: 1, b: 1 }, key: ip, override: { header: a, cookie: b } }", "{ variants: { a: 1, b: 1 }, key: ip, override: { header: a, groups: [none] } }",
                            "{ variants: { a: 1, b: 1 }, key: ip, tell: { request: Host } }", "{ variants: [ a, b ], key: ip }"})
    EXPECT_NE(make(value).errors, "") << value;
}

}  // namespace
}  // namespace gatelab::test
