// SPDX-License-Identifier: Apache-2.0
#include "harness/load/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace gatelab::harness::load {
namespace {

constexpr std::size_t kIndexes = 33 * 1024;  // of values up to kMost

}  // namespace

std::uint64_t Histogram::width_of(std::size_t index) noexcept { return index < 2048 ? 1 : std::uint64_t{1} << (index / kBlock - 1); }
std::uint64_t Histogram::lowest_of(std::size_t index) noexcept { return index < 2048 ? index : (index % kBlock + kBlock) * width_of(index); }
Duration Histogram::middle_of(std::size_t index) noexcept { return Duration{static_cast<std::int64_t>(lowest_of(index) + width_of(index) / 2)}; }
Duration Histogram::highest_of(std::size_t index) noexcept { return Duration{static_cast<std::int64_t>(lowest_of(index) + width_of(index) - 1)}; }

std::uint64_t& Histogram::cell(std::size_t index) noexcept {
  const std::size_t block = index / kBlock;
  if (block >= blocks_.size()) blocks_.resize(block + 1);
  if (!blocks_[block]) blocks_[block] = std::make_unique<Block>();
  return (*blocks_[block])[index % kBlock];
}

void Histogram::add_at(std::size_t index, std::uint64_t value, std::uint64_t times) noexcept {
  if (times == 0) return;
  cell(index) += times;
  count_ += times;
  min_ = std::min(min_, static_cast<std::int64_t>(value));
  max_ = std::max(max_, static_cast<std::int64_t>(value));
}

Histogram& Histogram::operator=(const Histogram& other) {
  if (this == &other) return *this;
  *this = Histogram();
  merge(other);
  return *this;
}

void Histogram::merge(const Histogram& other) noexcept {
  for (std::size_t b = 0; b < other.blocks_.size(); ++b) {
    if (!other.blocks_[b]) continue;
    cell(b * kBlock);
    for (std::size_t i = 0; i < kBlock; ++i) (*blocks_[b])[i] += (*other.blocks_[b])[i];
  }
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

Duration Histogram::mean() const noexcept {
  if (count_ == 0) return {};
  double sum = 0;
  each([&sum](Duration v, std::size_t, std::uint64_t n) { sum += static_cast<double>(v.count()) * static_cast<double>(n); });
  return Duration{std::llround(sum / static_cast<double>(count_))};
}

Duration Histogram::deviation() const noexcept {
  if (count_ == 0) return {};
  const auto mid = static_cast<double>(mean().count());
  double sum = 0;
  each([&sum, mid](Duration v, std::size_t, std::uint64_t n) {
    const double off = static_cast<double>(v.count()) - mid;
    sum += off * off * static_cast<double>(n);
  });
  return Duration{std::llround(std::sqrt(sum / static_cast<double>(count_)))};
}

Duration Histogram::at_rank(std::uint64_t rank) const noexcept {
  std::uint64_t before = 0;
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    if (!blocks_[b]) continue;
    for (std::size_t i = 0; i < kBlock; ++i) {
      before += (*blocks_[b])[i];
      if (before >= rank && before > 0) return std::clamp(highest_of(b * kBlock + i), min(), max());
    }
  }
  return max();
}

Duration Histogram::at(double quantile) const noexcept {
  if (count_ == 0) return {};
  // A hair less, so that 0.99 of 100 is the 99th although 0.99 has no exact double.
  const double rank = std::ceil(std::clamp(quantile, 0.0, 1.0) * static_cast<double>(count_) * (1 - 1e-14));
  return at_rank(std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rank), 1, count_));
}

std::uint64_t Histogram::count_up_to(Duration value) const noexcept {
  const std::size_t last = index_of(clamp(value));
  std::uint64_t n = 0;
  each([&n, last](Duration, std::size_t index, std::uint64_t times) { if (index <= last) n += times; });
  return n;
}

bool Histogram::restore(std::size_t index, std::uint64_t times) noexcept {
  if (index >= kIndexes || times > (std::uint64_t{1} << 52)) return false;
  add_at(index, lowest_of(index), times);
  return true;
}

bool Histogram::restore_limits(Duration min, Duration max) noexcept {
  if (count_ == 0) return min == Duration{} && max == Duration{};
  if (index_of(clamp(min)) != index_of(static_cast<std::uint64_t>(min_)) || index_of(clamp(max)) != index_of(static_cast<std::uint64_t>(max_)) || min > max) return false;
  min_ = min.count();
  max_ = max.count();
  return true;
}

bool operator==(const Histogram& a, const Histogram& b) {
  if (a.count_ != b.count_ || a.min_ != b.min_ || a.max_ != b.max_) return false;
  std::vector<std::pair<std::size_t, std::uint64_t>> in_a, in_b;
  a.each([&in_a](Duration, std::size_t i, std::uint64_t n) { in_a.emplace_back(i, n); });
  b.each([&in_b](Duration, std::size_t i, std::uint64_t n) { in_b.emplace_back(i, n); });
  return in_a == in_b;
}

// Five steps in each halving of the distance to 100 %, as HdrHistogram's outputPercentileDistribution() takes them.
std::string Histogram::percentile_text() const {
  constexpr double kSteps = 5;
  const auto ms = [](Duration d) { return static_cast<double>(d.count()) / 1e6; };
  char line[128];
  std::string out;
  std::snprintf(line, sizeof line, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
  out += line;
  double level = 0;  // in per cent, as there: sums of tenths and halves of it are exact
  std::uint64_t up_to = 0;
  const auto total = static_cast<double>(count_);
  each([&](Duration, std::size_t index, std::uint64_t n) {
    up_to += n;
    const double reached = 100 * static_cast<double>(up_to) / total;
    const bool last = up_to == count_;
    while (!last && reached >= level) {
      std::snprintf(line, sizeof line, "%12.3f %2.12f %10llu %14.2f\n", ms(std::clamp(highest_of(index), min(), max())), level / 100, static_cast<unsigned long long>(up_to), 100 / (100 - level));
      out += line;
      const double halvings = std::floor(std::log2(100 / (100 - level))) + 1;
      level += 100 / (kSteps * std::exp2(halvings));
    }
  });
  if (count_ > 0) {
    std::snprintf(line, sizeof line, "%12.3f %2.12f %10llu\n", ms(max()), 1.0, static_cast<unsigned long long>(count_));
    out += line;
  }
  std::snprintf(line, sizeof line, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", ms(mean()), ms(deviation()));
  out += line;
  std::snprintf(line, sizeof line, "#[Max     = %12.3f, Total count    = %12llu]\n", ms(max()), static_cast<unsigned long long>(count_));
  out += line;
  std::snprintf(line, sizeof line, "#[Buckets = %12d, SubBuckets     = %12d]\n", 32, 2048);
  return out + line;
}

}  // namespace gatelab::harness::load
