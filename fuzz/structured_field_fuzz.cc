// SPDX-License-Identifier: Apache-2.0
// Structured fields: the input is a value, read as a dictionary, a list and an item, each in both readings. Whatever comes: what is
// read is within its bounds, has no name twice, and written again it is read as the same; what the strict reading takes, the
// RFC's own takes as the same; values in a row are a list of them.
#include <cstdint>
#include <string>

#include "base/utf8.h"
#include "http/structured.h"
#include "lines.h"

using namespace gatelab;
using fuzz::check;
namespace sf = http::structured;

namespace {

void valid(const sf::Value& v) {
  constexpr std::int64_t kMost = 999'999'999'999'999;
  if (v.kind == sf::Kind::Integer || v.kind == sf::Kind::Decimal || v.kind == sf::Kind::Date) check(v.number <= kMost && v.number >= -kMost);
  if (v.kind == sf::Kind::String)
    for (const char c : v.text) check(c >= 0x20 && c <= 0x7e);
  if (v.kind == sf::Kind::DisplayString) check(is_utf8(v.text));
  if (v.kind == sf::Kind::Token) check(!v.text.empty());
}

void valid(std::span<const sf::Parameter> all, const sf::Bounds& bounds) {
  check(all.size() <= bounds.parameters);
  for (const sf::Parameter& one : all) {
    check(sf::find(all, one.name) == &one.value);
    valid(one.value);
  }
}

void valid(std::span<const sf::Member> all, const sf::Bounds& bounds) {
  check(all.size() <= bounds.members);
  for (const sf::Member& one : all) {
    check(one.items.size() <= bounds.items && (one.is_list || one.items.empty()));
    valid(one.item.value);
    valid(one.item.parameters, bounds);
    for (const sf::Item& item : one.items) {
      valid(item.value);
      valid(item.parameters, bounds);
    }
  }
}

template <class T>
std::string written(const T& value, Arena& arena) {
  ArenaText out(arena, 8);
  sf::write(out, value);
  return std::string(out.view());
}

// `parse` reads; the text that it gives has to be read as itself.
template <class Parse>
std::string round(std::string_view text, sf::Reading reading, Parse parse) {
  Arena arena;
  const auto parsed = parse(text, arena, reading);
  if (!parsed) {
    check(!parsed.error().detail.empty() && parsed.error().at <= text.size());
    return "!";
  }
  const std::string once = written(*parsed, arena);
  if (once.size() > sf::bounds_of(reading).text) return "!";
  const auto again = parse(once, arena, reading);
  check(static_cast<bool>(again));
  check(written(*again, arena) == once);
  for (const char c : once) check(c >= 0x20 && c <= 0x7e);
  return once;
}

template <class Parse>
void both(std::string_view text, Parse parse) {
  const std::string strict = round(text, sf::Reading::Strict, parse), rfc = round(text, sf::Reading::Rfc9651, parse);
  if (strict != "!") check(rfc == strict);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  both(text, [](std::string_view t, Arena& arena, sf::Reading reading) { return sf::parse_dictionary(t, arena, reading); });
  both(text, [](std::string_view t, Arena& arena, sf::Reading reading) { return sf::parse_list(t, arena, reading); });
  both(text, [](std::string_view t, Arena& arena, sf::Reading reading) { return sf::parse_item(t, arena, reading); });
  Arena arena;
  for (const sf::Reading reading : {sf::Reading::Strict, sf::Reading::Rfc9651}) {
    const sf::Bounds bounds = sf::bounds_of(reading);
    if (const auto dictionary = sf::parse_dictionary(text, arena, reading)) {
      valid(dictionary->members, bounds);
      for (const sf::Member& one : dictionary->members) check(dictionary->find(one.name) == &one);
    }
    if (const auto list = sf::parse_list(text, arena, reading)) valid(list->members, bounds);
    if (const auto item = sf::parse_item(text, arena, reading)) {
      valid(item->value);
      const std::string two = written(*item, arena) + ", " + written(*item, arena);
      if (two.size() > bounds.text) continue;
      const auto row = sf::parse_list(two, arena, reading);
      check(row && row->members.size() == 2 && !row->members[1].is_list && written(row->members[1].item, arena) == written(*item, arena));
    }
  }
  return 0;
}
