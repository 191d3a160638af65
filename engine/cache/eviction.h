// SPDX-License-Identifier: Apache-2.0
// What goes first when the store is full: S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023),
// by octets. Newcomers wait in a small queue, from which only what was asked for again goes on to the main one; who comes back
// soon after he was put out goes there at once. A hit writes one octet of its own node and moves nothing. Measured against
// W-TinyLFU and LRU: docs/decisions/0012-cache-eviction.md. Whoever owns it guards it; nodes are their owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gatelab::cache {

// What an entry is to the order of eviction. Its owner derives from it, and sets `hash` and `size` before it is inserted.
struct Evictable {
  Evictable* newer = nullptr;
  Evictable* older = nullptr;
  std::uint64_t hash = 0;  // spread well over all bits; the same when the same thing comes again
  std::size_t size = 0;    // octets
  std::uint8_t queue = 0;
  std::uint8_t uses = 0;
};

// In order of arrival.
class EvictionQueue {
 public:
  void push(Evictable& node) noexcept;
  void remove(Evictable& node) noexcept;
  Evictable* oldest() const noexcept { return oldest_; }
  std::size_t bytes() const noexcept { return bytes_; }
  std::size_t count() const noexcept { return count_; }

 private:
  Evictable* newest_ = nullptr;
  Evictable* oldest_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t count_ = 0;
};

// Who was put out lately, by hash only: 8 octets each. It forgets in order of arrival, and earlier where many meet in one place.
class Ghosts {
 public:
  // From now on the last `count` are remembered. Takes memory only when `count` has grown by half.
  void remember(std::size_t count) noexcept;
  void add(std::uint64_t hash) noexcept;
  // Was it there? It is no more.
  bool take(std::uint64_t hash) noexcept;
  std::size_t memory() const noexcept { return slots_.size() * sizeof(Slot); }

 private:
  struct Slot {
    std::uint32_t print = 0;
    std::uint32_t turn = 0;  // of insertion; 0: empty
  };
  static constexpr std::size_t kWays = 4;
  Slot* set_of(std::uint64_t hash) noexcept;
  bool is_alive(const Slot& slot) const noexcept { return slot.turn != 0 && turn_ - slot.turn < count_; }

  std::vector<Slot> slots_;
  std::size_t count_ = 0;
  std::uint32_t turn_ = 0;
};

class S3Fifo {
 public:
  void insert(Evictable& node) noexcept;
  // It was asked for.
  static void touch(Evictable& node) noexcept { node.uses = static_cast<std::uint8_t>(node.uses + (node.uses < kMaxUses ? 1 : 0)); }
  // It goes for another reason.
  void remove(Evictable& node) noexcept;
  // It has got another size.
  void resize(Evictable& node, std::size_t size) noexcept;
  // Takes out the one that goes first; null if there is none.
  Evictable* evict() noexcept;

  std::size_t count() const noexcept { return small_.count() + main_.count(); }
  std::size_t bytes() const noexcept { return small_.bytes() + main_.bytes(); }
  std::size_t memory() const noexcept { return ghosts_.memory(); }

 private:
  static constexpr std::uint8_t kMaxUses = 3;
  EvictionQueue& queue_of(const Evictable& node) noexcept { return node.queue == 0 ? small_ : main_; }
  void put(Evictable& node, std::uint8_t queue) noexcept;
  Evictable* evict_small() noexcept;

  EvictionQueue small_, main_;
  Ghosts ghosts_;
};

}  // namespace gatelab::cache
