// SPDX-License-Identifier: Apache-2.0
#include "io/ready_queue.h"

#include <gtest/gtest.h>

#include <deque>

#include "base/random.h"

namespace gatelab::io {
namespace {

TEST(ReadyQueue, GivesBackInOrderHoweverItGrowsAndShrinks) {
  static int places[100'000];
  std::deque<void*> model;
  ReadyQueue queue;
  Dice dice(1);
  std::size_t next = 0;
  for (int round = 0; round < 200; ++round) {
    for (std::uint64_t n = dice.below(400); n > 0; --n, ++next) {
      queue.push(std::coroutine_handle<>::from_address(&places[next]));
      model.push_back(&places[next]);
    }
    for (std::uint64_t n = dice.below(400); n > 0 && !model.empty(); --n) {
      ASSERT_EQ(queue.pop().address(), model.front());
      model.pop_front();
    }
    ASSERT_EQ(queue.size(), model.size());
    ASSERT_EQ(queue.empty(), model.empty());
  }
}

}  // namespace
}  // namespace gatelab::io
