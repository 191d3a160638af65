// SPDX-License-Identifier: Apache-2.0
// The head of a stored response, owned: one block holds its fields, by what they vary, and its tags. It never changes: what
// freshens a response makes a new head for the same body. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "http/fields.h"

namespace gatelab::cache {

// What a head is made of. Read, not kept.
struct HeadParts {
  std::uint16_t status = 0;
  const http::Fields* fields = nullptr;           // stored_fields(); never null
  std::span<const std::string_view> vary{};       // Vary::names
  std::string_view variant_key;                   // of the request that brought it
  std::span<const std::string_view> tags{};       // for purges; each once
};

class StoredHead {
 public:
  explicit StoredHead(const HeadParts& parts) noexcept;
  StoredHead(const StoredHead&) = delete;
  StoredHead& operator=(const StoredHead&) = delete;

  std::uint16_t status() const noexcept { return status_; }
  // Adds views, which live as long as this.
  void add_to(http::Fields& fields) const noexcept;
  std::span<const std::string_view> vary() const noexcept { return {names_, vary_}; }
  std::span<const std::string_view> tags() const noexcept { return {names_ + vary_, tags_}; }
  std::string_view variant_key() const noexcept { return variant_key_; }
  std::size_t memory() const noexcept;

 private:
  std::unique_ptr<std::byte[]> block_;  // names, then octets
  const std::string_view* names_ = nullptr;
  const char* fields_ = nullptr;  // of each: how long its name and its value are, and its id, then both
  std::string_view variant_key_;
  std::size_t size_ = 0;
  std::size_t vary_ = 0, tags_ = 0, field_count_ = 0;
  std::uint16_t status_ = 0;
};

}  // namespace gatelab::cache
