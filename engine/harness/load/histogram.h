// SPDX-License-Identifier: Apache-2.0
// How often which latency was seen: a high dynamic range histogram with three significant digits, from 1 ns to over an hour.
// What is added is never averaged away, and parts of a run merge exactly. Blocks of counts come as they are needed: a typical
// one has a few dozen KiB. One thread.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"

namespace gatelab::harness::load {

class Histogram {
 public:
  static constexpr Duration kMost = Duration{(std::int64_t{1} << 42) - 1};  // 73 minutes; what is longer counts as that

  Histogram() = default;
  Histogram(Histogram&&) noexcept = default;
  Histogram& operator=(Histogram&&) noexcept = default;
  Histogram(const Histogram& other) { merge(other); }
  Histogram& operator=(const Histogram& other);
  ~Histogram() = default;

  // What is negative counts as nothing.
  void add(Duration value, std::uint64_t times = 1) noexcept { add_at(index_of(clamp(value)), clamp(value), times); }
  void merge(const Histogram& other) noexcept;

  std::uint64_t count() const noexcept { return count_; }
  // Exact, both. Nothing if it is empty.
  Duration min() const noexcept { return count_ == 0 ? Duration{} : Duration{min_}; }
  Duration max() const noexcept { return Duration{max_}; }
  Duration mean() const noexcept;
  Duration deviation() const noexcept;
  // The value at a 1-based rank in ascending order, to three digits.
  Duration at_rank(std::uint64_t rank) const noexcept;
  // The least value that at least this share of all does not exceed.
  Duration at(double quantile) const noexcept;
  std::uint64_t count_up_to(Duration value) const noexcept;

  // Ascending: the middle of each class that something is in, its index, and how many.
  template <class F>
  void each(F&& f) const {
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      if (!blocks_[b]) continue;
      for (std::size_t i = 0; i < kBlock; ++i)
        if (const std::uint64_t n = (*blocks_[b])[i]; n > 0) f(middle_of(b * kBlock + i), b * kBlock + i, n);
    }
  }

  // For files: what each() told, and what can't be told from it. False: this was never in a histogram.
  bool restore(std::size_t index, std::uint64_t times) noexcept;
  bool restore_limits(Duration min, Duration max) noexcept;

  // HdrHistogram's percentile text, in milliseconds: for its plotter.
  std::string percentile_text() const;

  friend bool operator==(const Histogram& a, const Histogram& b);

 private:
  static constexpr std::size_t kBlock = 1024;  // half of 2,048 sub-buckets: three digits (HdrHistogram's way to count)
  using Block = std::array<std::uint64_t, kBlock>;

  static std::uint64_t clamp(Duration v) noexcept { return static_cast<std::uint64_t>(v.count() < 0 ? 0 : v > kMost ? kMost.count() : v.count()); }
  static std::size_t index_of(std::uint64_t v) noexcept {
    const auto shift = static_cast<unsigned>(std::bit_width(v | 2047)) - 11;
    return (static_cast<std::size_t>(shift) << 10) + static_cast<std::size_t>(v >> shift);
  }
  static std::uint64_t lowest_of(std::size_t index) noexcept;
  static std::uint64_t width_of(std::size_t index) noexcept;
  static Duration middle_of(std::size_t index) noexcept;
  static Duration highest_of(std::size_t index) noexcept;
  void add_at(std::size_t index, std::uint64_t value, std::uint64_t times) noexcept;
  std::uint64_t& cell(std::size_t index) noexcept;

  std::vector<std::unique_ptr<Block>> blocks_;
  std::uint64_t count_ = 0;
  std::int64_t min_ = kMost.count(), max_ = 0;
};

}  // namespace gatelab::harness::load
