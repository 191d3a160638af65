// SPDX-License-Identifier: Apache-2.0
#include "observe/consumers.h"

#include <algorithm>
#include <cmath>
#include <set>

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

struct ConsumerTable::Class {
  std::string name;
  std::array<Counter, kStatusClasses.size()> classes;
  Counter request_octets, response_octets;
};

struct ConsumerTable::Series {
  std::string name;
  Class* of = nullptr;
  Index* index = nullptr;  // that has it; null: none
  bool stays = false;      // it is configured, or stands for many
  std::array<Counter, kStatusClasses.size()> classes;
  Counter limited, request_octets, response_octets;
  std::atomic<std::int64_t> last{0};
  std::array<Counter, LatencyBuckets::kCount> latency;

  void count(const Record& r) noexcept {
    const std::size_t status = status_class(r.status);
    classes[status].add();
    of->classes[status].add();
    if (r.status == 429) limited.add();
    request_octets.add(r.request_octets);
    of->request_octets.add(r.request_octets);
    response_octets.add(r.response_octets);
    of->response_octets.add(r.response_octets);
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
    out.consumer_class = of->name;
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

// This and what follows has the lock, but for the constructor. Classes are few; those that no
// consumer is in any more are kept, up to kMost.
ConsumerTable::Class* ConsumerTable::class_of(std::string_view name) {
  for (const auto& one : classes_)
    if (one->name == name) return one.get();
  classes_.push_back(std::make_unique<Class>());
  classes_.back()->name = name;
  return classes_.back().get();
}

ConsumerTable::Series* ConsumerTable::add(std::string_view name, std::string_view consumer_class, bool stays) {
  all_.push_back(std::make_unique<Series>());
  Series* series = all_.back().get();
  series->name = name;
  series->of = class_of(consumer_class);
  series->stays = stays;
  return series;
}

// There is none of that name in the index.
ConsumerTable::Series* ConsumerTable::add(std::string_view name, std::string_view consumer_class, bool stays, Index& index) {
  Series* series = add(name, consumer_class, stays);
  series->index = &index;
  index.emplace(series->name, series);
  return series;
}

// Those that are configured make room for nobody; those that no longer are do like others.
void ConsumerTable::adopt(std::vector<Configured> consumers) {
  std::lock_guard lock(mutex_);
  for (const auto& series : all_) series->stays = series.get() == anonymous_ || series.get() == other_;
  configured_ = std::move(consumers);
  in_force_.assign(configured_.size(), nullptr);
  std::map<std::string_view, Class*> classes;  // a configuration may have very many consumers
  for (std::size_t i = 0; i < configured_.size(); ++i) {
    const auto known = named_.find(configured_[i].name);
    if (known == named_.end()) continue;
    Class*& of = classes[configured_[i].consumer_class];
    if (of == nullptr) of = class_of(configured_[i].consumer_class);
    in_force_[i] = known->second;
    known->second->of = of;
    known->second->stays = true;
  }
  unconfigured_ = static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), [](const auto& series) { return !series->stays; }));
  std::erase_if(all_, [this](const auto& series) {
    if (series->stays || unconfigured_ <= kMost) return false;
    series->index->erase(series->name);
    series->fold_into(*other_);
    folded_.add();
    --unconfigured_;
    return true;
  });
  if (classes_.size() <= kMost) return;
  std::set<const Class*> used;
  for (const auto& series : all_) used.insert(series->of);
  std::erase_if(classes_, [&used](const auto& one) { return used.count(one.get()) == 0; });
}

ConsumerTable::Series* ConsumerTable::configured(std::size_t index) noexcept {
  if (in_force_[index] != nullptr) return in_force_[index];
  std::lock_guard lock(mutex_);
  const Configured& who = configured_[index];
  const auto known = named_.find(who.name);  // should a name stand there twice
  return in_force_[index] = known != named_.end() ? known->second : add(who.name, who.consumer_class, true, named_);
}

ConsumerTable::Series* ConsumerTable::find(const Record& r) noexcept {
  if (r.consumer.empty()) return anonymous_;
  // An exchange that began before a reload carries an older configuration's index: the name tells.
  const auto index = static_cast<std::size_t>(r.consumer_index);
  if (index < configured_.size() && configured_[index].name == r.consumer) return configured(index);
  const Index& where = r.consumer_index >= 0 ? named_ : unnamed_;
  const auto known = where.find(r.consumer);
  if (known != where.end()) return known->second;
  const auto again = unnamed_.find(r.consumer);
  return again != unnamed_.end() ? again->second : make(r.consumer);
}

ConsumerTable::Series* ConsumerTable::make(std::string_view name) noexcept {
  std::lock_guard lock(mutex_);
  if (unconfigured_ < kMost) {
    ++unconfigured_;
    return add(name, kByToken, false, unnamed_);
  }
  // Of the next few the one that has been quiet for the longest makes room.
  Series* series = nullptr;
  for (std::size_t seen = 0; seen < kLookedAt;) {
    Series& next = *all_[hand_++ % all_.size()];
    if (next.stays) continue;
    ++seen;
    if (series == nullptr || next.last.load(std::memory_order_relaxed) < series->last.load(std::memory_order_relaxed)) series = &next;
  }
  auto node = series->index->extract(series->name);
  series->fold_into(*other_);
  folded_.add();
  series->name = name;
  series->of = class_of(kByToken);
  series->index = &unnamed_;
  node.key() = series->name;
  unnamed_.insert(std::move(node));
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

void ConsumerTable::collect(std::map<std::string, ClassReport>& into) const {
  std::lock_guard lock(mutex_);
  for (const auto& one : classes_) {
    ClassReport& sum = into[one->name];
    for (std::size_t i = 0; i < sum.classes.size(); ++i) sum.classes[i] += one->classes[i].value();
    sum.request_octets += one->request_octets.value();
    sum.response_octets += one->response_octets.value();
  }
}

}  // namespace gatelab::observe
