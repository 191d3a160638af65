// SPDX-License-Identifier: Apache-2.0
// Message heads as octets, in an arena. Pure; the caller has decided what goes in.
#pragma once

#include <cassert>
#include <string_view>

#include "base/arena.h"
#include "base/text.h"
#include "http/message.h"
#include "proxy/forwarding.h"

namespace gatelab::proxy {

// Appends to one block of the arena whose size was computed first; asserts that it was enough.
class HeadText {
 public:
  HeadText(Arena& arena, std::size_t size) noexcept
      : begin_(static_cast<char*>(arena.allocate(size, 1))), at_(begin_), end_(begin_ + size) {}
  void text(std::string_view s) noexcept {
    assert(static_cast<std::size_t>(end_ - at_) >= s.size());
    at_ = put(at_, s);
  }
  void field(std::string_view name, std::string_view value) noexcept {
    assert(static_cast<std::size_t>(end_ - at_) >= name.size() + value.size() + 4);
    at_ = put(put(put(put(at_, name), ": "), value), "\r\n");
  }
  void number(std::uint64_t n) noexcept;
  void content_length(std::uint64_t n) noexcept;
  std::string_view view() const noexcept { return {begin_, static_cast<std::size_t>(at_ - begin_)}; }

 private:
  char* begin_;
  char* at_;
  char* end_;
};

// The head that goes to a target: hop-by-hop fields and those that the gateway sets itself are left out (RFC 9110
// §7.6.1; what Connection listed has gone already, http/hop.h), Via and what is told of the request's way are added.
std::string_view request_head(Arena& arena, const http::RequestHead& head, const Told& told) noexcept;

// Size of a chunk with its line end, as "1f4\r\n"; `out` has room for 18 octets.
std::string_view chunk_size(std::size_t size, char* out) noexcept;
// The last chunk and the trailer section.
std::string_view last_chunk(Arena& arena, const http::Fields* trailers) noexcept;

}  // namespace gatelab::proxy
