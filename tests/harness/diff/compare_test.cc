// SPDX-License-Identifier: Apache-2.0
// What counts as a difference of two answers.
#include "harness/diff/compare.h"

#include <gtest/gtest.h>

#include "coding/coder.h"

namespace gatelab::harness::diff {
namespace {

Observed answered(std::string body) {
  Observed out;
  out.answer.status = 200;
  out.answer.headers = {{"Content-Encoding", "gzip"}};
  out.answer.body = std::move(body);
  return out;
}

// Two members are one body (RFC 1952 §2.2).
TEST(DiffCompares, WhatACompressedAnswerSays) {
  using coding::Coding;
  const Observed whole = answered(coding::encode(Coding::Gzip, "one two")), cut = answered(coding::encode(Coding::Gzip, "one ") + coding::encode(Coding::Gzip, "two"));
  EXPECT_TRUE(compare(whole, cut).empty());
  const auto other = compare(whole, answered(coding::encode(Coding::Gzip, "one three")));
  ASSERT_EQ(other.size(), 1U);
  EXPECT_EQ(other[0].a, "one two");
  EXPECT_EQ(other[0].b, "one three");
  EXPECT_EQ(compare(whole, answered("no gzip")).size(), 1U);
}

}  // namespace
}  // namespace gatelab::harness::diff
