// SPDX-License-Identifier: Apache-2.0
// Structured fields (RFC 8941): dictionaries of items and inner lists, as Signature-Input, Signature and Content-Digest have
// them. Stricter than the RFC where two readers might understand two things: a name that stands there twice is refused (the
// RFC lets the last one win), and so is Base64 that could be spelt otherwise. Pure; everything lives in the arena.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/arena_text.h"
#include "base/result.h"

namespace gatelab::http::structured {

enum class Kind : std::uint8_t { Integer, Decimal, String, Token, Bytes, Boolean };

struct Value {
  Kind kind = Kind::Boolean;
  bool boolean = false;
  std::int64_t number = 0;    // of an Integer; of a Decimal its thousandths
  std::string_view text{};    // of a String without quotes and backslashes, of a Token; of Bytes what they are
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
  std::string_view name;
  bool is_list = false;
  Item item;                    // without `is_list`; its parameters in either case
  std::span<const Item> items;  // of an inner list
};

struct Dictionary {
  std::span<const Member> members;
  const Member* find(std::string_view name) const noexcept;
};

// What is wrong, as a literal, and where in the text.
struct Fault {
  std::string_view detail;
  std::size_t at = 0;
};

// Bounds: octets of the text, members of a dictionary, items of a list, parameters of one thing.
inline constexpr std::size_t kMaxText = 16 * 1024, kMaxMembers = 32, kMaxItems = 64, kMaxParameters = 16;

// Several field lines are one text, joined by ", " (§4.2). Views of `text` or the arena.
Result<Dictionary, Fault> parse_dictionary(std::string_view text, Arena& arena) noexcept;
const Value* find(std::span<const Parameter> parameters, std::string_view name) noexcept;

// A String, §4.1.6, of text that is printable ASCII.
std::string quoted(std::string_view text);
// §4.1, in the one form that there is.
void write(ArenaText& out, const Value& value) noexcept;
void write(ArenaText& out, std::span<const Parameter> parameters) noexcept;
void write(ArenaText& out, const Item& item) noexcept;
// The value of a member: an inner list or an item, with its parameters.
void write(ArenaText& out, const Member& member) noexcept;

}  // namespace gatelab::http::structured
