// SPDX-License-Identifier: Apache-2.0
#include "gateway/span_queue.h"

#include <utility>

namespace gatelab::gateway {
namespace {

constexpr std::size_t kSpare = 4;

}  // namespace

void SpanQueue::bound(std::size_t spans, std::size_t batch) noexcept {
  std::lock_guard lock(mutex_);
  most_ = spans;
  batch_ = batch;
}

bool SpanQueue::add(std::string_view json, std::size_t spans) noexcept {
  std::lock_guard lock(mutex_);
  if (waiting_ + spans > most_) {
    count(Result::QueueFull, spans);
    return false;
  }
  const bool is_first = waiting_ == 0;
  if (batches_.empty() || batches_.back().spans >= batch_) {
    batches_.emplace_back();
    if (!spare_.empty()) {
      batches_.back().json = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  Batch& last = batches_.back();
  if (last.spans > 0) last.json += ',';
  last.json += json;
  last.spans += spans;
  waiting_ += spans;
  return is_first || last.spans >= batch_;
}

bool SpanQueue::take(Batch& into) noexcept {
  std::lock_guard lock(mutex_);
  if (batches_.empty()) return false;
  std::swap(into, batches_.front());
  std::string left = std::move(batches_.front().json);
  batches_.pop_front();
  waiting_ -= into.spans;
  left.clear();
  if (spare_.size() < kSpare && left.capacity() > 0) spare_.push_back(std::move(left));
  return true;
}

bool SpanQueue::has_batch() const noexcept {
  std::lock_guard lock(mutex_);
  return !batches_.empty() && batches_.front().spans >= batch_;
}

std::size_t SpanQueue::waiting() const noexcept {
  std::lock_guard lock(mutex_);
  return waiting_;
}

void SpanQueue::add_metrics(observe::MetricsText& metrics) const {
  for (std::size_t i = 0; i < kResults.size(); ++i)
    metrics.labelled("counter", "gatelab_trace_spans_total", "Spans by what became of them.", {{"result", kResults[i]}}, static_cast<double>(counts_[i].load(std::memory_order_relaxed)));
  metrics.gauge("gatelab_trace_queue_spans", "Spans that wait to be exported.", static_cast<double>(waiting()));
}

}  // namespace gatelab::gateway
