// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/sanitized.h"

namespace gatelab {
namespace {

TEST(Arena, NothingThatItGivesOutOverlapsOrIsMisaligned) {
  Arena arena(64);
  Dice dice(3);
  struct Given {
    unsigned char* at;
    std::size_t size;
    unsigned char mark;
  };
  std::vector<Given> all;
  for (int i = 0; i < 2'000; ++i) {
    const std::size_t size = i % 97 == 0 ? 100'000 : static_cast<std::size_t>(dice.below(200));
    const std::size_t align = std::size_t{1} << dice.below(5);
    auto* at = static_cast<unsigned char*>(arena.allocate(size, align));
    ASSERT_NE(at, nullptr);
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(at) % align, 0U) << size << " by " << align;
    const auto mark = static_cast<unsigned char>(dice.next());
    std::fill(at, at + size, mark);
    all.push_back({at, size, mark});
  }
  for (const Given& g : all)
    for (std::size_t i = 0; i < g.size; ++i) ASSERT_EQ(g.at[i], g.mark);
}

TEST(Arena, CopiesOutliveWhatTheyWereCopiedFrom) {
  Arena arena;
  std::string_view copy, joined;
  {
    std::string text = "first", other = "second";
    copy = arena.copy(text);
    joined = arena.concat(text, "-", other, std::string_view());
    text = other = "xxxxxx";
  }
  EXPECT_EQ(copy, "first");
  EXPECT_EQ(joined, "first-second");
  EXPECT_EQ(arena.copy({}), "");
}

// What a request needs twice is there the third time: one block, at one place.
TEST(Arena, ResetKeepsTheLargestBlockThatIsOfUsualSize) {
  Arena arena(256);
  const auto use = [&arena] {
    auto* first = static_cast<char*>(arena.allocate(1000));
    for (int i = 0; i < 9; ++i) arena.allocate(1000);
    auto* last = static_cast<char*>(arena.allocate(1000));
    arena.reset();
    return std::pair(first, last - first);
  };
  use();
  use();
  const auto [at, span] = use();
  // With a sanitizer nothing is kept.
  if (!kSanitized) {
    EXPECT_EQ(use(), std::pair(at, span));
  }
  EXPECT_LT(span, 11 * 1024) << "all in one block";
  EXPECT_GE(span, 10 * 1000);
  arena.allocate(1 << 20);
  arena.reset();
  if (!kSanitized) {
    EXPECT_EQ(arena.allocate(16), at) << "what was huge is given back";
  }
}

TEST(Arena, MakesValuesAndArraysThatAreInitialised) {
  struct Pair {
    int a = 7;
    int b = 8;
  };
  Arena arena;
  for (int round = 0; round < 3; ++round) {
    const auto array = arena.array<Pair>(50);
    for (Pair& p : array) {
      ASSERT_EQ(p.a, 7);
      ASSERT_EQ(p.b, 8);
      p = {1, 2};
    }
    EXPECT_EQ(arena.make<Pair>(3, 4)->b, 4);
    arena.reset();
  }
}

}  // namespace
}  // namespace gatelab
