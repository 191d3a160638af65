// SPDX-License-Identifier: Apache-2.0
// The cache's memory: complete responses by key, and answers on their way to be. Within a bound in octets that counts keys,
// fields, content and what is around them. What may be stored and used, others decide (storability.h, reuse.h); it outlives
// every configuration, for nothing in it depends on one but the bound. Any thread. A hit takes one mutex of one shard, once.
//
// Content that is being sent after its entry was put out or purged is its sender's, and not counted any more.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/fill.h"

namespace gatelab::cache {

struct Entry;
struct Record;
struct StoreShard;
struct Garbage;

struct Place {
  std::string_view url;  // of the target, its query normalised: to_text() of target.h. What is purged by
  std::string_view key;  // primary_key()
};

struct StoreCounts {
  std::uint64_t hits = 0;       // what was found was fresh
  std::uint64_t stale = 0;      // what was found was not
  std::uint64_t misses = 0;
  std::uint64_t collapsed = 0;  // waited for another's answer
  std::uint64_t stored = 0;
  std::uint64_t evicted = 0;    // for want of room
  std::uint64_t purged = 0;
  std::int64_t entries = 0;     // now
  std::int64_t bytes = 0;       // now, of those entries, without their keys
};

enum class Purge : std::uint8_t {
  Hard,     // it is gone
  Soft,     // it is stale from now on
  Invalid,  // it needs a validation (RFC 9111 §4.4)
};

class Store {
 public:
  static constexpr std::size_t kMaxVariants = 32;  // of one key; beyond them the oldest goes
  static constexpr std::size_t kMaxFills = 64;     // of one key, at the same time
  static constexpr std::size_t kMaxTags = 128;     // a response with more is not stored: it could not be purged by all
  static constexpr std::size_t kMaxRoutes = 4096;  // those beyond are counted as one
  static constexpr std::size_t kShareOf = 8;       // an entry takes this part of the bound at most

  // `seed`: a secret. `shards`: a power of two.
  Store(std::size_t bytes, std::uint64_t seed, std::size_t shards = 64);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // The variant for `request`, fresh or not: reuse() says what may be done with it.
  std::optional<Hit> find(const Place& place, const http::Fields& request, Instant now, std::uint32_t route, Arena& arena) noexcept;
  // Is any variant stored there, be it for other requests?
  bool has(const Place& place) noexcept;
  // All that could be chosen for `request`, for a validation and for select_for_update().
  std::vector<Hit> candidates(const Place& place, const http::Fields& request, Arena& arena) noexcept;

  struct Asker {
    const http::Fields* request = nullptr;  // as it would go upstream; never null
    const Hit* seen = nullptr;              // what find() had, if anything: it is not enough
    bool waits = true;                      // false: it has an answer already, and asks only whether to validate
    std::uint32_t route = 0;
    std::function<void()> wake{};           // of a follower (fill.h)
  };
  enum class Role : std::uint8_t {
    Lead,    // ask upstream, and bring the answer to `fill`
    Follow,  // another does: `follower`
    Pass,    // ask upstream for yourself alone: such answers can't be stored
    Again,   // there is something else by now: find() it
    Busy,    // of who does not wait: another does it
  };
  struct Joined {
    Role role = Role::Pass;
    Fill fill{};
    Follower follower{};
  };
  Joined join(const Place& place, Asker asker, Instant now, Arena& arena) noexcept;

  // Where no fill is open: a HEAD has freshened what was found (§4.3.5), or shown that it is out of date. False: it has changed or
  // gone in the meantime.
  bool freshen(const Place& place, const Hit& hit, const HeadParts& parts, const Facts& facts) noexcept;
  bool expire(const Place& place, const Hit& hit, Instant now) noexcept;

  // How many variants. Everyone's and consumers' alike; answers that were asked for before are not stored any more.
  std::size_t purge_url(std::string_view url, Purge how, Instant now) noexcept;
  std::size_t purge_prefix(std::string_view prefix, Purge how, Instant now) noexcept;
  std::size_t purge_tag(std::string_view tag, Purge how, Instant now) noexcept;

  // Smaller: puts out what is too much. Open fills keep what they have until their next piece.
  void set_bytes(std::size_t bytes) noexcept;
  std::size_t bytes() const noexcept { return total_.load(std::memory_order_relaxed); }
  std::size_t bound() const noexcept { return bound_.load(std::memory_order_relaxed); }
  // Of content that is passed on to followers without being stored; beside bytes().
  std::size_t passing() const noexcept { return passing_.load(std::memory_order_relaxed); }
  std::size_t entries() const noexcept;
  StoreCounts counts(std::uint32_t route) const noexcept;
  StoreCounts counts() const noexcept;  // of all routes

 private:
  friend class Fill;
  friend class Follower;
  friend struct FillState;
  friend struct Garbage;
  // The last purges by tag: an answer whose tags are not known yet can't be found by them.
  struct TagPurges {
    static constexpr std::size_t kRemembered = 1024;
    mutable std::mutex mutex;
    std::array<std::uint64_t, kRemembered> hashes{};
    std::atomic<std::uint64_t> count{0};
  };

  std::size_t index_of(std::string_view url) const noexcept;
  bool is_settled(StoreShard& shard, const Record* record, Asker& asker, Instant now, Arena& arena, Joined& out) noexcept;
  void lead(StoreShard& shard, Record& record, FillState& fill, const Asker& asker, Arena& arena) noexcept;
  // Counts them in the bound, and puts out what has to go for that. False: there is no room to be made. Under no lock.
  bool reserve(std::size_t bytes, std::size_t home) noexcept;
  void release(std::size_t bytes) noexcept { total_.fetch_sub(bytes, std::memory_order_relaxed); }
  bool evict_some(std::size_t wanted, std::size_t home) noexcept;
  bool was_purged(const StoredHead& head, std::uint64_t since) const noexcept;
  std::uint64_t limit() const noexcept { return bound() / kShareOf; }
  bool commit(FillState& fill) noexcept;
  bool replace_head(StoreShard& shard, const Record* record, const Hit& hit, const std::shared_ptr<const StoredHead>& head, const Facts& facts,
                    std::size_t size, std::size_t& unused) noexcept;
  void hand_on(FillState& fill) noexcept;

  const std::uint64_t seed_;
  const std::size_t shard_count_;
  std::unique_ptr<StoreShard[]> shards_;
  std::atomic<std::size_t> bound_;
  // Written where something is stored or goes, not by hits.
  alignas(64) std::atomic<std::size_t> total_{0};
  std::atomic<std::size_t> passing_{0};
  TagPurges tag_purges_;
};

}  // namespace gatelab::cache
