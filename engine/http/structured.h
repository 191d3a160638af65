// SPDX-License-Identifier: Apache-2.0
// Structured fields (RFC 9651, which is RFC 8941 with dates and display strings): dictionaries, lists, items. Read as the RFC
// says, or stricter. Pure; everything lives in the arena.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/arena_text.h"
#include "base/result.h"

namespace gatelab::http::structured {

enum class Kind : std::uint8_t { Integer, Decimal, String, Token, Bytes, Boolean, Date, DisplayString };

enum class Reading : std::uint8_t {
  // RFC 8941, where signatures depend on it and two readers might understand two things: a name that stands there twice is
  // refused, and so is Base64 that could be spelt otherwise.
  Strict,
  // RFC 9651 §4.2: of two members or parameters of one name the last one counts, in the place of the first; Base64 needs
  // neither padding nor zero bits behind its end.
  Rfc9651,
};

struct Value {
  Kind kind = Kind::Boolean;
  bool boolean = false;
  std::int64_t number = 0;    // of an Integer; of a Decimal its thousandths; of a Date seconds since 1970
  std::string_view text{};    // of a String without quotes and backslashes, of a Token; of Bytes what they are; a DisplayString in UTF-8
};

struct Parameter {
  std::string_view name;
  Value value;
};

struct Item {
  Value value;
  std::span<const Parameter> parameters;
};

struct Member {
  std::string_view name;        // of a dictionary's
  bool is_list = false;
  Item item;                    // without `is_list`; its parameters in either case
  std::span<const Item> items;  // of an inner list
};

struct Dictionary {
  std::span<const Member> members;
  const Member* find(std::string_view name) const noexcept;
};

struct List {
  std::span<const Member> members;  // without names
};

// What is wrong, as a literal, and where in the text.
struct Fault {
  std::string_view detail;
  std::size_t at = 0;
};

// Bounds: octets of the text, members of a dictionary or list, items of an inner list, parameters of one thing.
struct Bounds {
  std::size_t text, members, items, parameters;
};
inline constexpr std::size_t kMaxText = 16 * 1024, kMaxMembers = 32, kMaxItems = 64, kMaxParameters = 16;  // Reading::Strict
// What a parser of RFC 9651 has to support (§3.1, §3.1.1, §3.1.2, §3.2), and room for the 16384 octets of §3.3.5 in Base64.
constexpr Bounds bounds_of(Reading reading) noexcept {
  return reading == Reading::Strict ? Bounds{kMaxText, kMaxMembers, kMaxItems, kMaxParameters} : Bounds{64 * 1024, 1024, 256, 256};
}

// Several field lines are one text, joined by ", " (§4.2). Views of `text` or the arena.
Result<Dictionary, Fault> parse_dictionary(std::string_view text, Arena& arena, Reading reading = Reading::Strict) noexcept;
Result<List, Fault> parse_list(std::string_view text, Arena& arena, Reading reading = Reading::Rfc9651) noexcept;
Result<Item, Fault> parse_item(std::string_view text, Arena& arena, Reading reading = Reading::Rfc9651) noexcept;
const Value* find(std::span<const Parameter> parameters, std::string_view name) noexcept;

// A String, §4.1.6, of text that is printable ASCII.
std::string quoted(std::string_view text);
// §4.1, in the one form that there is. A dictionary or list without members is nothing: its field is not sent.
void write(ArenaText& out, const Dictionary& dictionary) noexcept;
void write(ArenaText& out, const List& list) noexcept;
void write(ArenaText& out, const Value& value) noexcept;
void write(ArenaText& out, std::span<const Parameter> parameters) noexcept;
void write(ArenaText& out, const Item& item) noexcept;
// The value of a member: an inner list or an item, with its parameters.
void write(ArenaText& out, const Member& member) noexcept;

}  // namespace gatelab::http::structured
