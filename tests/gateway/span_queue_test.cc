// SPDX-License-Identifier: Apache-2.0
#include "gateway/span_queue.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/trace_exporter.h"

namespace gatelab::gateway {
namespace {

TEST(SpanQueue, TellsOfTheFirstAndOfAFullBatchAndGivesBackWhatItWasGiven) {
  SpanQueue queue;
  queue.bound(10, 4);
  EXPECT_TRUE(queue.add("a", 1));
  EXPECT_FALSE(queue.add("b,c", 2));
  EXPECT_FALSE(queue.has_batch());
  EXPECT_TRUE(queue.add("d", 1));
  EXPECT_TRUE(queue.has_batch());
  EXPECT_FALSE(queue.add("e", 1));
  SpanQueue::Batch batch;
  ASSERT_TRUE(queue.take(batch));
  EXPECT_EQ(batch.json, "a,b,c,d");
  EXPECT_EQ(batch.spans, 4U);
  ASSERT_TRUE(queue.take(batch));
  EXPECT_EQ(batch.json, "e");
  EXPECT_FALSE(queue.take(batch));
  EXPECT_EQ(queue.waiting(), 0U);
  EXPECT_TRUE(queue.add("f", 1)) << "the first again";
}

TEST(SpanQueue, IsBoundedAndCountsWhatItHasNoRoomFor) {
  SpanQueue queue;
  queue.bound(10, 4);
  for (int i = 0; i < 10; ++i) queue.add("xx", 2);
  EXPECT_EQ(queue.waiting(), 10U);
  observe::MetricsText text;
  queue.add_metrics(text);
  double value = 0;
  EXPECT_TRUE(text.value("gatelab_trace_spans_total", {{"result", "queue-full"}}, value));
  EXPECT_EQ(value, 10);
}

TEST(SpanQueue, ReadsHowManyACollectorRejected) {
  const std::pair<const char*, std::size_t> cases[] = {
      {"", 0}, {"{}", 0}, {"{\"partialSuccess\":{}}", 0}, {"{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"x\"}}", 3},
      {"{\"partialSuccess\":{\"rejectedSpans\" : 12}}", 12}, {"{\"partialSuccess\":{\"rejectedSpans\":", 0}, {"{\"partialSuccess\":{\"rejectedSpans\":\"\"}}", 0},
      {"{\"partialSuccess\":{\"rejectedSpans\":-1}}", 0}, {"{\"partialSuccess\":{\"rejectedSpans\":99999999999999999999999}}", 0},
  };
  for (const auto& [json, expected] : cases) EXPECT_EQ(rejected_spans(json), expected) << json;
}

}  // namespace
}  // namespace gatelab::gateway
