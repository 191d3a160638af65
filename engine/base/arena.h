// SPDX-License-Identifier: Apache-2.0
// A bump allocator for the life of one exchange. Freed all at once; destructors of what it holds are never run, so only
// trivially destructible things go in. Not thread-safe: owned by one exchange, used on its worker's thread.
#pragma once

#include <cstddef>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/text.h"

namespace gatelab {

class Arena {
 public:
  // `first` bytes are taken at the first allocation; further blocks double up to 64 KiB.
  explicit Arena(std::size_t first = 4096) noexcept : next_size_(first) {}
  ~Arena() { release(); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Never null: out of memory ends the process.
  void* allocate(std::size_t size, std::size_t align = alignof(std::max_align_t)) noexcept {
    std::size_t at = (used_ + align - 1) & ~(align - 1);
    if (head_ == nullptr || at + size > head_->size) return allocate_slow(size);
    used_ = at + size;
    return head_->data() + at;
  }

  template <class T, class... A>
  T* make(A&&... args) noexcept {
    static_assert(std::is_trivially_destructible_v<T>, "the arena runs no destructors");
    return new (allocate(sizeof(T), alignof(T))) T{std::forward<A>(args)...};
  }

  template <class T>
  std::span<T> array(std::size_t n) noexcept {
    static_assert(std::is_trivially_destructible_v<T>, "the arena runs no destructors");
    T* p = static_cast<T*>(allocate(sizeof(T) * n, alignof(T)));
    for (std::size_t i = 0; i < n; ++i) new (p + i) T{};
    return {p, n};
  }

  // As array(), but the elements hold nothing yet: for those that are written before they are read.
  template <class T>
  T* room(std::size_t n) noexcept {
    static_assert(std::is_trivially_destructible_v<T> && std::is_trivially_copyable_v<T>, "nothing is constructed here");
    return static_cast<T*>(allocate(sizeof(T) * n, alignof(T)));
  }

  // A copy of `text` that lives as long as the arena.
  std::string_view copy(std::string_view text) noexcept {
    if (text.empty()) return {};
    char* p = static_cast<char*>(allocate(text.size(), 1));
    put(p, text);
    return {p, text.size()};
  }

  template <class... Parts>
  std::string_view concat(const Parts&... parts) noexcept {
    const std::size_t n = (std::string_view(parts).size() + ... + 0);
    char* p = static_cast<char*>(allocate(n + 1, 1));
    char* at = p;
    ((at = put(at, std::string_view(parts))), ...);
    return {p, n};
  }

  // Forgets everything; keeps the largest block of at most 64 KiB, so that who needs about as much again and again allocates
  // nothing in the steady state.
  void reset() noexcept;

 private:
  struct alignas(std::max_align_t) Block {
    Block* before;
    std::size_t size;
    char* data() noexcept { return reinterpret_cast<char*>(this + 1); }
  };
  void* allocate_slow(std::size_t size) noexcept;
  void release() noexcept;

  Block* head_ = nullptr;
  std::size_t used_ = 0;
  std::size_t next_size_;
};

}  // namespace gatelab
