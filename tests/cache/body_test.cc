// SPDX-License-Identifier: Apache-2.0
#include "cache/body.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gatelab::cache {
namespace {

constexpr std::size_t kKiB = 1024;

TEST(Body, PutsNeighboursTogetherSoThatAnAnswerTakesFewWrites) {
  struct Row {
    std::vector<std::size_t> came, kept;  // octets of the pieces
  };
  const Row rows[] = {
      {{}, {}},
      {{0}, {0}},
      {{100}, {100}},
      {{17 * kKiB, 64 * kKiB, 19 * kKiB}, {100 * kKiB}},
      {{256 * kKiB, 1}, {256 * kKiB, 1}},
      {{1, 256 * kKiB}, {1, 256 * kKiB}},
      {{kKiB, 255 * kKiB, 200 * kKiB, 56 * kKiB, 3}, {256 * kKiB, 256 * kKiB, 3}},
      {{300 * kKiB, 10, 20}, {300 * kKiB, 30}},
      {std::vector<std::size_t>(1000, 1000), {262'000, 262'000, 262'000, 214'000}},
  };
  for (const Row& row : rows) {
    std::vector<Chunk> chunks;
    std::string all;
    std::size_t memory = 0;
    for (const std::size_t size : row.came) {
      std::string octets(size, '.');
      for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<char>('a' + (all.size() + i) % 23);
      chunks.emplace_back(octets);
      all += octets;
      memory += chunks.back().memory();
    }
    const Body body(chunks);
    std::vector<std::size_t> kept;
    for (const Chunk& chunk : body.chunks()) kept.push_back(chunk.size());
    EXPECT_EQ(kept, row.kept);
    EXPECT_EQ(body.size(), all.size());
    for (const std::size_t from : {std::size_t{0}, std::size_t{1}, all.size() / 2, 256 * kKiB - 1, 256 * kKiB, 256 * kKiB + 1}) {
      if (from > all.size()) continue;
      std::string read;
      while (from + read.size() < body.size()) read += body.at(from + read.size());
      EXPECT_TRUE(read == all.substr(from)) << "of " << all.size() << " octets from " << from;
    }
    EXPECT_TRUE(body.at(body.size()).empty());
    EXPECT_LE(body.memory(), memory + sizeof(Body) + 3 * kAllocation) << "no more than was set aside while it came";
  }
}

TEST(Body, SharesAPieceThatStandsAlone) {
  const Chunk alone(std::string(10, 'x'));
  const Body body({alone});
  EXPECT_EQ(body.at(0).data(), alone.view().data());
}

}  // namespace
}  // namespace gatelab::cache
