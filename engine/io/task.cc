// SPDX-License-Identifier: Apache-2.0
// Coroutine frames come back again and again in the same few sizes: each thread keeps them in lists by size.
#include "io/task.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "base/sanitized.h"

namespace gatelab::io {
namespace {

constexpr std::size_t kStep = 64;
constexpr std::size_t kLargest = 4096;
constexpr std::uint32_t kKept = 1024;  // of each size

struct Free {
  Free* next;
};

struct Lists {
  std::array<Free*, kLargest / kStep + 1> first{};
  std::array<std::uint32_t, kLargest / kStep + 1> count{};
  ~Lists() {
    for (Free* f : first)
      while (f != nullptr) std::free(std::exchange(f, f->next));
  }
};
thread_local Lists lists;

void* take_from_heap(std::size_t size) noexcept {
  void* p = std::malloc(size);
  if (p == nullptr) std::abort();
  return p;
}

}  // namespace

void* allocate_frame(std::size_t size) noexcept {
  if (kSanitized || size > kLargest) return take_from_heap(size);
  const std::size_t slot = (size + kStep - 1) / kStep;
  Free* f = lists.first[slot];
  if (f == nullptr) return take_from_heap(slot * kStep);
  lists.first[slot] = f->next;
  --lists.count[slot];
  return f;
}

void free_frame(void* frame, std::size_t size) noexcept {
  const std::size_t slot = (size + kStep - 1) / kStep;
  if (kSanitized || size > kLargest || lists.count[slot] >= kKept) return std::free(frame);
  lists.first[slot] = new (frame) Free{lists.first[slot]};
  ++lists.count[slot];
}

}  // namespace gatelab::io
