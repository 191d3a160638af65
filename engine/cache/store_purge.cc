// SPDX-License-Identifier: Apache-2.0
// Purges: by URL and prefix through the index by URL, by tag through the index by tag. An answer that was asked for before a
// purge is not stored after it: its URL is known, so that it is found by that; its tags are known only when it comes, so that the last
// purges by tag are remembered until then.
#include <algorithm>
#include <string>
#include <utility>

#include "cache/key_hash.h"
#include "cache/store.h"
#include "cache/store_shard.h"

namespace gatelab::cache {
namespace {

// As many are looked at under a lock, then others may look things up.
constexpr std::size_t kAtOnce = 512;

// Goes on behind `from`; empty when all are done.
struct Walk {
  std::string url, key;
  bool is_first = true;
  std::size_t purged = 0;
};

template <class Matches>
bool purge_some(StoreShard& shard, Walk& walk, const Matches& matches, Purge how, Instant now, Garbage& garbage) noexcept {
  const UrlOrder::Place from{walk.url, walk.key};
  auto at = walk.is_first ? shard.by_url.lower_bound(from) : shard.by_url.upper_bound(from);
  for (std::size_t n = 0; at != shard.by_url.end() && matches((*at)->url()); ++n) {
    Record& record = **at++;
    if (n == kAtOnce) {
      walk.url = record.url();
      walk.key = record.key();
      walk.is_first = false;
      walk.purged += shard.purge(record, how, now, garbage);
      return true;
    }
    walk.purged += shard.purge(record, how, now, garbage);
  }
  return false;
}

template <class Matches>
std::size_t purge_shard(Store& store, StoreShard& shard, std::string_view begin, const Matches& matches, Purge how, Instant now) noexcept {
  Walk walk{std::string(begin), {}};
  bool more = true;
  while (more) {
    Garbage garbage(store);
    std::lock_guard lock(shard.mutex);
    more = purge_some(shard, walk, matches, how, now, garbage);
  }
  return walk.purged;
}

bool has_tag(const StoredHead& head, std::string_view tag) noexcept {
  const auto tags = head.tags();
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

// Those that stay are all done under one lock: they cost a few instructions each, and their list can't be left and found again.
std::size_t purge_tagged(StoreShard& shard, std::string_view tag, Purge how, Instant now, Garbage& garbage) noexcept {
  std::size_t purged = 0;
  if (how != Purge::Hard) {
    for (TagLink* link = shard.tags.first(tag); link != nullptr; link = link->after, ++purged) shard.purge(*link->entry, how, now, garbage);
    return purged;
  }
  for (; purged < kAtOnce; ++purged) {
    TagLink* const link = shard.tags.first(tag);
    if (link == nullptr) break;
    shard.purge(*link->entry, how, now, garbage);
  }
  return purged;
}

}  // namespace

std::size_t Store::purge_url(std::string_view url, Purge how, Instant now) noexcept {
  return purge_shard(*this, shards_[index_of(url)], url, [url](std::string_view other) { return other == url; }, how, now);
}

std::size_t Store::purge_prefix(std::string_view prefix, Purge how, Instant now) noexcept {
  std::size_t purged = 0;
  for (std::size_t i = 0; i < shard_count_; ++i)
    purged += purge_shard(*this, shards_[i], prefix, [prefix](std::string_view url) { return url.starts_with(prefix); }, how, now);
  return purged;
}

std::size_t Store::purge_tag(std::string_view tag, Purge how, Instant now) noexcept {
  {
    // Before anything is looked at: who is about to store sees it here, or is seen there.
    std::lock_guard lock(tag_purges_.mutex);
    const std::uint64_t n = tag_purges_.count.load(std::memory_order_relaxed);
    tag_purges_.hashes[n % TagPurges::kRemembered] = key_hash(tag, seed_);
    tag_purges_.count.store(n + 1, std::memory_order_release);
  }
  std::size_t purged = 0;
  for (std::size_t i = 0; i < shard_count_; ++i) {
    std::size_t some = kAtOnce;
    for (bool is_first = true; some == kAtOnce && (is_first || how == Purge::Hard); is_first = false) {
      Garbage garbage(*this);
      std::lock_guard lock(shards_[i].mutex);
      for (FillState *fill = shards_[i].fills, *next = nullptr; fill != nullptr; fill = next) {
        next = fill->after;
        if (fill->known != nullptr && has_tag(*fill->known, tag)) shards_[i].detach(*fill, garbage);
      }
      some = purge_tagged(shards_[i], tag, how, now, garbage);
      purged += some;
    }
  }
  return purged;
}

bool Store::was_purged(const StoredHead& head, std::uint64_t since) const noexcept {
  if (head.tags().empty() || tag_purges_.count.load(std::memory_order_acquire) == since) return false;
  std::lock_guard lock(tag_purges_.mutex);
  const std::uint64_t now = tag_purges_.count.load(std::memory_order_relaxed);
  if (now - since > TagPurges::kRemembered) return true;  // one of those that are forgotten may have been its
  for (const std::string_view tag : head.tags()) {
    const std::uint64_t hash = key_hash(tag, seed_);
    for (std::uint64_t i = since; i < now; ++i)
      if (tag_purges_.hashes[i % TagPurges::kRemembered] == hash) return true;
  }
  return false;
}

}  // namespace gatelab::cache
