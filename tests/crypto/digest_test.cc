// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace gatelab::crypto {
namespace {

// FIPS 180-4's own examples, and the lengths around a block.
TEST(Sha256, GivesThePublishedDigests) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {std::string(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const auto& [text, digest] : cases) EXPECT_EQ(sha256(text), *parse_sha256(digest)) << text.substr(0, 60);
}

TEST(Sha256, IsTheSameOnEveryThread) {
  const Sha256 want = sha256("key");
  std::vector<Sha256> got(8);
  std::vector<std::thread> threads;
  for (Sha256& out : got)
    threads.emplace_back([&out] {
      for (int i = 0; i < 1'000; ++i) out = sha256("key");
    });
  for (std::thread& t : threads) t.join();
  for (const Sha256& one : got) EXPECT_EQ(one, want);
}

TEST(Sha256, IsReadFromExactly64HexadecimalDigits) {
  const std::string digits = "E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  ASSERT_TRUE(parse_sha256(digits));
  EXPECT_EQ(*parse_sha256(digits), sha256(""));
  for (const std::string& wrong : {std::string(), digits.substr(1), digits + "0", "g" + digits.substr(1), " " + digits.substr(1), digits.substr(0, 63) + "\n"})
    EXPECT_FALSE(parse_sha256(wrong)) << wrong;
}

}  // namespace
}  // namespace gatelab::crypto
