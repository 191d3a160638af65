// SPDX-License-Identifier: Apache-2.0
#include "cache/store_parts.h"

#include <algorithm>
#include <utility>

namespace gatelab::cache {
namespace {

// A bucket, the place in the index by URL (a node of a tree: four words, a pointer and its allocation).
constexpr std::size_t kIndexed = 2 * sizeof(void*) + 5 * sizeof(void*) + kAllocation;
// What the order of eviction remembers of who is put out, at most.
constexpr std::size_t kRemembered = 24;
// The list of a tag, counted for each that has the tag.
constexpr std::size_t kTagList = sizeof(TagLink) + sizeof(std::string) + sizeof(TagLink::List) + 4 * sizeof(void*) + 2 * kAllocation;

}  // namespace

Record::Record(std::string_view url, std::string_view key, std::uint64_t hash_of_key)
    : text(std::make_unique_for_overwrite<char[]>(url.size() + key.size())), url_size(url.size()), key_size(key.size()), hash(hash_of_key) {
  std::copy(key.begin(), key.end(), std::copy(url.begin(), url.end(), text.get()));
}

std::size_t Record::memory() const noexcept { return sizeof(Record) + url_size + key_size + 2 * kAllocation + kIndexed; }

Record* RecordTable::find(std::uint64_t hash, std::string_view key) const noexcept {
  if (buckets_.empty()) return nullptr;
  for (Record* record = buckets_[hash & (buckets_.size() - 1)].get(); record != nullptr; record = record->next.get())
    if (record->hash == hash && record->key() == key) return record;
  return nullptr;
}

void RecordTable::insert(std::unique_ptr<Record> record) noexcept {
  if (size_ == buckets_.size()) grow();
  std::unique_ptr<Record>& place = bucket(record->hash);
  record->next = std::move(place);
  place = std::move(record);
  ++size_;
}

std::unique_ptr<Record> RecordTable::take(Record& record) noexcept {
  std::unique_ptr<Record>* place = &bucket(record.hash);
  while (place->get() != &record) place = &(*place)->next;
  std::unique_ptr<Record> out = std::move(*place);
  *place = std::move(out->next);
  --size_;
  return out;
}

void RecordTable::grow() noexcept {
  std::vector<std::unique_ptr<Record>> old(std::max<std::size_t>(16, buckets_.size() * 2));
  old.swap(buckets_);
  for (std::unique_ptr<Record>& chain : old)
    while (chain != nullptr) {
      std::unique_ptr<Record> record = std::move(chain);
      chain = std::move(record->next);
      std::unique_ptr<Record>& place = bucket(record->hash);
      record->next = std::move(place);
      place = std::move(record);
    }
}

void TagIndex::insert(Entry& entry) noexcept {
  const auto tags = entry.head->tags();
  entry.links.resize(tags.size());
  for (std::size_t i = 0; i < tags.size(); ++i) {
    TagLink& link = entry.links[i];
    TagLink::List& list = lists_[std::string(tags[i])];
    link = {&list, &entry, nullptr, list.first};
    if (list.first != nullptr) list.first->before = &link;
    list.first = &link;
  }
}

void TagIndex::remove(Entry& entry) noexcept {
  for (std::size_t i = 0; i < entry.links.size(); ++i) {
    const TagLink& link = entry.links[i];
    if (link.after != nullptr) link.after->before = link.before;
    (link.before == nullptr ? link.list->first : link.before->after) = link.after;
    if (link.list->first == nullptr) lists_.erase(std::string(entry.head->tags()[i]));
  }
  entry.links.clear();
}

TagLink* TagIndex::first(std::string_view tag) const noexcept {
  const auto list = lists_.find(std::string(tag));
  return list == lists_.end() ? nullptr : list->second.first;
}

std::size_t memory_of(const StoredHead& head, const Body& body) noexcept {
  std::size_t sum = sizeof(Entry) + 2 * kAllocation + kRemembered + head.memory() + body.memory();
  for (const std::string_view tag : head.tags()) sum += kTagList + tag.size();
  return sum;
}

std::size_t memory_of_mark() noexcept { return sizeof(Entry) + kAllocation + kRemembered; }

}  // namespace gatelab::cache
