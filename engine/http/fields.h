// SPDX-License-Identifier: Apache-2.0
// Header fields of one message, in order, as views. Names and values are views into the connection's read block or the
// exchange's arena, and live as long as that. Names compare without case (RFC 9110 §5.1). One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/arena.h"

namespace gatelab::http {

// Fields that the engine itself looks at; everything else is Other.
enum class FieldId : std::uint8_t {
  Other, Accept, Age, Allow, Authorization, CacheControl, Connection, ContentEncoding, ContentLength, ContentType, Cookie,
  Date, Expect, Forwarded, Host, KeepAlive, Location, MaxForwards, Origin, ProxyAuthenticate, ProxyAuthorization, ProxyConnection,
  RateLimit, RateLimitPolicy, Referer, RetryAfter, Server, SetCookie, Te, Trailer, TransferEncoding, Upgrade, UserAgent,
  Vary, Via, WwwAuthenticate, XForwardedFor, XForwardedHost, XForwardedPort, XForwardedProto, XRequestId,
};

// Without case. What is no token (RFC 9110 §5.6.2) is Other.
FieldId field_id(std::string_view name) noexcept;

struct Field {
  std::string_view name;
  std::string_view value;
  FieldId id = FieldId::Other;
};

class Fields {
 public:
  explicit Fields(Arena& arena) noexcept : arena_(&arena) {}

  Arena& arena() const noexcept { return *arena_; }
  std::size_t size() const noexcept { return size_; }
  const Field* begin() const noexcept { return data_; }
  const Field* end() const noexcept { return data_ + size_; }
  Field* begin() noexcept { return data_; }
  Field* end() noexcept { return data_ + size_; }

  // Appends views as they are: the caller keeps the octets alive as long as the arena.
  void add(FieldId id, std::string_view name, std::string_view value) noexcept {
    if (size_ == capacity_) grow();
    std::construct_at(data_ + size_++, name, value, id);
    seen_ |= bit(id);
  }
  void add(std::string_view name, std::string_view value) noexcept { add(field_id(name), name, value); }
  // Removes every field of that name, then appends one.
  void set(std::string_view name, std::string_view value) noexcept;
  // How many were removed. Keeps order.
  std::size_t remove(FieldId id) noexcept;
  std::size_t remove(std::string_view name) noexcept;
  void clear() noexcept { size_ = 0, seen_ = 0; }
  // Forgets all but the first `n`.
  void truncate(std::size_t n) noexcept { size_ = n; }

  // The first of that name, or null.
  const Field* find(FieldId id) const noexcept;
  const Field* find(std::string_view name) const noexcept;
  std::size_t count(FieldId id) const noexcept;
  // False: there is none of that id, for certain.
  bool may_have(FieldId id) const noexcept { return (seen_ & bit(id)) != 0; }
  // True if a comma-separated field of that id lists `token` (without case).
  bool lists(FieldId id, std::string_view token) const noexcept;

 private:
  void grow() noexcept;
  static constexpr std::uint64_t bit(FieldId id) noexcept { return std::uint64_t{1} << static_cast<unsigned>(id); }

  Arena* arena_;
  Field* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::uint64_t seen_ = 0;  // ids that were added; they may have been removed since
};

// RFC 9110 §5.6.2 and §5.5: for everything that gatelab itself or a configuration inserts.
bool is_token(std::string_view name) noexcept;
bool is_field_value(std::string_view value) noexcept;  // no CTL but HTAB, no leading or trailing white space

}  // namespace gatelab::http
