// SPDX-License-Identifier: Apache-2.0
#include "cache/body.h"

#include <algorithm>
#include <string>
#include <utility>

namespace gatelab::cache {
namespace {

constexpr std::size_t kSmallPiece = 1024;

std::vector<Chunk> put_together(std::vector<Chunk> chunks) noexcept {
  std::size_t size = 0;
  for (const Chunk& chunk : chunks) size += chunk.size();
  if (chunks.size() < 2 || size / chunks.size() >= kSmallPiece) return chunks;
  std::string all;
  all.reserve(size);
  for (const Chunk& chunk : chunks) all.append(chunk.view());
  return {Chunk(all)};
}

}  // namespace

Chunk::Chunk(std::string_view octets) noexcept : size_(octets.size()) {
  const auto copy = std::make_shared_for_overwrite<char[]>(octets.size());
  std::copy(octets.begin(), octets.end(), copy.get());
  octets_ = copy;
}

Body::Body(std::vector<Chunk> chunks) noexcept : chunks_(put_together(std::move(chunks))) {
  chunks_.shrink_to_fit();
  ends_.reserve(chunks_.size());
  for (const Chunk& chunk : chunks_) ends_.push_back(size_ += chunk.size());
}

std::string_view Body::at(std::uint64_t offset) const noexcept {
  const auto end = std::upper_bound(ends_.begin(), ends_.end(), offset);
  if (end == ends_.end()) return {};
  const std::string_view piece = chunks_[static_cast<std::size_t>(end - ends_.begin())].view();
  return piece.substr(piece.size() - static_cast<std::size_t>(*end - offset));
}

std::size_t Body::memory() const noexcept {
  std::size_t sum = sizeof(Body) + 3 * kAllocation;
  for (const Chunk& chunk : chunks_) sum += chunk.memory();
  return sum;
}

}  // namespace gatelab::cache
