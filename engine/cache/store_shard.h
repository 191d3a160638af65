// SPDX-License-Identifier: Apache-2.0
// One of the store's parts, with all keys of some URLs. Its own business, for store*.cc and fill*.cc only; everything but
// `evictable` is guarded by the mutex.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "cache/fill_state.h"
#include "cache/store.h"
#include "cache/store_parts.h"

namespace gatelab::cache {

// What was taken out of a shard: freed when the shard's mutex is free again, then given back to the bound. Declare it before
// the lock.
struct Garbage {
  explicit Garbage(Store& owner) noexcept : store(owner) {}
  ~Garbage();
  Garbage(const Garbage&) = delete;
  Garbage& operator=(const Garbage&) = delete;
  void add(std::unique_ptr<Entry> entry) noexcept;
  void add(std::unique_ptr<Record> record) noexcept;

  Store& store;
  std::unique_ptr<Entry> entries;
  std::unique_ptr<Record> records;
  std::size_t bytes = 0;
};

struct StoreShard {
  mutable std::mutex mutex;
  RecordTable records;
  UrlIndex by_url;
  TagIndex tags;
  S3Fifo order;
  FillState* fills = nullptr;
  std::vector<StoreCounts> counts;
  std::atomic<std::size_t> evictable{0};  // octets

  StoreCounts& count(std::uint32_t route) noexcept;
  Record& add(std::unique_ptr<Record> record) noexcept;
  // `entry` knows its size and is counted in the bound.
  void insert(Record& record, std::unique_ptr<Entry> entry) noexcept;
  // With the record, if nothing else is there.
  void erase(Entry& entry, Garbage& garbage) noexcept;
  // As erase(), of the one that goes first. False: there is none.
  bool evict(Garbage& garbage) noexcept;
  void resize(Entry& entry, std::size_t size) noexcept;
  // Of the variants, the one for that request; null: none.
  static Entry* choose(const Record& record, const http::Fields& request, Arena& arena) noexcept;
  static Entry* mark_of(const Record& record) noexcept;
  // Nobody waits for this key until then. What it takes, if there was no mark yet.
  std::size_t put_mark(Record& record, std::uint32_t route, Instant until) noexcept;

  void attach(FillState& fill, Record& record) noexcept;
  // Nobody joins it from now on, and it is not stored. The record may go with it.
  void detach(FillState& fill, Garbage& garbage) noexcept;
  // What a purge does to all of one record. How many variants.
  std::size_t purge(Record& record, Purge how, Instant now, Garbage& garbage) noexcept;
  void purge(Entry& entry, Purge how, Instant now, Garbage& garbage) noexcept;

 private:
  void take_out(Entry& entry, Garbage& garbage) noexcept;
  void drop_if_empty(Record& record, Garbage& garbage) noexcept;
  void note_bytes() noexcept { evictable.store(order.bytes(), std::memory_order_relaxed); }
};

// Does the response answer this request, as far as Vary is concerned?
bool is_for(const StoredHead& head, const http::Fields& request, Arena& arena) noexcept;

}  // namespace gatelab::cache
