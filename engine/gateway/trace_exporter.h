// SPDX-License-Identifier: Apache-2.0
// Sends spans to a collector by OTLP over HTTP with JSON (OTLP 1.x, "OTLP/HTTP"), beside everything else: in batches, after an
// interval or when one is full, with further tries while the collector is away. Lives on worker 0's loop, and is used there only.
#pragma once

#include <optional>
#include <string>

#include "gateway/model.h"
#include "gateway/span_queue.h"
#include "io/scope.h"
#include "proxy/services.h"

namespace gatelab::gateway {

class TraceExporter {
 public:
  // All must outlive it. `dice`: for pauses.
  TraceExporter(proxy::Services& services, SpanQueue& queue, Dice dice) noexcept : services_(services), queue_(queue), dice_(dice), scope_(services.loop) {}

  // Where to, from now on; the snapshot of `services` is the configuration's. nullopt: nowhere, and what waits is dropped.
  void adopt(const std::optional<TraceConfig>& config);
  // Spans wait, or a batch is full.
  void wake() noexcept { woken_.signal(); }
  // Sends what is left, without another try, and ends; what has not gone by then is dropped.
  io::Task<void> finish(Instant until);
  void cut() noexcept { scope_.cancel(); }

 private:
  enum class Answer : std::uint8_t { Taken, Later, Never };
  io::Task<void> run();
  io::Task<void> gather();
  io::Task<void> send();
  io::Task<Answer> post();
  io::Task<void> pause(Duration how_long);
  Answer judge(bool failed, std::string_view failure, std::uint16_t status, std::string_view retry_after, std::string_view body) noexcept;
  io::Wait idle(std::string_view what) noexcept;

  proxy::Services& services_;
  SpanQueue& queue_;
  Dice dice_;
  io::Scope scope_;
  io::Signal woken_;
  std::optional<TraceConfig> config_;
  SpanQueue::Batch batch_;
  std::string body_;
  Duration asked_pause_{};   // Retry-After; zero: none
  std::size_t rejected_ = 0; // of the batch
  bool running_ = false, finishing_ = false;
};

// How many spans an answer says that the collector has not taken (ExportTracePartialSuccess).
std::size_t rejected_spans(std::string_view json) noexcept;

}  // namespace gatelab::gateway
