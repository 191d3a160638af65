// SPDX-License-Identifier: Apache-2.0
#include "cache/range.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "base/text.h"
#include "cache/validators.h"

namespace gatelab::cache {
namespace {

enum class Spec : std::uint8_t { Bad, Unsatisfiable, Empty, Satisfiable };

// 1*DIGIT; what is too large is as large as can be.
std::optional<std::uint64_t> position(std::string_view text) noexcept {
  if (text.empty() || !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  std::uint64_t out = 0;
  return parse_decimal(text, out) ? out : std::numeric_limits<std::uint64_t>::max();
}

// range-spec = first-pos "-" [ last-pos ] / "-" suffix-length (§14.1.2)
Spec parse_spec(std::string_view text, std::uint64_t length, ByteRange& out) noexcept {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return Spec::Bad;
  const auto first = position(text.substr(0, dash)), last = position(text.substr(dash + 1));
  if (dash == 0) {
    if (!last) return Spec::Bad;
    if (*last == 0) return Spec::Unsatisfiable;
    if (length == 0) return Spec::Empty;  // satisfiable, but no Content-Range can say so
    out = {length - std::min(*last, length), length - 1};
    return Spec::Satisfiable;
  }
  const bool open = dash + 1 == text.size();
  if (!first || (!last && !open) || (last && *last < *first)) return Spec::Bad;
  if (*first >= length) return Spec::Unsatisfiable;
  out = {*first, open ? length - 1 : std::min(*last, length - 1)};
  return Spec::Satisfiable;
}

// Overlapping and neighbouring ranges become one (§14.2: "coalesce"); how many are left.
std::size_t coalesce(std::span<ByteRange> ranges) noexcept {
  std::sort(ranges.begin(), ranges.end(), [](const ByteRange& a, const ByteRange& b) { return a.first < b.first; });
  std::size_t count = 0;
  for (const ByteRange& one : ranges) {
    if (count > 0 && one.first <= ranges[count - 1].last + 1) ranges[count - 1].last = std::max(ranges[count - 1].last, one.last);
    else ranges[count++] = one;
  }
  return count;
}

std::string_view digits(std::uint64_t number, std::array<char, 20>& room) noexcept {
  return {room.data(), static_cast<std::size_t>(std::to_chars(room.data(), room.data() + room.size(), number).ptr - room.data())};
}

}  // namespace

RangeDecision decide_range(std::string_view range, std::uint64_t length) noexcept {
  constexpr std::string_view kUnit = "bytes=";
  if (!iequals(range.substr(0, kUnit.size()), kUnit)) return {};
  std::array<ByteRange, kMaxRanges> ranges;
  std::size_t count = 0, specs = 0;
  bool empty = false;
  std::string_view rest = range.substr(kUnit.size()), element;
  while (next_list_element(rest, element)) {
    if (++specs > kMaxRanges) return {};
    const Spec spec = parse_spec(element, length, ranges[count]);
    if (spec == Spec::Bad) return {};
    empty = empty || spec == Spec::Empty;
    if (spec == Spec::Satisfiable) ++count;
  }
  if (specs == 0 || empty) return {};
  if (count == 0) return {RangeAnswer::Unsatisfiable, {}};
  if (coalesce(std::span(ranges).first(count)) != 1) return {};
  return {RangeAnswer::Partial, ranges[0]};
}

RangeDecision decide_range(const http::RequestHead& request, const http::Fields& stored, const Facts& facts, std::uint64_t length) noexcept {
  if (request.method != http::Method::Get || facts.status != 200) return {};
  const http::Field* range = nullptr;
  for (const http::Field& field : request.fields) {
    if (!iequals(field.name, "Range")) continue;
    if (range != nullptr) return {};
    range = &field;
  }
  if (range == nullptr || !if_range_holds(request.fields, stored, facts)) return {};
  return decide_range(range->value, length);
}

std::string_view content_range(ByteRange range, std::uint64_t length, Arena& arena) noexcept {
  std::array<char, 20> first, last, all;
  return arena.concat("bytes ", digits(range.first, first), "-", digits(range.last, last), "/", digits(length, all));
}

std::string_view unsatisfied_range(std::uint64_t length, Arena& arena) noexcept {
  std::array<char, 20> all;
  return arena.concat("bytes */", digits(length, all));
}

}  // namespace gatelab::cache
