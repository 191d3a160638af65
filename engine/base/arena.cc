// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/sanitized.h"

namespace gatelab {

namespace {
constexpr std::size_t kLargestBlock = 64 * 1024;
}

void* Arena::allocate_slow(std::size_t size) noexcept {
  const std::size_t want = std::max(next_size_, size);
  void* raw = std::malloc(sizeof(Block) + want);
  if (raw == nullptr) std::abort();
  head_ = new (raw) Block{head_, want};
  next_size_ = std::min(next_size_ * 2, kLargestBlock);
  used_ = size;  // a block's data is aligned for everything that `align` may ask for
  return head_->data();
}

void Arena::reset() noexcept {
  Block* kept = nullptr;
  while (head_ != nullptr) {
    Block* block = head_;
    head_ = block->before;
    // What was asked for in one piece beyond the usual is not worth keeping.
    if (!kSanitized && block->size <= kLargestBlock && (kept == nullptr || block->size > kept->size)) std::swap(block, kept);
    std::free(block);
  }
  head_ = kept;
  if (kept != nullptr) kept->before = nullptr;
  used_ = 0;
}

void Arena::release() noexcept {
  while (head_ != nullptr) {
    Block* before = head_->before;
    std::free(head_);
    head_ = before;
  }
}

}  // namespace gatelab
