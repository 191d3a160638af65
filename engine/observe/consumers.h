// SPDX-License-Identifier: Apache-2.0
// Who asks how much, and how it goes: one series a consumer. A worker's table is written by its own thread with plain stores and read
// by any. It is bounded: configured consumers have their own series, of those that only tokens name the latest kMost have.
#pragma once

#include <array>
#include <bit>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "observe/counter.h"
#include "observe/record.h"

namespace gatelab::observe {

// A class is what consumers have in common that metrics tell apart: their first group.
inline constexpr std::string_view kAnonymous = "(anonymous)", kByToken = "(token)", kNoGroup = "(no-group)", kOtherConsumers = "(other)";
inline constexpr std::array<std::string_view, 6> kStatusClasses{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
inline std::size_t status_class(std::uint16_t status) noexcept { return status >= 100 && status < 600 ? status / 100U : 0U; }

// Durations in buckets that are an eighth of their value wide, from 16 microseconds to more than a minute: whoever reads a quantile
// from them is at most 6.25 % away.
struct LatencyBuckets {
  static constexpr std::size_t kCount = 168;
  static constexpr int kUnit = 14;  // 2^14 ns
  static constexpr std::size_t index(Duration took) noexcept {
    const auto units = static_cast<std::uint64_t>(took.count() < 0 ? 0 : took.count()) >> kUnit;
    if (units < 8) return units;
    const int shift = static_cast<int>(std::bit_width(units)) - 4;
    const std::size_t at = static_cast<std::size_t>(shift) * 8 + static_cast<std::size_t>(units >> shift);
    return at < kCount ? at : kCount - 1;
  }
  // The middle of a bucket.
  static Duration middle(std::size_t index) noexcept;
};

struct ConsumerReport {
  std::string name, consumer_class;
  std::array<std::uint64_t, kStatusClasses.size()> classes{};
  std::uint64_t limited = 0;  // 429
  std::uint64_t request_octets = 0, response_octets = 0;
  Instant last{};             // policy_now at the beginning of the latest request
  std::array<std::uint64_t, LatencyBuckets::kCount> latency{};

  std::uint64_t requests() const noexcept;
  void add(const ConsumerReport& other) noexcept;
};
// What those of one class have asked, whoever of them is still known.
struct ClassReport {
  std::array<std::uint64_t, kStatusClasses.size()> classes{};
  std::uint64_t request_octets = 0, response_octets = 0;
};
// Of the durations in `buckets`; zero if there are none. `q` is in (0, 1].
Duration quantile(const std::array<std::uint64_t, LatencyBuckets::kCount>& buckets, double q) noexcept;

class ConsumerTable {
 public:
  static constexpr std::size_t kMost = 1000;

  ConsumerTable();
  ~ConsumerTable();
  struct Configured {
    std::string name, consumer_class;
  };
  // In the order of Record::consumer_index. Counts stay with the names.
  void adopt(std::vector<Configured> consumers);
  void count(const Record& r) noexcept;
  // Adds this worker's to `into`, by name. Any thread.
  void collect(std::map<std::string, ConsumerReport>& into) const;
  // The same by class. These only grow: a consumer that comes into another class counts for that from then on.
  void collect(std::map<std::string, ClassReport>& into) const;
  // How many names had to make room for others, and are counted as one since. Any thread.
  std::uint64_t folded() const noexcept { return folded_.value(); }

 private:
  struct Class;
  struct Series;
  // Keys are the series' own names. A name that the configuration has, and the same one that only a token says, are two.
  using Index = std::unordered_map<std::string_view, Series*>;
  Class* class_of(std::string_view name);
  Series* add(std::string_view name, std::string_view consumer_class, bool stays);
  Series* add(std::string_view name, std::string_view consumer_class, bool stays, Index& index);
  Series* find(const Record& r) noexcept;
  Series* make(std::string_view name) noexcept;
  Series* configured(std::size_t index) noexcept;

  mutable std::mutex mutex_;  // guards the shape: counting does not take it
  std::vector<std::unique_ptr<Class>> classes_;  // first: series point to them
  std::vector<std::unique_ptr<Series>> all_;
  Index named_, unnamed_;  // that a configuration has or had; others
  // Of the configuration in force, by index. Whoever has not asked yet has no series: a configuration may have very many.
  std::vector<Configured> configured_;
  std::vector<Series*> in_force_;
  Series* anonymous_ = nullptr;
  Series* other_ = nullptr;
  std::size_t unconfigured_ = 0;
  std::size_t hand_ = 0;  // where the search for who makes room goes on
  Counter folded_;
};

}  // namespace gatelab::observe
