// SPDX-License-Identifier: Apache-2.0
// Read buffers of a worker, recycled. Idle connections hold none. One thread; the pool outlives its buffers.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <utility>
#include <vector>

namespace gatelab::proxy {

class BufferPool;

// A block of octets that goes back to its pool when it is dropped. Movable.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& o) noexcept : pool_(std::exchange(o.pool_, nullptr)), data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)) {}
  Buffer& operator=(Buffer&& o) noexcept {
    if (this != &o) {
      release();
      pool_ = std::exchange(o.pool_, nullptr);
      data_ = std::exchange(o.data_, nullptr);
      size_ = std::exchange(o.size_, 0);
    }
    return *this;
  }
  ~Buffer() { release(); }
  char* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  explicit operator bool() const noexcept { return data_ != nullptr; }
  void release() noexcept;

 private:
  friend class BufferPool;
  Buffer(BufferPool* pool, char* data, std::size_t size) noexcept : pool_(pool), data_(data), size_(size) {}
  BufferPool* pool_ = nullptr;
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

class BufferPool {
 public:
  static constexpr std::size_t kHead = 17 * 1024;  // the default limit of a head and a little body
  static constexpr std::size_t kBody = 64 * 1024;
  static constexpr std::size_t kKept = 256;        // of each size

  BufferPool() = default;
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  // At least `size` octets; sizes over kBody are not recycled. Out of memory ends the process.
  Buffer take(std::size_t size) noexcept;

 private:
  friend class Buffer;
  void give(char* data, std::size_t size) noexcept;
  std::vector<char*> heads_, bodies_;
};

}  // namespace gatelab::proxy
