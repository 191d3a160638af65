// SPDX-License-Identifier: Apache-2.0
#include "proxy/buffers.h"

#include "base/sanitized.h"

namespace gatelab::proxy {

void Buffer::release() noexcept {
  if (data_ != nullptr) pool_->give(data_, size_);
  data_ = nullptr;
  size_ = 0;
}

BufferPool::~BufferPool() {
  for (char* p : heads_) std::free(p);
  for (char* p : bodies_) std::free(p);
}

Buffer BufferPool::take(std::size_t size) noexcept {
  size = size <= kHead ? kHead : size <= kBody ? kBody : size;
  std::vector<char*>& kept = size == kHead ? heads_ : bodies_;
  if (size <= kBody && !kept.empty()) {
    char* data = kept.back();
    kept.pop_back();
    return {this, data, size};
  }
  char* data = static_cast<char*>(std::malloc(size));
  if (data == nullptr) std::abort();
  return {this, data, size};
}

void BufferPool::give(char* data, std::size_t size) noexcept {
  std::vector<char*>& kept = size == kHead ? heads_ : bodies_;
  if (kSanitized || size > kBody || kept.size() >= kKept) return std::free(data);
  kept.push_back(data);
}

}  // namespace gatelab::proxy
