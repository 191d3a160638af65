// SPDX-License-Identifier: Apache-2.0
#include "cache/store.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

#include "cache/key_hash.h"
#include "cache/store_shard.h"
#include "cache/vary.h"

namespace gatelab::cache {
namespace {

Hit hit_of(const Entry& entry) noexcept { return {entry.head, entry.body, entry.facts, entry.version}; }

// By what the variants that are there, or on their way, vary, so that requests for different ones do not wait for each other.
std::string_view expected_key(const Record& record, const http::Fields& request, Arena& arena) noexcept {
  for (const Entry* entry = record.entries.get(); entry != nullptr; entry = entry->next.get())
    if (entry->head != nullptr && !entry->head->vary().empty()) return variant_key(entry->head->vary(), request, arena);
  for (const FillState* fill : record.fills)
    if (fill->known != nullptr && !fill->known->vary().empty()) return variant_key(fill->known->vary(), request, arena);
  return {};
}

void add_up(StoreCounts& sum, const StoreCounts& c) noexcept {
  sum.hits += c.hits;
  sum.stale += c.stale;
  sum.misses += c.misses;
  sum.collapsed += c.collapsed;
  sum.stored += c.stored;
  sum.evicted += c.evicted;
  sum.purged += c.purged;
  sum.entries += c.entries;
  sum.bytes += c.bytes;
}

}  // namespace

Store::Store(std::size_t bytes, std::uint64_t seed, std::size_t shards)
    : seed_(seed), shard_count_(shards), shards_(std::make_unique<StoreShard[]>(shards)), bound_(bytes) {
  assert(std::has_single_bit(shards));
}
Store::~Store() = default;

std::size_t Store::index_of(std::string_view url) const noexcept { return key_hash(url, ~seed_) & (shard_count_ - 1); }

std::optional<Hit> Store::find(const Place& place, const http::Fields& request, Instant now, std::uint32_t route, Arena& arena) noexcept {
  StoreShard& shard = shards_[index_of(place.url)];
  const std::uint64_t hash = key_hash(place.key, seed_);
  std::lock_guard lock(shard.mutex);
  const Record* record = shard.records.find(hash, place.key);
  Entry* entry = record == nullptr ? nullptr : StoreShard::choose(*record, request, arena);
  StoreCounts& count = shard.count(route);
  if (entry == nullptr) {
    ++count.misses;
    return std::nullopt;
  }
  const Facts& facts = entry->facts;
  ++(is_fresh(facts, now) && !facts.no_cache && !facts.invalid ? count.hits : count.stale);
  S3Fifo::touch(*entry);
  return hit_of(*entry);
}

bool Store::has(const Place& place) noexcept {
  StoreShard& shard = shards_[index_of(place.url)];
  const std::uint64_t hash = key_hash(place.key, seed_);
  std::lock_guard lock(shard.mutex);
  const Record* record = shard.records.find(hash, place.key);
  for (const Entry* entry = record == nullptr ? nullptr : record->entries.get(); entry != nullptr; entry = entry->next.get())
    if (entry->head != nullptr) return true;
  return false;
}

std::vector<Hit> Store::candidates(const Place& place, const http::Fields& request, Arena& arena) noexcept {
  std::vector<Hit> out;
  StoreShard& shard = shards_[index_of(place.url)];
  const std::uint64_t hash = key_hash(place.key, seed_);
  std::lock_guard lock(shard.mutex);
  const Record* record = shard.records.find(hash, place.key);
  if (record == nullptr) return out;
  for (const Entry* entry = record->entries.get(); entry != nullptr; entry = entry->next.get())
    if (entry->head != nullptr && is_for(*entry->head, request, arena)) out.push_back(hit_of(*entry));
  return out;
}

// True: `out` says what there is to do without leading.
bool Store::is_settled(StoreShard& shard, const Record* record, Asker& asker, Instant now, Arena& arena, Joined& out) noexcept {
  if (record == nullptr) return false;
  const Entry* best = StoreShard::choose(*record, *asker.request, arena);
  if (best != nullptr && (asker.seen == nullptr || best->head != asker.seen->head || best->version != asker.seen->version)) {
    out.role = Role::Again;
    return true;
  }
  if (Entry* mark = StoreShard::mark_of(*record); mark != nullptr && now < mark->pass_until) {
    S3Fifo::touch(*mark);
    out.role = asker.waits ? Role::Pass : Role::Busy;
    return true;
  }
  const std::string_view expected = expected_key(*record, *asker.request, arena);
  for (FillState* fill : record->fills) {
    if (fill->known != nullptr ? !is_for(*fill->known, *asker.request, arena) : fill->expected != expected) continue;
    out.role = Role::Busy;
    if (!asker.waits) return true;
    ++shard.count(asker.route).collapsed;
    std::lock_guard lock(fill->mutex);
    fill->readers.push_back({.wake = std::move(asker.wake)});
    out.role = Role::Follow;
    out.follower = Follower(fill->shared_from_this(), std::prev(fill->readers.end()));
    return true;
  }
  out.role = asker.waits ? Role::Pass : Role::Busy;
  return record->fills.size() >= kMaxFills;
}

Store::Joined Store::join(const Place& place, Asker asker, Instant now, Arena& arena) noexcept {
  const std::size_t index = index_of(place.url);
  StoreShard& shard = shards_[index];
  const std::uint64_t hash = key_hash(place.key, seed_);
  Joined out;
  {
    std::lock_guard lock(shard.mutex);
    if (is_settled(shard, shard.records.find(hash, place.key), asker, now, arena, out)) return out;
  }
  // Room is made without the lock, so that all has to be looked at again afterwards.
  auto fill = std::make_shared<FillState>(*this, index);
  auto made = std::make_unique<Record>(place.url, place.key, hash);
  const std::size_t of_record = made->memory();
  out.role = asker.waits ? Role::Pass : Role::Busy;
  if (!reserve(of_record + kFillMemory, index)) return out;
  std::size_t unused = of_record + kFillMemory;
  {
    std::lock_guard lock(shard.mutex);
    Record* record = shard.records.find(hash, place.key);
    if (!is_settled(shard, record, asker, now, arena, out)) {
      unused = record == nullptr ? 0 : of_record;
      if (record == nullptr) record = &shard.add(std::move(made));
      lead(shard, *record, *fill, asker, arena);
      out.role = Role::Lead;
      out.fill = Fill(std::move(fill));
    }
  }
  release(unused);
  return out;
}

void Store::lead(StoreShard& shard, Record& record, FillState& fill, const Asker& asker, Arena& arena) noexcept {
  fill.reserved = kFillMemory;
  fill.route = asker.route;
  fill.began = tag_purges_.count.load(std::memory_order_acquire);
  fill.expected = expected_key(record, *asker.request, arena);
  for (const Entry* entry = record.entries.get(); entry != nullptr; entry = entry->next.get())
    if (entry->head != nullptr && is_for(*entry->head, *asker.request, arena)) fill.replaces.push_back(entry->head);
  shard.attach(fill, record);
}

bool Store::reserve(std::size_t bytes, std::size_t home) noexcept {
  std::size_t total = total_.load(std::memory_order_relaxed);
  while (true) {
    const std::size_t most = bound();
    if (bytes > most) return false;
    if (total <= most - bytes) {
      if (total_.compare_exchange_weak(total, total + bytes, std::memory_order_relaxed)) return true;
      continue;
    }
    if (!evict_some(total - (most - bytes), home)) return false;
    total = total_.load(std::memory_order_relaxed);
  }
}

// From the shard at hand if it has its part or more, else from the one that has most. False: nothing can go.
bool Store::evict_some(std::size_t wanted, std::size_t home) noexcept {
  const std::size_t fair = bound() / shard_count_;
  const auto has = [this](std::size_t i) { return shards_[i].evictable.load(std::memory_order_relaxed); };
  std::size_t index = home;
  if (has(home) == 0 || has(home) < fair)
    for (std::size_t i = 0; i < shard_count_; ++i)
      if (has(i) > has(index)) index = i;
  if (has(index) == 0) return false;
  StoreShard& shard = shards_[index];
  Garbage garbage(*this);
  std::lock_guard lock(shard.mutex);
  while (garbage.bytes < wanted && shard.evict(garbage))
    if (has(index) < fair) break;  // the next turn looks again who has most
  return true;  // also where another has taken all that was there: then there is room
}

void Store::set_bytes(std::size_t bytes) noexcept {
  bound_.store(bytes, std::memory_order_relaxed);
  (void)reserve(0, 0);
}

std::size_t Store::entries() const noexcept { return static_cast<std::size_t>(counts().entries); }

StoreCounts Store::counts(std::uint32_t route) const noexcept {
  StoreCounts sum;
  const std::size_t index = std::min<std::size_t>(route, kMaxRoutes - 1);
  for (std::size_t i = 0; i < shard_count_; ++i) {
    std::lock_guard lock(shards_[i].mutex);
    if (index < shards_[i].counts.size()) add_up(sum, shards_[i].counts[index]);
  }
  return sum;
}

StoreCounts Store::counts() const noexcept {
  StoreCounts sum;
  for (std::size_t i = 0; i < shard_count_; ++i) {
    std::lock_guard lock(shards_[i].mutex);
    for (const StoreCounts& c : shards_[i].counts) add_up(sum, c);
  }
  return sum;
}

}  // namespace gatelab::cache
