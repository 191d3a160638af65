// SPDX-License-Identifier: Apache-2.0
#include "cache/eviction.h"

#include <algorithm>
#include <bit>

namespace gatelab::cache {

void EvictionQueue::push(Evictable& node) noexcept {
  node.newer = nullptr;
  node.older = newest_;
  (newest_ == nullptr ? oldest_ : newest_->newer) = &node;
  newest_ = &node;
  bytes_ += node.size;
  ++count_;
}

void EvictionQueue::remove(Evictable& node) noexcept {
  (node.newer == nullptr ? newest_ : node.newer->older) = node.older;
  (node.older == nullptr ? oldest_ : node.older->newer) = node.newer;
  node.newer = node.older = nullptr;
  bytes_ -= node.size;
  --count_;
}

void Ghosts::remember(std::size_t count) noexcept {
  count_ = count;
  // Half empty, so that few are forgotten before their turn. What was remembered is lost, which happens a few times in all.
  const std::size_t wanted = std::bit_ceil(std::max<std::size_t>(count * 4 / 3, 16));
  if (wanted > slots_.size()) slots_.assign(wanted, {});
}

Ghosts::Slot* Ghosts::set_of(std::uint64_t hash) noexcept { return slots_.data() + (hash & (slots_.size() / kWays - 1)) * kWays; }

void Ghosts::add(std::uint64_t hash) noexcept {
  if (slots_.empty()) return;
  if (++turn_ == 0) {  // after four thousand million: who is remembered then is forgotten
    slots_.assign(slots_.size(), {});
    turn_ = 1;
  }
  Slot* const set = set_of(hash);
  Slot* place = set;
  for (Slot* slot = set; slot != set + kWays; ++slot) {
    if (!is_alive(*slot)) {
      place = slot;
      break;
    }
    if (turn_ - slot->turn > turn_ - place->turn) place = slot;
  }
  *place = {static_cast<std::uint32_t>(hash >> 32), turn_};
}

bool Ghosts::take(std::uint64_t hash) noexcept {
  if (slots_.empty()) return false;
  const auto print = static_cast<std::uint32_t>(hash >> 32);
  Slot* const set = set_of(hash);
  for (Slot* slot = set; slot != set + kWays; ++slot) {
    if (!is_alive(*slot) || slot->print != print) continue;
    slot->turn = 0;
    return true;
  }
  return false;
}

void S3Fifo::put(Evictable& node, std::uint8_t queue) noexcept {
  node.uses = 0;
  node.queue = queue;
  queue_of(node).push(node);
}

void S3Fifo::insert(Evictable& node) noexcept { put(node, ghosts_.take(node.hash) ? 1 : 0); }

void S3Fifo::remove(Evictable& node) noexcept { queue_of(node).remove(node); }

void S3Fifo::resize(Evictable& node, std::size_t size) noexcept {
  EvictionQueue& queue = queue_of(node);
  queue.remove(node);
  node.size = size;
  queue.push(node);
}

// Those that were asked for again go on; null if all did.
Evictable* S3Fifo::evict_small() noexcept {
  while (Evictable* node = small_.oldest()) {
    small_.remove(*node);
    if (node->uses == 0) {
      ghosts_.remember(count());
      ghosts_.add(node->hash);
      return node;
    }
    put(*node, 1);
    if (small_.bytes() * 10 <= bytes()) return nullptr;
  }
  return nullptr;
}

Evictable* S3Fifo::evict() noexcept {
  while (count() != 0) {
    if (small_.bytes() * 10 > bytes() || main_.count() == 0) {
      if (Evictable* node = evict_small()) return node;
      continue;
    }
    Evictable* const node = main_.oldest();
    main_.remove(*node);
    if (node->uses == 0) return node;
    --node->uses;
    main_.push(*node);
  }
  return nullptr;
}

}  // namespace gatelab::cache
