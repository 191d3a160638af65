// SPDX-License-Identifier: Apache-2.0
#include "policy/kept.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "crypto/digest.h"

namespace gatelab::test {
namespace {

using policy::KeptSection;

std::vector<KeptSection> sample() {
  return {{"orders/quota", "quota 1  month Europe/Berlin", {{"consumer mobile", Instant::from_seconds(1'800'000'000), 7}, {"principal \xc3\xa4 100%\n", Instant::from_seconds(1'800'000'000), 1}}},
          {"other", "quota 0  day UTC", {}}};
}

std::string written(const std::vector<KeptSection>& sections) {
  std::size_t left_out = 0;
  return policy::write_kept(sections, left_out);
}

// With the digest that belongs to it: what else is wrong must be found for itself.
std::string sealed(std::string body) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string digest;
  for (const std::uint8_t octet : crypto::sha256(body)) digest += {kHex[octet >> 4], kHex[octet & 15]};
  return body + "sha256 " + digest + "\n";
}

TEST(Kept, ComesBackAsItWas) {
  const auto back = policy::read_kept(written(sample()));
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_EQ(back->size(), 2U);
  EXPECT_EQ((*back)[0].id, "orders/quota");
  EXPECT_EQ((*back)[0].shape, "quota 1  month Europe/Berlin");
  ASSERT_EQ((*back)[0].counts.size(), 2U);
  EXPECT_EQ((*back)[0].counts[1].key, "principal \xc3\xa4 100%\n");
  EXPECT_EQ((*back)[0].counts[0].count, 7U);
  EXPECT_EQ((*back)[0].counts[0].until, Instant::from_seconds(1'800'000'000));
  EXPECT_TRUE((*back)[1].counts.empty());
  EXPECT_TRUE(policy::read_kept(written({})));
}

TEST(Kept, ThatIsNotWholeIsCorrupt) {
  const std::string whole = written(sample());
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(policy::read_kept(whole.substr(0, n))) << n;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    const auto back = policy::read_kept(flipped);
    EXPECT_FALSE(back) << i;
  }
  EXPECT_FALSE(policy::read_kept(whole + "\n"));
  EXPECT_FALSE(policy::read_kept(whole + whole));
}

TEST(Kept, SaysWhereItMakesNoSense) {
  const std::string head = "gatelab-state 1\n";
  ASSERT_TRUE(policy::read_kept(sealed(head + "counts a s 1\n5 1 k\n")));
  for (const char* body : {"counts a s 2\n5 1 k\n", "counts a s 0\n5 1 k\n", "counts a s 1\n5 1 k\n5 1 k\n", "counts a s 2\n5 1 k\n5 1 k\n", "counts a s 1\n-5 1 k\n", "counts a s 1\n5 -1 k\n",
                           "counts a s 1\n5 1 \n", "counts a s 1\n5 1 %6B\n", "counts a s 1\n5 1 %6\n", "counts a s 1\n5 1 %zz\n", "counts a s 1\n5  1 k\n",
                           "counts a s 1\n99999999999999999999 1 k\n", "counts a s 1\n9999999999999999 1 k\n", "counts a s 1\n5 99999999999999999999 k\n", "counts a  0\n", "counts a s\n",
                           "counts a s 0\ncounts a s 0\n", "counts a s 18446744073709551615\n", "count a s 0\n", "\n"}) {
    const auto back = policy::read_kept(sealed(head + body));
    ASSERT_FALSE(back) << body;
    EXPECT_EQ(back.error().id, "corrupt");
    EXPECT_NE(back.error().message.find("line "), std::string::npos) << body;
  }
}

TEST(Kept, OfANewerGatelabIsToldApart) {
  const auto newer = policy::read_kept("gatelab-state 2\nwho knows\n");
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().id, "newer");
  const auto none = policy::read_kept("{\"version\": 2}\n");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().id, "corrupt");
}

TEST(Kept, StaysReadableHoweverMuchThereIs) {
  std::vector<KeptSection> sections(1);
  sections[0] = {"big", "shape", {}};
  for (int i = 0; i < 900'000; ++i) sections[0].counts.push_back({std::to_string(i) + std::string(60, 'x'), Instant::from_seconds(1'800'000'000), 1});
  std::size_t left_out = 0;
  const std::string text = policy::write_kept(sections, left_out);
  EXPECT_LE(text.size(), policy::kMaxKeptOctets);
  EXPECT_GT(left_out, 0U);
  const auto back = policy::read_kept(text);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ((*back)[0].counts.size() + left_out, 900'000U);
}

TEST(ChangeFlag, TellsOnceUntilItIsTaken) {
  policy::ChangeFlag flag;
  std::atomic<int> told{0};
  flag.when_set([&told] { ++told; });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&flag] {
    for (int n = 0; n < 1000; ++n) flag.set();
  });
  for (auto& t : threads) t.join();
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(flag.take());
  EXPECT_FALSE(flag.take());
  flag.set();
  EXPECT_EQ(told, 2);
  flag.take();
  flag.when_set(nullptr);
  flag.set();
  EXPECT_EQ(told, 2);
}

}  // namespace
}  // namespace gatelab::test
