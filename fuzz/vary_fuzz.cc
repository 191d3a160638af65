// SPDX-License-Identifier: Apache-2.0
// Vary and keys: the lines of the input up to an empty one are Vary lines, those up to the next one fields of a request, the others
// those of another. Whatever comes: names come in one order; a value in its normal form is its own normal form; two requests have
// the same key exactly if all selecting fields are the same, and the variant that is chosen is one that matches.
#include <cstdint>
#include <string>
#include <vector>

#include "cache/key.h"
#include "cache/vary.h"
#include "lines.h"

using namespace gatelab;
using fuzz::check;

namespace {

bool same(std::span<const std::string_view> names, const http::Fields& a, const http::Fields& b, Arena& arena) {
  for (const std::string_view name : names) {
    std::string_view of_a, of_b;
    const bool in_a = cache::selecting_value(a, name, of_a, arena), in_b = cache::selecting_value(b, name, of_b, arena);
    if (in_a != in_b || of_a != of_b) return false;
  }
  return true;
}

void normal(std::span<const std::string_view> names, const http::Fields& request, Arena& arena) {
  for (const std::string_view name : names) {
    std::string_view once, twice;
    if (!cache::selecting_value(request, name, once, arena)) continue;
    http::Fields again(arena);
    again.add(name, once);
    check(cache::selecting_value(again, name, twice, arena) && once == twice);
  }
}

std::string_view key(std::span<const std::string> fields, const http::Fields& request, std::string_view consumer, Arena& arena) {
  const cache::Target target{"https", "h", 443, "/", {}, false};
  return cache::primary_key({cache::KeyScope::Consumer, consumer, "r", "u", "/", 443, target, fields, &request}, arena);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size), line;
  Arena arena;
  http::Fields response(arena), backwards(arena), a(arena), b(arena);
  std::vector<std::string_view> lines;
  while (fuzz::next_line(rest, line) && !line.empty()) {
    fuzz::add_field(response, "Vary", line);
    lines.push_back(line);
  }
  for (auto one = lines.rbegin(); one != lines.rend(); ++one) fuzz::add_field(backwards, "Vary", *one);
  while (fuzz::next_line(rest, line) && !line.empty()) fuzz::add_line(a, line);
  while (fuzz::next_line(rest, line)) fuzz::add_line(b, line);

  const cache::Vary vary = cache::parse_vary(response, arena), other = cache::parse_vary(backwards, arena);
  check(vary.names.size() <= cache::Vary::kMaxNames && vary.star == other.star && vary.unreadable == other.unreadable);
  if (!vary.unreadable) check(std::equal(vary.names.begin(), vary.names.end(), other.names.begin(), other.names.end()));
  for (std::size_t i = 1; i < vary.names.size(); ++i) check(vary.names[i - 1] < vary.names[i]);
  for (const std::string_view name : vary.names) check(http::is_token(name) && to_lower(name) == name);

  normal(vary.names, a, arena);
  normal(vary.names, b, arena);
  const bool match = same(vary.names, a, b, arena);
  const std::string_view key_a = cache::variant_key(vary.names, a, arena), key_b = cache::variant_key(vary.names, b, arena);
  check((key_a == key_b) == match);
  const std::vector<std::string> fields(vary.names.begin(), vary.names.end());
  check((key(fields, a, "c", arena) == key(fields, b, "c", arena)) == match);
  check(key(fields, a, "c", arena) != key(fields, b, "d", arena));

  const cache::Variant variants[] = {{vary.names, key_a, Instant{1}, Instant{}}, {vary.names, key_b, Instant{2}, Instant{}}};
  check(cache::choose_variant(variants, a, arena) == (match ? 1U : 0U));
  check(cache::choose_variant(variants, b, arena) == 1U);
  return 0;
}
