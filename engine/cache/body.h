// SPDX-License-Identifier: Apache-2.0
// The content of a stored response: octets in pieces that never change and are shared, so that they are sent as they are, by
// several at once, and outlive the entry that they were found in. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace gatelab::cache {

// What the allocator and a shared pointer's counters add to an allocation, at most.
inline constexpr std::size_t kAllocation = 32;

class Chunk {
 public:
  Chunk() noexcept = default;
  // Copies.
  explicit Chunk(std::string_view octets) noexcept;
  // One behind the other; of a single one no copy.
  explicit Chunk(std::span<const Chunk> parts) noexcept;
  // As long as this or a copy of it lives.
  std::string_view view() const noexcept { return {octets_.get(), size_}; }
  std::size_t size() const noexcept { return size_; }
  std::size_t memory() const noexcept { return size_ + kAllocation + sizeof(std::uint64_t) + sizeof(Chunk); }

 private:
  std::shared_ptr<const char[]> octets_;
  std::size_t size_ = 0;
};

class Body {
 public:
  // Neighbours are put together up to 256 KiB, so that an answer takes few writes however the upstream's came in.
  explicit Body(const std::vector<Chunk>& chunks) noexcept;
  std::uint64_t size() const noexcept { return size_; }
  const std::vector<Chunk>& chunks() const noexcept { return chunks_; }
  // The octets from there to the end of their piece: all of them in a few steps. Empty at the end.
  std::string_view at(std::uint64_t offset) const noexcept;
  std::size_t memory() const noexcept;

 private:
  std::vector<Chunk> chunks_;
  std::vector<std::uint64_t> ends_;  // where each piece ends
  std::uint64_t size_ = 0;
};

}  // namespace gatelab::cache
