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

// RFC 9110 §5.1: a field's name is the same in any case. That it is spelled otherwise is one difference, not one that went and one that came.
TEST(DiffCompares, AHeaderInAnotherSpellingIsOneDifference) {
  Observed a, b;
  a.answer.headers = {{"X-User", "gold"}};
  b.answer.headers = {{"x-user", "gold"}};
  const auto spelled = compare(a, b);
  ASSERT_EQ(spelled.size(), 1U);
  EXPECT_EQ(spelled[0].what, "header X-User");
  EXPECT_EQ(spelled[0].b, "(spelled x-user)");
  b.answer.headers = {{"x-user", "free"}};
  const auto changed = compare(a, b);
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].a, "gold");
  EXPECT_EQ(changed[0].b, "free");
  a.answer.headers = b.answer.headers = {{"X-User", "gold"}, {"x-user", "free"}};
  EXPECT_TRUE(compare(a, b).empty());
}

}  // namespace
}  // namespace gatelab::harness::diff
