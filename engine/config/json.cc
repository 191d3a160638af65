// SPDX-License-Identifier: Apache-2.0
#include "config/json.h"

#include <charconv>

#include "base/text.h"

namespace gatelab::config {
namespace {

void text(std::string& out, std::string_view value) {
  out += '"';
  append_json_escaped(out, value);
  out += '"';
}

// YAML writes numbers in more ways than JSON does.
void number(std::string& out, const Node& n) {
  std::string_view digits = n.text;
  if (digits.starts_with("+")) digits.remove_prefix(1);
  if (digits.starts_with("0x") || digits.starts_with("0o")) {
    std::uint64_t value = 0;
    std::from_chars(digits.data() + 2, digits.data() + digits.size(), value, digits[1] == 'x' ? 16 : 8);
    out += std::to_string(value);
    return;
  }
  const bool special = digits.find_first_of("nN") != std::string_view::npos;  // .inf, .nan
  if (special) return text(out, n.text);
  const bool negative = digits.starts_with("-");
  if (negative) digits.remove_prefix(1);
  if (negative) out += '-';
  if (digits.starts_with(".")) out += '0';
  while (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') digits.remove_prefix(1);
  const std::size_t point = digits.find('.');
  const bool bare = point != std::string_view::npos && (point + 1 == digits.size() || digits[point + 1] < '0' || digits[point + 1] > '9');
  if (bare) out.append(digits.substr(0, point)).append(".0").append(digits.substr(point + 1));
  else out += digits;
}

void append(std::string& out, const Node& n) {
  switch (n.kind) {
    case Kind::Null: out += "null"; return;
    case Kind::Bool: out += n.boolean ? "true" : "false"; return;
    case Kind::Integer:
    case Kind::Float: return number(out, n);
    case Kind::Text: return text(out, n.text);
    case Kind::List:
      out += '[';
      for (std::size_t i = 0; i < n.items.size(); ++i) {
        if (i > 0) out += ',';
        append(out, n.items[i]);
      }
      out += ']';
      return;
    case Kind::Map: break;
  }
  out += '{';
  for (std::size_t i = 0; i < n.entries.size(); ++i) {
    if (i > 0) out += ',';
    text(out, n.entries[i].key);
    out += ':';
    append(out, *n.entries[i].value);
  }
  out += '}';
}

}  // namespace

std::string to_json(const Node& node) {
  std::string out;
  append(out, node);
  return out;
}

}  // namespace gatelab::config
