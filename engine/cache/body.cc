// SPDX-License-Identifier: Apache-2.0
#include "cache/body.h"

#include <algorithm>
#include <utility>

namespace gatelab::cache {
namespace {

// A piece is a write, which costs more than to copy it once. No larger: the pieces that it is made of are still there meanwhile.
constexpr std::size_t kPiece = 256 * 1024;

std::vector<Chunk> put_together(const std::vector<Chunk>& chunks) noexcept {
  std::vector<Chunk> out;
  std::size_t size = 0;
  auto first = chunks.begin();
  for (auto at = first; at != chunks.end(); ++at) {
    if (at != first && size + at->size() > kPiece) {
      out.emplace_back(std::span(first, at));
      first = at;
      size = 0;
    }
    size += at->size();
  }
  if (first != chunks.end()) out.emplace_back(std::span(first, chunks.end()));
  return out;
}

}  // namespace

Chunk::Chunk(std::string_view octets) noexcept : size_(octets.size()) {
  const auto copy = std::make_shared_for_overwrite<char[]>(octets.size());
  std::copy(octets.begin(), octets.end(), copy.get());
  octets_ = copy;
}

Chunk::Chunk(std::span<const Chunk> parts) noexcept {
  if (parts.size() == 1) {
    *this = parts.front();
    return;
  }
  for (const Chunk& part : parts) size_ += part.size();
  const auto copy = std::make_shared_for_overwrite<char[]>(size_);
  char* to = copy.get();
  for (const Chunk& part : parts) to = std::copy(part.view().begin(), part.view().end(), to);
  octets_ = copy;
}

Body::Body(const std::vector<Chunk>& chunks) noexcept : chunks_(put_together(chunks)) {
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
