// SPDX-License-Identifier: Apache-2.0
// Spans on their way from workers to the exporter: bounded, in batches whose storage is used again and again. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "observe/metrics.h"

namespace gatelab::gateway {

class SpanQueue {
 public:
  struct Batch {
    std::string json;  // objects with commas between
    std::size_t spans = 0;
  };
  // What became of spans.
  enum class Result : std::uint8_t { Exported, QueueFull, Unavailable, Refused, Rejected };
  static constexpr std::array<std::string_view, 5> kResults{"exported", "queue-full", "unavailable", "refused", "rejected"};

  // At most `spans` wait, and go out in batches of about `batch`. A span has at most a few KiB (observe/trace.h).
  void bound(std::size_t spans, std::size_t batch) noexcept;
  // All of them or none. True: whoever exports has to be told, as they are the first, or a batch is full.
  bool add(std::string_view json, std::size_t spans) noexcept;
  // The oldest; `into` gives its storage back. False: nothing waits.
  bool take(Batch& into) noexcept;
  bool has_batch() const noexcept;  // a full one
  std::size_t waiting() const noexcept;
  void count(Result result, std::size_t spans) noexcept { counts_[static_cast<std::size_t>(result)].fetch_add(spans, std::memory_order_relaxed); }
  void add_metrics(observe::MetricsText& metrics) const;

 private:
  mutable std::mutex mutex_;
  std::deque<Batch> batches_;
  std::vector<std::string> spare_;
  std::size_t waiting_ = 0, most_ = 4096, batch_ = 512;
  std::array<std::atomic<std::uint64_t>, kResults.size()> counts_{};
};

}  // namespace gatelab::gateway
