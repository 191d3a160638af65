// SPDX-License-Identifier: Apache-2.0
// How what was read comes into the store: whole, or as a new head of what is there.
#include <algorithm>
#include <utility>

#include "cache/key_hash.h"
#include "cache/store.h"
#include "cache/store_shard.h"

namespace gatelab::cache {
namespace {

bool is_same_variant(const StoredHead& a, const StoredHead& b) noexcept {
  return a.variant_key() == b.variant_key() && std::equal(a.vary().begin(), a.vary().end(), b.vary().begin(), b.vary().end());
}

// What the new response stands for from now on: those that could have answered its request, so that none of them is found in its
// place, and the mark. The record stays, as the fill is its.
void make_way(StoreShard& shard, Record& record, const FillState& fill, Garbage& garbage) noexcept {
  std::size_t left = 0;
  for (Entry *entry = record.entries.get(), *next = nullptr; entry != nullptr; entry = next) {
    next = entry->next.get();
    const auto& r = fill.replaces;
    const bool goes = entry->head == nullptr || is_same_variant(*entry->head, *fill.head) || std::find(r.begin(), r.end(), entry->head) != r.end();
    if (goes || ++left >= Store::kMaxVariants) shard.erase(*entry, garbage);
  }
}

}  // namespace

bool Store::commit(FillState& fill) noexcept {
  // Only the leader adds pieces, and nobody takes any out of what will be stored.
  auto entry = std::make_unique<Entry>();
  entry->head = fill.head;
  entry->body = std::make_shared<const Body>(std::vector<Chunk>(fill.chunks.begin(), fill.chunks.end()));
  entry->facts = fill.facts;
  entry->route = fill.route;
  entry->size = memory_of(*entry->head, *entry->body);
  if (entry->size > fill.reserved) {
    if (!reserve(entry->size - fill.reserved, fill.shard)) return false;
    fill.reserved = entry->size;
  }
  StoreShard& shard = shards_[fill.shard];
  {
    Garbage garbage(*this);
    std::lock_guard lock(shard.mutex);
    if (was_purged(*fill.head, fill.began)) shard.detach(fill, garbage);
    if (fill.record == nullptr) return false;
    Record& record = *fill.record;
    make_way(shard, record, fill, garbage);
    entry->hash = fold_multiply(record.hash ^ key_hash(entry->head->variant_key(), seed_), 0x9e3779b97f4a7c15ULL);
    ++shard.count(fill.route).stored;
    fill.reserved -= entry->size;
    shard.insert(record, std::move(entry));
    shard.detach(fill, garbage);
  }
  (void)reserve(0, fill.shard);  // the bound may have become smaller
  return true;
}

// Under the shard's mutex. `size` is what is reserved for the new head with its body; `unused` becomes what is not needed.
bool Store::replace_head(StoreShard& shard, const Record* record, const Hit& hit, const std::shared_ptr<const StoredHead>& head, const Facts& facts,
                         std::size_t size, std::size_t& unused) noexcept {
  unused = size;
  Entry* entry = record == nullptr ? nullptr : record->entries.get();
  while (entry != nullptr && entry->head != hit.head) entry = entry->next.get();
  // Who purged it softly since did not mean what was asked before.
  if (entry == nullptr || entry->version != hit.version) return false;
  unused = entry->size;
  shard.tags.remove(*entry);
  entry->head = head;
  entry->facts = facts;
  ++entry->version;
  shard.tags.insert(*entry);
  shard.resize(*entry, size);
  return true;
}

bool Store::freshen(const Place& place, const Hit& hit, const HeadParts& parts, const Facts& facts) noexcept {
  const std::size_t index = index_of(place.url);
  StoreShard& shard = shards_[index];
  const auto head = std::make_shared<const StoredHead>(parts);
  const std::size_t size = memory_of(*head, *hit.body);
  if (parts.tags.size() > kMaxTags || !reserve(size, index)) return false;
  std::size_t unused = 0;
  bool done = false;
  {
    std::lock_guard lock(shard.mutex);
    done = replace_head(shard, shard.records.find(key_hash(place.key, seed_), place.key), hit, head, facts, size, unused);
  }
  release(unused);
  return done;
}

bool Store::expire(const Place& place, const Hit& hit, Instant now) noexcept {
  StoreShard& shard = shards_[index_of(place.url)];
  std::lock_guard lock(shard.mutex);
  const Record* record = shard.records.find(key_hash(place.key, seed_), place.key);
  Entry* entry = record == nullptr ? nullptr : record->entries.get();
  while (entry != nullptr && entry->head != hit.head) entry = entry->next.get();
  if (entry == nullptr || entry->version != hit.version) return false;
  cache::expire(entry->facts, now);
  ++entry->version;
  return true;
}

bool Fill::validated(const Hit& hit, const HeadParts& parts, const Facts& facts) noexcept {
  FillState& s = *state_;
  Store& store = s.store;
  StoreShard& shard = store.shards_[s.shard];
  const auto head = std::make_shared<const StoredHead>(parts);
  const std::size_t size = memory_of(*head, *hit.body);
  const bool fits = parts.tags.size() <= Store::kMaxTags && store.reserve(size, s.shard);
  std::size_t unused = 0;
  bool done = false, is_current = false;
  {
    Garbage garbage(store);
    std::lock_guard lock(shard.mutex);
    is_current = s.record != nullptr && !store.was_purged(*head, s.began);
    if (fits) unused = size;
    if (fits && is_current) done = store.replace_head(shard, s.record, hit, head, facts, size, unused);
    shard.detach(s, garbage);
  }
  store.release(unused);
  {
    std::lock_guard lock(s.mutex);
    s.validated = Hit{head, hit.body, facts, hit.version + 1};
  }
  close(is_current ? FillEnd::Validated : FillEnd::Again);
  return done;
}

void Store::hand_on(FillState& fill) noexcept {
  StoreShard& shard = shards_[fill.shard];
  Garbage garbage(*this);
  std::unique_lock outer(shard.mutex);
  std::unique_lock lock(fill.mutex);
  fill.drained = nullptr;
  for (FillReader& reader : fill.readers) reader.is_cut_off = reader.is_cut_off || reader.has_head;
  const auto next = std::find_if(fill.readers.begin(), fill.readers.end(), [](const FillReader& r) { return !r.is_cut_off; });
  if (fill.record == nullptr || next == fill.readers.end()) {
    shard.detach(fill, garbage);
    outer.unlock();
    fill.forget();
    fill.end = FillEnd::Again;
    fill.wake_all();
    release(std::exchange(fill.reserved, 0));
    return;
  }
  fill.known = nullptr;
  fill.began = tag_purges_.count.load(std::memory_order_acquire);
  outer.unlock();
  fill.forget();
  next->leads = true;
  release(fill.reserved - kFillMemory);
  fill.reserved = kFillMemory;
  fill.wake_all();
}

}  // namespace gatelab::cache
