// SPDX-License-Identifier: Apache-2.0
#include "base/siphash.h"

#include <gtest/gtest.h>

#include <string>

namespace gatelab {
namespace {

// The key 00 01 … 0f and the texts "", 00, 00 01, …: the paper's appendix has the one of 15 octets, the reference
// implementation's vectors the others.
TEST(SipHash, GivesWhatThePaperAndItsReferenceGive) {
  const SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  const std::pair<std::size_t, std::uint64_t> cases[] = {{0, 0x726fdb47dd0e0e31}, {1, 0x74f839c593dc67fd}, {2, 0x0d6c8009d9a94f5a}, {7, 0xab0200f58b01d137}, {8, 0x93f5f5799a932462}, {15, 0xa129ca6149be45e5}};
  for (const auto& [octets, expected] : cases) {
    std::string text;
    for (std::size_t i = 0; i < octets; ++i) text += static_cast<char>(i);
    EXPECT_EQ(siphash(text, key), expected) << octets;
  }
}

TEST(SipHash, AnotherKeyGivesAnotherHash) {
  EXPECT_NE(siphash("192.0.2.1", {1, 2}), siphash("192.0.2.1", {1, 3}));
  EXPECT_NE(siphash("192.0.2.1", {1, 2}), siphash("192.0.2.1", {2, 2}));
}

}  // namespace
}  // namespace gatelab
