// SPDX-License-Identifier: Apache-2.0
// Ranges of a stored, complete response (RFC 9110 §14). One part at most: several ranges that do not grow together into one are
// answered with the whole 200, as §14.2 allows. A multipart answer would have to be put together octet by octet where stored
// bodies are sent as they are, it can be larger than what it is a part of (the attack of CVE-2011-3192), and who asks for
// several parts has to understand a 200 anyway. Pure, any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "cache/facts.h"
#include "http/message.h"

namespace gatelab::cache {

struct ByteRange {
  std::uint64_t first = 0, last = 0;  // both of them in it
  std::uint64_t size() const noexcept { return last - first + 1; }
  bool operator==(const ByteRange&) const noexcept = default;
};

enum class RangeAnswer : std::uint8_t {
  Whole,          // 200: no range, another unit, one that can't be read, several parts
  Partial,        // 206
  Unsatisfiable,  // 416
};

struct RangeDecision {
  RangeAnswer answer = RangeAnswer::Whole;
  ByteRange range;  // of Partial
};

// More ranges than that are answered with the whole.
inline constexpr std::size_t kMaxRanges = 16;

// Of the value of a Range field, for content of `length` octets.
RangeDecision decide_range(std::string_view range, std::uint64_t length) noexcept;
// Of a request: only a GET, for a stored 200, whose If-Range holds, has one (§14.2, §13.1.5). Ask it after evaluate() (§13.2.2).
RangeDecision decide_range(const http::RequestHead& request, const http::Fields& stored, const Facts& facts, std::uint64_t length) noexcept;

// Content-Range of a 206 and of a 416 (§14.4). In the arena.
std::string_view content_range(ByteRange range, std::uint64_t length, Arena& arena) noexcept;
std::string_view unsatisfied_range(std::uint64_t length, Arena& arena) noexcept;

}  // namespace gatelab::cache
