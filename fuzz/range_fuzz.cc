// SPDX-License-Identifier: Apache-2.0
// Range, If-Range and entity tags: the first line of the input is the length of the content, the second an ETag, the third an
// If-Range, the others Range lines. Whatever comes: a part lies within the content and has what one of the ranges asks for; what is
// a part stays the same part when it is asked for by its own bounds; no If-Range that fails leaves a part.
#include <cstdint>
#include <string>

#include "cache/range.h"
#include "cache/validators.h"
#include "lines.h"

using namespace gatelab;
using fuzz::check;

namespace {

void holds(std::string_view range, std::uint64_t length) {
  const cache::RangeDecision decision = cache::decide_range(range, length);
  if (decision.answer != cache::RangeAnswer::Partial) return;
  const cache::ByteRange part = decision.range;
  check(part.first <= part.last && part.last < length && part.size() <= length);
  const std::string own = std::to_string(part.first) + "-" + std::to_string(part.last);
  const cache::RangeDecision again = cache::decide_range("bytes=" + own, length);
  check(again.answer == cache::RangeAnswer::Partial && again.range == part);
  // What is said twice is said once.
  const cache::RangeDecision twice = cache::decide_range("bytes=" + own + "," + own, length);
  check(twice.answer == cache::RangeAnswer::Partial && twice.range == part);
  // Longer content has it as well, unless it was counted from the end.
  if (range.find("=-") == std::string_view::npos && range.find(",-") == std::string_view::npos && range.find(' ') == std::string_view::npos && length < UINT64_MAX / 2)
    check(cache::decide_range(range, length + 1).answer != cache::RangeAnswer::Unsatisfiable);
  Arena arena;
  const std::string_view text = cache::content_range(part, length, arena);
  check(text == "bytes " + std::to_string(part.first) + "-" + std::to_string(part.last) + "/" + std::to_string(length));
}

void tags(std::string_view list) {
  std::string_view rest = list;
  cache::EntityTag tag;
  bool bad = false;
  std::size_t octets = 0;
  while (cache::next_entity_tag(rest, tag, bad)) {
    const auto alone = cache::parse_entity_tag(tag.as_sent);
    check(alone && alone->weak == tag.weak && alone->text == tag.text);
    check(cache::weak_match(tag, *alone) && cache::strong_match(tag, *alone) == !tag.weak);
    octets += tag.as_sent.size();
  }
  check(octets <= list.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size), line;
  Arena arena;
  http::RequestHead request(arena);
  request.method = http::Method::Get;
  http::Fields stored(arena);
  std::uint64_t length = 0;
  if (!fuzz::next_line(rest, line) || !parse_decimal(line, length)) return 0;
  if (fuzz::next_line(rest, line)) fuzz::add_field(stored, "ETag", line);
  if (fuzz::next_line(rest, line) && !line.empty()) fuzz::add_field(request.fields, "If-Range", line);
  while (fuzz::next_line(rest, line)) {
    fuzz::add_field(request.fields, "Range", line);
    fuzz::add_field(request.fields, "If-None-Match", line);
    holds(line, length);
    tags(line);
  }
  const cache::Facts facts{.status = 200};
  const cache::RangeDecision decision = cache::decide_range(request, stored, facts, length);
  if (decision.answer != cache::RangeAnswer::Whole) check(cache::if_range_holds(request.fields, stored, facts));
  const cache::Condition condition = cache::evaluate(request.fields, stored, facts);
  const http::Fields* all[] = {&stored};
  http::Fields validation(arena);
  cache::make_validation(validation, all, arena);
  // What a cache asks with, the stored response itself answers.
  if (validation.find("If-None-Match") != nullptr) check(cache::evaluate(validation, stored, facts) == cache::Condition::NotModified);
  else check(condition != cache::Condition::NotModified || request.fields.find("If-None-Match")->value == "*" || request.fields.size() > 1);
  return 0;
}
