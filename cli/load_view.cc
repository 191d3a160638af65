// SPDX-License-Identifier: Apache-2.0
#include "cli/load_view.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "harness/load/judge.h"

namespace gatelab::cli {
namespace {

constexpr Duration kOften = std::chrono::milliseconds(500), kSeldom = std::chrono::seconds(10);

}  // namespace

std::string sparkline(const std::vector<double>& values, std::size_t most) {
  constexpr const char* kBars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::size_t from = values.size() > most ? values.size() - most : 0;
  double top = 0;
  for (std::size_t i = from; i < values.size(); ++i) top = std::max(top, values[i]);
  std::string out;
  for (std::size_t i = from; i < values.size(); ++i) out += kBars[top <= 0 ? 0 : std::min<std::size_t>(7, static_cast<std::size_t>(values[i] / top * 7.999))];
  return out;
}

void LoadView::begin(std::string what) {
  what_ = std::move(what);
  shown_ = Duration{};
  recent_ = {};
}

void LoadView::look(Duration since, harness::load::Progress& progress) {
  harness::load::Progress::Recent more = progress.take();
  recent_.latency.merge(more.latency);
  recent_.sent += more.sent;
  recent_.answered += more.answered;
  recent_.failed += more.failed;
  if (since - shown_ < (terminal_ ? kOften : kSeldom)) return;
  if (recent_.latency.count() > 0) history_.push_back(static_cast<double>(recent_.latency.at(0.99).count()));
  if (history_.size() > 60) history_.erase(history_.begin());
  const std::string text = line(since, since - shown_);
  fmt::print(stderr, "{}{}{}", terminal_ ? "\r\x1b[K" : "", text, terminal_ ? "" : "\n");
  std::fflush(stderr);
  shown_ = since;
  recent_ = {};
}

std::string LoadView::line(Duration since, Duration over) const {
  const double seconds = std::max(1e-3, static_cast<double>(over.count()) / 1e9);
  const std::uint64_t all = recent_.answered + recent_.failed;
  const Duration left = std::max(Duration{}, length_ - since);
  return fmt::format("{}{:.0f}/s  errors {}  p50 {}  p99 {}  {}  {:.0f}s left", what_.empty() ? "" : what_ + "  ", static_cast<double>(all) / seconds, harness::load::percent(all == 0 ? 0 : static_cast<double>(recent_.failed) / static_cast<double>(all)),
                     harness::load::brief(recent_.latency.at(0.5)), harness::load::brief(recent_.latency.at(0.99)), terminal_ ? sparkline(history_, 30) : "", static_cast<double>(left.count()) / 1e9);
}

void LoadView::end() {
  if (!terminal_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
}

}  // namespace gatelab::cli
