// SPDX-License-Identifier: Apache-2.0
#include "harness/diff/references.h"

#include <algorithm>

namespace gatelab::harness::diff {
namespace {

constexpr std::string_view kBegin = "$(env.";
constexpr std::size_t kLong = 4;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_name_octet(char c) noexcept { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || is_digit(c); }
bool is_name(std::string_view text) noexcept { return !text.empty() && !is_digit(text.front()) && std::all_of(text.begin(), text.end(), is_name_octet); }

int digit_of(char c) noexcept { return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

// How many octets of `text` stand for that octet: itself, %-encoded, as a form has a blank, or escaped as in JSON. 0: none do.
std::size_t octets_for(char octet, std::string_view text) noexcept {
  if (text.empty()) return 0;
  if (text[0] == octet) return 1;
  if (text[0] == '+' && octet == ' ') return 1;
  if (text[0] == '\\' && text.size() > 1 && text[1] == octet && (octet == '"' || octet == '/')) return 2;
  const bool encoded = text[0] == '%' && text.size() > 2 && digit_of(text[1]) >= 0 && digit_of(text[2]) >= 0;
  return encoded && digit_of(text[1]) * 16 + digit_of(text[2]) == static_cast<unsigned char>(octet) ? 3 : 0;
}

// As much of the front of `text` as is that value; 0: it is not there.
std::size_t length_of(std::string_view value, std::string_view text) noexcept {
  std::size_t at = 0;
  for (const char octet : value) {
    std::size_t n = octets_for(octet, text.substr(at));
    if (octet == '\\' && n == 1 && text.substr(at).starts_with("\\\\")) n = value.find("\\\\") == std::string_view::npos ? 2 : 1;
    if (n == 0) return 0;
    at += n;
  }
  return at;
}

// Headers lose what is blank at their ends, and files end in a line's end.
std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlank);
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// A whole text, or all that stands behind a name: a parameter, a cookie.
bool stands_alone(std::string_view text, std::size_t at, std::size_t size) noexcept {
  const bool begins = at == 0 || text[at - 1] == '=';
  return begins && (at + size == text.size() || text[at + size] == '&' || text[at + size] == ';');
}

// Quoted so that a terminal is told nothing either: a text of others may have control characters.
std::string quoted(std::string_view text) {
  const bool plain = std::none_of(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f; });
  std::string out = plain ? "'" : "$'";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (plain) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    else if (c == '\'' || c == '\\') out += {'\\', c};
    else if (octet < 0x20 || octet == 0x7f) out += {'\\', static_cast<char>('0' + (octet >> 6)), static_cast<char>('0' + (octet >> 3 & 7)), static_cast<char>('0' + (octet & 7))};
    else out += c;
  }
  return out + "'";
}

}  // namespace

void References::find(std::string_view text, const config::EnvSource& env) { find(text, env, false); }

void References::find(const config::Node& tree, std::string_view text, const config::EnvSource& env) {
  find(text, env, false);
  find_short(tree, env, false);
}

void References::find(std::string_view text, const config::EnvSource& env, bool short_ones) {
  if (env.lookup == nullptr) return;
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at + 1)) {
    const std::string_view rest = text.substr(at + kBegin.size());
    const std::string_view name = rest.substr(0, rest.find_first_of(":)"));
    const std::string* set = is_name(name) ? env.lookup(env.context, name) : nullptr;
    const std::string_view value = set == nullptr ? std::string_view() : trimmed(*set);
    if (value.empty() || (value.size() < kLong && !short_ones) || knows(value)) continue;
    const auto before = std::find_if(all_.begin(), all_.end(), [value](const Known& one) { return one.value.size() < value.size(); });
    all_.insert(before, {std::string(value), std::string(name)});
  }
}

void References::find_short(const config::Node& node, const config::EnvSource& env, bool secret) {
  if (secret && node.from_environment && node.span.file) find(std::string_view(node.span.file->text).substr(node.span.begin, node.span.end - node.span.begin), env, true);
  for (const config::Node& item : node.items) find_short(item, env, secret);
  for (const config::Entry& entry : node.entries) find_short(*entry.value, env, secret || entry.key == "keys" || entry.key == "set" || entry.key == "add");
}

bool References::knows(std::string_view value) const noexcept {
  return std::any_of(all_.begin(), all_.end(), [value](const Known& one) { return one.value == value; });
}

std::vector<References::Piece> References::pieces(std::string_view text) const {
  std::vector<Piece> out;
  std::size_t plain = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = 0;
    const Known* found = nullptr;
    for (const Known& one : all_) {
      size = length_of(one.value, text.substr(at));
      if (size == 0 || (one.value.size() < kLong && !stands_alone(text, at, size))) continue;
      found = &one;
      break;
    }
    if (found == nullptr) {
      ++at;
      continue;
    }
    if (at > plain) out.push_back({text.substr(plain, at - plain), {}, false});
    out.push_back({text.substr(at, size), found->variable, text.substr(at, size) != found->value});
    plain = at += size;
  }
  if (plain < text.size()) out.push_back({text.substr(plain), {}, false});
  return out;
}

std::string References::masked(std::string_view text) const {
  if (all_.empty()) return std::string(text);
  std::string out;
  for (const Piece& piece : pieces(text)) out += piece.variable.empty() ? std::string(piece.text) : std::string(kBegin) + std::string(piece.variable) + ")";
  return out;
}

std::string shell_word(std::string_view text, const References& references) {
  std::string out;
  for (const References::Piece& piece : references.pieces(text)) out += piece.variable.empty() ? quoted(piece.text) : "\"${" + std::string(piece.variable) + "}\"";
  return out.empty() ? "''" : out;
}

std::string scenario_scalar(std::string_view text, const References& references) {
  std::string out;
  for (const References::Piece& piece : references.pieces(text)) {
    if (!piece.variable.empty()) {
      // "$$(" is a literal "$(": dollars in front of it have to be some that were substituted.
      const std::size_t text_end = out.find_last_not_of('$') + 1;
      if (text_end < out.size()) out.replace(text_end, std::string::npos, "$(env.GATELAB_NO_SUCH_VARIABLE:" + out.substr(text_end) + ")");
      out += std::string(kBegin) + std::string(piece.variable) + ")";
      continue;
    }
    for (std::size_t i = 0; i < piece.text.size(); ++i) {
      if (piece.text.substr(i).starts_with("$(")) out += '$';
      out += piece.text[i];
    }
  }
  return out;
}

}  // namespace gatelab::harness::diff
