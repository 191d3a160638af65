// SPDX-License-Identifier: Apache-2.0
#include "harness/load/load.h"

#include <algorithm>

namespace gatelab::harness::load {

void Tally::merge(const Tally& other) {
  latency.merge(other.latency);
  service.merge(other.service);
  late.merge(other.late);
  planned += other.planned;
  sent += other.sent;
  in_time += other.in_time;
  unsent += other.unsent;
  answered += other.answered;
  octets += other.octets;
  retried += other.retried;
  for (const auto& [status, n] : other.statuses) statuses[status] += n;
  for (const auto& [word, n] : other.errors) errors[word] += n;
}

std::uint64_t Tally::failed() const noexcept {
  std::uint64_t n = 0;
  for (const auto& [word, times] : errors) n += times;
  return n;
}

void Round::merge(const Round& other) {
  warmup.merge(other.warmup);
  judged.merge(other.judged);
  length = std::max(length, other.length);
  slice = std::max(slice, other.slice);
  if (slices.size() < other.slices.size()) slices.resize(other.slices.size());
  for (std::size_t i = 0; i < other.slices.size(); ++i) {
    slices[i].latency.merge(other.slices[i].latency);
    slices[i].answered += other.slices[i].answered;
    slices[i].failed += other.slices[i].failed;
  }
  resources.waits += other.resources.waits;
  resources.descriptors += other.resources.descriptors;
  resources.thread = std::max(resources.thread, other.resources.thread);
  cut = cut || other.cut;
}

Duration slice_of(Duration length) noexcept {
  constexpr Duration kLeast = std::chrono::milliseconds(250);
  constexpr std::int64_t kMost = 300;
  const std::int64_t quarters = (length.count() / kMost + kLeast.count() - 1) / kLeast.count();
  return kLeast * std::max<std::int64_t>(1, quarters);
}

}  // namespace gatelab::harness::load
