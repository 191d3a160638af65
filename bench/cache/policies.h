// SPDX-License-Identifier: Apache-2.0
// What the store's order of eviction (cache/eviction.h) is measured against: LRU, and W-TinyLFU (Einziger, Friedman, Manes,
// "TinyLFU: a highly efficient cache admission policy", 2017) by octets. The same interface, the same nodes.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "base/random.h"
#include "cache/eviction.h"

namespace gatelab::bench {

using cache::Evictable;
using cache::EvictionQueue;

class Lru {
 public:
  explicit Lru(std::uint64_t) noexcept {}
  void insert(Evictable& node) noexcept { queue_.push(node); }
  void touch(Evictable& node) noexcept {
    queue_.remove(node);
    queue_.push(node);
  }
  Evictable* evict() noexcept {
    Evictable* node = queue_.oldest();
    if (node != nullptr) queue_.remove(*node);
    return node;
  }
  std::size_t bytes() const noexcept { return queue_.bytes(); }
  std::size_t memory() const noexcept { return 0; }

 private:
  EvictionQueue queue_;
};

// How often a hash was seen lately: four rows of counters up to 15, halved after ten times as many additions as there are
// counters in a row.
class FrequencySketch {
 public:
  void make_room_for(std::size_t entries) noexcept {
    const std::size_t words = std::bit_ceil(std::max<std::size_t>(entries, 64));
    if (words <= words_.size()) return;
    words_.assign(words, 0);
    additions_ = 0;
  }
  void add(std::uint64_t hash) noexcept {
    bool added = false;
    for (unsigned row = 0; row < 4; ++row) {
      const Place p = place(hash, row);
      if (((words_[p.word] >> p.shift) & 15) == 15) continue;
      words_[p.word] += std::uint64_t{1} << p.shift;
      added = true;
    }
    if (added && ++additions_ == words_.size() * 10) halve();
  }
  unsigned count(std::uint64_t hash) const noexcept {
    unsigned least = 15;
    for (unsigned row = 0; row < 4; ++row) {
      const Place p = place(hash, row);
      least = std::min(least, static_cast<unsigned>((words_[p.word] >> p.shift) & 15));
    }
    return least;
  }
  std::size_t memory() const noexcept { return words_.size() * 8; }

 private:
  struct Place {
    std::size_t word;
    unsigned shift;
  };
  // A row has four of the sixteen counters of each word.
  Place place(std::uint64_t hash, unsigned row) const noexcept {
    const std::uint64_t h = mix64(hash + row);
    return {h & (words_.size() - 1), (row * 4 + static_cast<unsigned>(h >> 62)) * 4};
  }
  void halve() noexcept {
    for (std::uint64_t& word : words_) word = (word >> 1) & 0x7777777777777777ULL;
    additions_ /= 2;
  }
  std::vector<std::uint64_t> words_;
  std::size_t additions_ = 0;
};

// A window of 1 % by recency; behind it a segmented LRU, to which a candidate comes only if it was asked for more often than what
// has to go for it.
class WTinyLfu {
 public:
  explicit WTinyLfu(std::uint64_t capacity) noexcept : capacity_(capacity) {}

  void insert(Evictable& node) noexcept {
    sketch_.make_room_for(window_.count() + probation_.count() + protected_.count() + 1);
    sketch_.add(node.hash);
    put(node, kWindow);
    // As long as there is room behind the window, nobody is compared with anybody.
    while (is_window_full() && probation_.bytes() + protected_.bytes() + window_.oldest()->size <= capacity_ / 100 * 99) admit(*window_.oldest());
  }
  void touch(Evictable& node) noexcept {
    sketch_.add(node.hash);
    of(node).remove(node);
    put(node, node.queue == kWindow ? kWindow : kProtected);
    while (protected_.bytes() * 100 > 80 * (protected_.bytes() + probation_.bytes())) {
      Evictable* const least = protected_.oldest();
      if (least == nullptr || least == &node) break;
      protected_.remove(*least);
      put(*least, kProbation);
    }
  }
  Evictable* evict() noexcept {
    Evictable* const victim = probation_.oldest() != nullptr ? probation_.oldest() : protected_.oldest();
    Evictable* const candidate = window_.oldest();
    if (victim == nullptr) return candidate == nullptr ? nullptr : out(*candidate);
    if (candidate == nullptr || !is_window_full()) return out(*victim);
    if (sketch_.count(candidate->hash) <= sketch_.count(victim->hash)) return out(*candidate);
    admit(*candidate);
    return out(*victim);
  }
  std::size_t bytes() const noexcept { return window_.bytes() + probation_.bytes() + protected_.bytes(); }
  std::size_t memory() const noexcept { return sketch_.memory(); }

 private:
  enum : std::uint8_t { kWindow, kProbation, kProtected };
  EvictionQueue& of(const Evictable& node) noexcept { return node.queue == kWindow ? window_ : node.queue == kProbation ? probation_ : protected_; }
  void put(Evictable& node, std::uint8_t queue) noexcept {
    node.queue = queue;
    of(node).push(node);
  }
  bool is_window_full() const noexcept { return window_.bytes() > capacity_ / 100; }
  void admit(Evictable& candidate) noexcept {
    window_.remove(candidate);
    put(candidate, kProbation);
  }
  Evictable* out(Evictable& node) noexcept {
    of(node).remove(node);
    return &node;
  }
  std::uint64_t capacity_;
  EvictionQueue window_, probation_, protected_;
  FrequencySketch sketch_;
};

}  // namespace gatelab::bench
