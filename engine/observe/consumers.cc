// SPDX-License-Identifier: Apache-2.0
#include "observe/consumers.h"

#include <algorithm>
#include <cmath>

namespace gatelab::observe {
namespace {

constexpr std::size_t kLookedAt = 8;  // of those that could make room

}  // namespace

Duration LatencyBuckets::middle(std::size_t index) noexcept {
  if (index < 8) return Duration(static_cast<std::int64_t>((2 * index + 1) << (kUnit - 1)));
  const int shift = static_cast<int>(index >> 3) - 1;
  const std::size_t mantissa = 8 + (index & 7);
  return Duration(static_cast<std::int64_t>((2 * mantissa + 1) << (shift + kUnit - 1)));
}

Duration quantile(const std::array<std::uint64_t, LatencyBuckets::kCount>& buckets, double q) noexcept {
  std::uint64_t all = 0;
  for (const std::uint64_t n : buckets) all += n;
  if (all == 0) return {};
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(all))));
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    below += buckets[i];
    if (below >= rank) return LatencyBuckets::middle(i);
  }
  return LatencyBuckets::middle(buckets.size() - 1);
}

std::uint64_t ConsumerReport::requests() const noexcept {
  std::uint64_t sum = 0;
  for (const std::uint64_t n : classes) sum += n;
  return sum;
}

void ConsumerReport::add(const ConsumerReport& other) noexcept {
  for (std::size_t i = 0; i < classes.size(); ++i) classes[i] += other.classes[i];
  limited += other.limited;
  request_octets += other.request_octets;
  response_octets += other.response_octets;
  last = std::max(last, other.last);
  for (std::size_t i = 0; i < latency.size(); ++i) latency[i] += other.latency[i];
}

struct ConsumerTable::Series {
  std::string name, consumer_class;
  bool stays = false;  // it is configured, or stands for many
  std::array<Counter, kStatusClasses.size()> classes;
  Counter limited, request_octets, response_octets;
  std::atomic<std::int64_t> last{0};
  std::array<Counter, LatencyBuckets::kCount> latency;

  void count(const Record& r) noexcept {
    classes[status_class(r.status)].add();
    if (r.status == 429) limited.add();
    request_octets.add(r.request_octets);
    response_octets.add(r.response_octets);
    last.store(r.began.ns, std::memory_order_relaxed);
    // A tunnel lasts as long as people want.
    if (r.status != 101) latency[LatencyBuckets::index(r.total)].add();
  }
  // All of it goes to `other`, and this one begins anew.
  void fold_into(Series& into) noexcept {
    const auto move = [](Counter& from, Counter& to) {
      to.add(from.value());
      from.set(0);
    };
    for (std::size_t i = 0; i < classes.size(); ++i) move(classes[i], into.classes[i]);
    move(limited, into.limited);
    move(request_octets, into.request_octets);
    move(response_octets, into.response_octets);
    into.last.store(std::max(into.last.load(std::memory_order_relaxed), last.exchange(0, std::memory_order_relaxed)), std::memory_order_relaxed);
    for (std::size_t i = 0; i < latency.size(); ++i) move(latency[i], into.latency[i]);
  }
  ConsumerReport report() const {
    ConsumerReport out;
    out.name = name;
    out.consumer_class = consumer_class;
    for (std::size_t i = 0; i < classes.size(); ++i) out.classes[i] = classes[i].value();
    out.limited = limited.value();
    out.request_octets = request_octets.value();
    out.response_octets = response_octets.value();
    out.last.ns = last.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < latency.size(); ++i) out.latency[i] = latency[i].value();
    return out;
  }
};

ConsumerTable::ConsumerTable() : anonymous_(add(kAnonymous, kAnonymous, true)), other_(add(kOtherConsumers, kByToken, true)) {}

ConsumerTable::~ConsumerTable() = default;

// With the lock, but for the constructor.
ConsumerTable::Series* ConsumerTable::add(std::string_view name, std::string_view consumer_class, bool stays) {
  all_.push_back(std::make_unique<Series>());
  Series* series = all_.back().get();
  series->name = name;
  series->consumer_class = consumer_class;
  series->stays = stays;
  by_name_.emplace(series->name, series);
  return series;
}

// Those that are configured make room for nobody; those that no longer are do like others.
void ConsumerTable::adopt(std::vector<Configured> consumers) {
  std::lock_guard lock(mutex_);
  for (const auto& series : all_) series->stays = series.get() == anonymous_ || series.get() == other_;
  configured_ = std::move(consumers);
  in_force_.assign(configured_.size(), nullptr);
  for (std::size_t i = 0; i < configured_.size(); ++i) {
    const auto known = by_name_.find(configured_[i].name);
    if (known == by_name_.end()) continue;
    in_force_[i] = known->second;
    known->second->consumer_class = configured_[i].consumer_class;
    known->second->stays = true;
  }
  unconfigured_ = static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), [](const auto& series) { return !series->stays; }));
  std::erase_if(all_, [this](const auto& series) {
    if (series->stays || unconfigured_ <= kMost) return false;
    by_name_.erase(series->name);
    series->fold_into(*other_);
    folded_.add();
    --unconfigured_;
    return true;
  });
}

ConsumerTable::Series* ConsumerTable::configured(std::size_t index) noexcept {
  if (in_force_[index] != nullptr) return in_force_[index];
  std::lock_guard lock(mutex_);
  return in_force_[index] = add(configured_[index].name, configured_[index].consumer_class, true);
}

ConsumerTable::Series* ConsumerTable::find(const Record& r) noexcept {
  if (r.consumer.empty()) return anonymous_;
  // An exchange that began before a reload carries an older configuration's index: the name tells.
  const auto index = static_cast<std::size_t>(r.consumer_index);
  if (index < configured_.size() && configured_[index].name == r.consumer) return configured(index);
  const auto known = by_name_.find(r.consumer);
  return known != by_name_.end() ? known->second : make(r.consumer);
}

ConsumerTable::Series* ConsumerTable::make(std::string_view name) noexcept {
  std::lock_guard lock(mutex_);
  if (unconfigured_ < kMost) {
    ++unconfigured_;
    return add(name, kByToken, false);
  }
  // Of the next few the one that has been quiet for the longest makes room.
  Series* series = nullptr;
  for (std::size_t seen = 0; seen < kLookedAt;) {
    Series& next = *all_[hand_++ % all_.size()];
    if (next.stays) continue;
    ++seen;
    if (series == nullptr || next.last.load(std::memory_order_relaxed) < series->last.load(std::memory_order_relaxed)) series = &next;
  }
  auto node = by_name_.extract(series->name);
  series->fold_into(*other_);
  folded_.add();
  series->name = name;
  series->consumer_class = kByToken;
  node.key() = series->name;
  by_name_.insert(std::move(node));
  return series;
}

void ConsumerTable::count(const Record& r) noexcept { find(r)->count(r); }

void ConsumerTable::collect(std::map<std::string, ConsumerReport>& into) const {
  std::lock_guard lock(mutex_);
  for (const auto& series : all_) {
    const ConsumerReport report = series->report();
    if (report.requests() == 0) continue;
    ConsumerReport& sum = into[report.name];
    sum.name = report.name;
    sum.consumer_class = report.consumer_class;
    sum.add(report);
  }
}

}  // namespace gatelab::observe
