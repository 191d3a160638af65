// SPDX-License-Identifier: Apache-2.0
#include "cache/store_shard.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cache/vary.h"

namespace gatelab::cache {

// One by one: a chain that frees itself would need a stack as deep as it is long.
Garbage::~Garbage() {
  while (entries != nullptr) entries = std::move(entries->next);
  while (records != nullptr) records = std::move(records->next);
  store.release(bytes);
}

void Garbage::add(std::unique_ptr<Entry> entry) noexcept {
  bytes += entry->size;
  entry->next = std::move(entries);
  entries = std::move(entry);
}

void Garbage::add(std::unique_ptr<Record> record) noexcept {
  bytes += record->memory();
  record->next = std::move(records);
  records = std::move(record);
}

StoreCounts& StoreShard::count(std::uint32_t route) noexcept {
  const std::size_t index = std::min<std::size_t>(route, Store::kMaxRoutes - 1);
  if (counts.size() <= index) counts.resize(index + 1);
  return counts[index];
}

Record& StoreShard::add(std::unique_ptr<Record> record) noexcept {
  Record& out = *record;
  records.insert(std::move(record));
  out.indexed = by_url.insert(&out).first;
  return out;
}

void StoreShard::insert(Record& record, std::unique_ptr<Entry> entry) noexcept {
  Entry& e = *entry;
  e.record = &record;
  e.next = std::move(record.entries);
  record.entries = std::move(entry);
  if (e.head != nullptr) {
    tags.insert(e);
    StoreCounts& c = count(e.route);
    ++c.entries;
    c.bytes += static_cast<std::int64_t>(e.size);
  }
  order.insert(e);
  note_bytes();
}

void StoreShard::take_out(Entry& entry, Garbage& garbage) noexcept {
  if (entry.head != nullptr) {
    tags.remove(entry);
    StoreCounts& c = count(entry.route);
    --c.entries;
    c.bytes -= static_cast<std::int64_t>(entry.size);
  }
  Record& record = *entry.record;
  std::unique_ptr<Entry>* place = &record.entries;
  while (place->get() != &entry) place = &(*place)->next;
  std::unique_ptr<Entry> out = std::move(*place);
  *place = std::move(out->next);
  garbage.add(std::move(out));
  drop_if_empty(record, garbage);
  note_bytes();
}

void StoreShard::erase(Entry& entry, Garbage& garbage) noexcept {
  order.remove(entry);
  take_out(entry, garbage);
}

bool StoreShard::evict(Garbage& garbage) noexcept {
  auto* const entry = static_cast<Entry*>(order.evict());
  if (entry == nullptr) return false;
  if (entry->head != nullptr) ++count(entry->route).evicted;
  take_out(*entry, garbage);
  return true;
}

void StoreShard::resize(Entry& entry, std::size_t size) noexcept {
  count(entry.route).bytes += static_cast<std::int64_t>(size) - static_cast<std::int64_t>(entry.size);
  order.resize(entry, size);
  note_bytes();
}

void StoreShard::drop_if_empty(Record& record, Garbage& garbage) noexcept {
  if (record.entries != nullptr || !record.fills.empty()) return;
  by_url.erase(record.indexed);
  garbage.add(records.take(record));
}

Entry* StoreShard::choose(const Record& record, const http::Fields& request, Arena& arena) noexcept {
  std::array<Variant, Store::kMaxVariants + 1> variants;
  std::array<Entry*, Store::kMaxVariants + 1> entries{};
  std::size_t count = 0;
  for (Entry* entry = record.entries.get(); entry != nullptr; entry = entry->next.get()) {
    if (entry->head == nullptr) continue;
    if (count == 0 && entry->next == nullptr && entry->head->vary().empty()) return entry;  // as most are
    variants[count] = {entry->head->vary(), entry->head->variant_key(), entry->facts.date, entry->facts.response_time};
    entries[count++] = entry;
  }
  const std::size_t chosen = choose_variant({variants.data(), count}, request, arena);
  return chosen == kNoVariant ? nullptr : entries[chosen];
}

Entry* StoreShard::mark_of(const Record& record) noexcept {
  Entry* entry = record.entries.get();
  while (entry != nullptr && entry->head != nullptr) entry = entry->next.get();
  return entry;
}

std::size_t StoreShard::put_mark(Record& record, std::uint32_t route, Instant until) noexcept {
  if (Entry* mark = mark_of(record)) {
    mark->pass_until = until;
    return 0;
  }
  auto mark = std::make_unique<Entry>();
  mark->hash = record.hash;
  mark->size = memory_of_mark();
  mark->pass_until = until;
  mark->route = route;
  insert(record, std::move(mark));
  return memory_of_mark();
}

void StoreShard::attach(FillState& fill, Record& record) noexcept {
  record.fills.push_back(&fill);
  fill.record = &record;
  fill.after = fills;
  if (fills != nullptr) fills->before = &fill;
  fills = &fill;
}

void StoreShard::detach(FillState& fill, Garbage& garbage) noexcept {
  if (fill.record == nullptr) return;
  Record& record = *std::exchange(fill.record, nullptr);
  std::erase(record.fills, &fill);
  if (fill.after != nullptr) fill.after->before = fill.before;
  (fill.before == nullptr ? fills : fill.before->after) = fill.after;
  fill.before = fill.after = nullptr;
  fill.is_detached.store(true, std::memory_order_release);
  drop_if_empty(record, garbage);
}

void StoreShard::purge(Entry& entry, Purge how, Instant now, Garbage& garbage) noexcept {
  ++count(entry.route).purged;
  switch (how) {
    case Purge::Hard: erase(entry, garbage); return;
    case Purge::Soft: cache::expire(entry.facts, now); break;
    case Purge::Invalid: entry.facts.invalid = true; break;
  }
  ++entry.version;
}

std::size_t StoreShard::purge(Record& record, Purge how, Instant now, Garbage& garbage) noexcept {
  // The record goes with the last of what it has: each step finds out what comes next before it takes anything.
  std::size_t purged = 0;
  for (Entry *entry = record.entries.get(), *next = nullptr; entry != nullptr; entry = next) {
    next = entry->next.get();
    const bool is_last = next == nullptr && record.fills.empty();
    if (entry->head != nullptr) {
      purge(*entry, how, now, garbage);
      ++purged;
    } else if (how == Purge::Hard) {
      erase(*entry, garbage);
    }
    if (is_last) return purged;
  }
  while (!record.fills.empty()) {
    const bool is_last = record.fills.size() == 1;
    detach(*record.fills.back(), garbage);
    if (is_last) break;
  }
  return purged;
}

bool is_for(const StoredHead& head, const http::Fields& request, Arena& arena) noexcept {
  return head.vary().empty() || variant_key(head.vary(), request, arena) == head.variant_key();
}

}  // namespace gatelab::cache
