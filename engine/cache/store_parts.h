// SPDX-License-Identifier: Apache-2.0
// What the store is made of: records by key, with their variants, in a table by key, in an index by URL and in one by tag. Its
// own business, for store*.cc only; guarded by the mutex of the shard that they are in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cache/body.h"
#include "cache/eviction.h"
#include "cache/facts.h"
#include "cache/stored_head.h"

namespace gatelab::cache {

struct Record;
struct Entry;
struct FillState;

// One tag of one entry, in the list of that tag.
struct TagLink {
  struct List {
    TagLink* first = nullptr;
  };
  List* list = nullptr;
  Entry* entry = nullptr;
  TagLink *before = nullptr, *after = nullptr;
};

struct Entry : Evictable {
  Record* record = nullptr;
  std::unique_ptr<Entry> next;           // of the record, the latest first
  std::shared_ptr<const StoredHead> head;  // null: a mark that what is answered to this key can't be stored
  std::shared_ptr<const Body> body;
  Facts facts;
  Instant pass_until;         // of a mark
  std::uint32_t version = 0;  // changes with `facts`
  std::uint32_t route = 0;    // whose answer it is, for the statistics
  std::vector<TagLink> links;
};

// By URL, then by key, in the order of their octets.
struct UrlOrder {
  using is_transparent = void;
  using Place = std::pair<std::string_view, std::string_view>;
  static Place place(const Record* record) noexcept;
  static const Place& place(const Place& place) noexcept { return place; }
  template <class A, class B>
  bool operator()(const A& a, const B& b) const noexcept {
    return place(a) < place(b);
  }
};
using UrlIndex = std::set<Record*, UrlOrder>;

struct Record {
  Record(std::string_view url, std::string_view key, std::uint64_t hash_of_key);
  std::string_view url() const noexcept { return {text.get(), url_size}; }
  std::string_view key() const noexcept { return {text.get() + url_size, key_size}; }
  std::size_t memory() const noexcept;

  std::unique_ptr<char[]> text;
  std::size_t url_size, key_size;
  std::uint64_t hash;
  std::unique_ptr<Record> next;  // of the same bucket
  std::unique_ptr<Entry> entries;
  std::vector<FillState*> fills;  // those that can be joined
  UrlIndex::iterator indexed;
};
inline UrlOrder::Place UrlOrder::place(const Record* record) noexcept { return {record->url(), record->key()}; }

// By key, chained; its owner finds the bucket by the hash that he has already.
class RecordTable {
 public:
  Record* find(std::uint64_t hash, std::string_view key) const noexcept;
  void insert(std::unique_ptr<Record> record) noexcept;
  std::unique_ptr<Record> take(Record& record) noexcept;
  std::size_t size() const noexcept { return size_; }

 private:
  std::unique_ptr<Record>& bucket(std::uint64_t hash) noexcept { return buckets_[hash & (buckets_.size() - 1)]; }
  void grow() noexcept;
  std::vector<std::unique_ptr<Record>> buckets_;
  std::size_t size_ = 0;
};

class TagIndex {
 public:
  // By each of its head's tags.
  void insert(Entry& entry) noexcept;
  void remove(Entry& entry) noexcept;
  // Null: nothing has that tag.
  TagLink* first(std::string_view tag) const noexcept;
  bool empty() const noexcept { return lists_.empty(); }

 private:
  std::unordered_map<std::string, TagLink::List> lists_;
};

// What a variant takes, with its part of the indexes.
std::size_t memory_of(const StoredHead& head, const Body& body) noexcept;
std::size_t memory_of_mark() noexcept;
// An open fill's, without what it has read.
inline constexpr std::size_t kFillMemory = 1024;

}  // namespace gatelab::cache
