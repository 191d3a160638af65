// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "http/structured.h"

namespace gatelab::http::structured {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void write_number(ArenaText& out, std::int64_t number) noexcept {
  char digits[24];
  out.add({digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, number).ptr - digits)});
}

void write_decimal(ArenaText& out, std::int64_t thousandths) noexcept {
  if (thousandths < 0) out.add('-');
  const std::int64_t size = thousandths < 0 ? -thousandths : thousandths, rest = size % 1000;
  write_number(out, size / 1000);
  const char digits[] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10), static_cast<char>('0' + rest % 10)};
  out.add({digits, rest % 10 != 0 ? 4U : rest % 100 != 0 ? 3U : 2U});
}

void write_bytes(ArenaText& out, std::string_view octets) noexcept {
  const auto octet = [octets](std::size_t i) -> std::uint32_t { return i < octets.size() ? static_cast<unsigned char>(octets[i]) : 0U; };
  out.add(':');
  for (std::size_t i = 0; i < octets.size(); i += 3) {
    const std::uint32_t bits = octet(i) << 16 | octet(i + 1) << 8 | octet(i + 2);
    for (std::size_t k = 0; k < 4; ++k) out.add(i + k <= octets.size() ? kDigits[(bits >> (18 - 6 * k)) & 63] : '=');
  }
  out.add(':');
}

// §4.1.11
void write_display_string(ArenaText& out, std::string_view text) noexcept {
  constexpr char kHex[] = "0123456789abcdef";
  out.add("%\"");
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c != '%' && c != '"' && octet >= 0x20 && octet <= 0x7e) {
      out.add(c);
      continue;
    }
    const char escape[] = {'%', kHex[octet >> 4], kHex[octet & 15]};
    out.add({escape, 3});
  }
  out.add('"');
}

// true has no text where a name stands before it (§4.1.2, §4.1.1.2).
bool is_true(const Value& value) noexcept { return value.kind == Kind::Boolean && value.boolean; }

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

void write(ArenaText& out, const Value& value) noexcept {
  switch (value.kind) {
    case Kind::Integer: return write_number(out, value.number);
    case Kind::Decimal: return write_decimal(out, value.number);
    case Kind::Token: out.add(value.text); return;
    case Kind::Bytes: return write_bytes(out, value.text);
    case Kind::Boolean: out.add(value.boolean ? "?1" : "?0"); return;
    case Kind::Date: return write_number(out.add('@'), value.number);
    case Kind::DisplayString: return write_display_string(out, value.text);
    case Kind::String: break;
  }
  out.add('"');
  for (const char c : value.text) {
    if (c == '"' || c == '\\') out.add('\\');
    out.add(c);
  }
  out.add('"');
}

void write(ArenaText& out, std::span<const Parameter> parameters) noexcept {
  for (const Parameter& one : parameters) {
    out.add(';').add(one.name);
    if (is_true(one.value)) continue;
    out.add('=');
    write(out, one.value);
  }
}

void write(ArenaText& out, const Dictionary& dictionary) noexcept {
  for (const Member& one : dictionary.members) {
    if (&one != dictionary.members.data()) out.add(", ");
    out.add(one.name);
    if (!one.is_list && is_true(one.item.value)) {
      write(out, one.item.parameters);
      continue;
    }
    out.add('=');
    write(out, one);
  }
}

void write(ArenaText& out, const List& list) noexcept {
  for (const Member& one : list.members) {
    if (&one != list.members.data()) out.add(", ");
    write(out, one);
  }
}

void write(ArenaText& out, const Item& item) noexcept {
  write(out, item.value);
  write(out, item.parameters);
}

void write(ArenaText& out, const Member& member) noexcept {
  if (!member.is_list) return write(out, member.item);
  out.add('(');
  for (std::size_t i = 0; i < member.items.size(); ++i) {
    if (i != 0) out.add(' ');
    write(out, member.items[i]);
  }
  out.add(')');
  write(out, member.item.parameters);
}

}  // namespace gatelab::http::structured
