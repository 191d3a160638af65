// SPDX-License-Identifier: Apache-2.0
#include "json/pointer.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"

namespace gatelab::json {
namespace {

// Puts `value` under `token` of the array or object `in`. False: it has no such place.
bool put_in(Document& document, Ref in, const std::string& token, Ref value) {
  if (document.is(in, Kind::Object)) {
    const Ref there = document.member(in, token);
    if (there != kNone) document.put_in_place_of(there, value);
    else document.append(in, token, value);
    return true;
  }
  if (!document.is(in, Kind::Array)) return false;
  const auto index = token == "-" ? document.size(in) : index_of(token);
  if (!index || *index > document.size(in)) return false;
  if (*index == document.size(in)) document.append(in, value);
  else document.put_in_place_of(document.item(in, *index), value);
  return true;
}

Ref child(const Document& document, Ref in, const std::string& token) {
  if (document.is(in, Kind::Object)) return document.member(in, token);
  const auto index = index_of(token);
  return index ? document.item(in, *index) : kNone;
}

}  // namespace

std::optional<std::size_t> index_of(std::string_view token) noexcept {
  std::uint64_t index = 0;
  if (token.size() > 15 || (token.size() > 1 && token[0] == '0') || !parse_decimal(token, index)) return std::nullopt;
  return static_cast<std::size_t>(index);
}

void append_token(std::string& pointer, std::string_view token) {
  pointer += '/';
  for (const char c : token) {
    if (c == '~') pointer += "~0";
    else if (c == '/') pointer += "~1";
    else pointer += c;
  }
}

Result<Pointer> Pointer::parse(std::string_view text) {
  Pointer out;
  if (text.empty()) return out;
  if (text[0] != '/') return fail("bad-json-pointer", "`" + std::string(text) + "` is no JSON Pointer: one begins with /");
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '/') {
      out.tokens_.emplace_back();
      continue;
    }
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (text[at] == '~' && next != '0' && next != '1') return fail("bad-json-pointer", "`" + std::string(text) + "` is no JSON Pointer: ~ stands for nothing at octet " + std::to_string(at + 1) + "; ~0 is ~, ~1 is /");
    if (text[at] != '~') out.tokens_.back() += text[at];
    else out.tokens_.back() += next == '0' ? '~' : '/', ++at;
  }
  if (out.tokens_.size() > 64) return fail("bad-json-pointer", "the JSON Pointer has more than 64 tokens");
  return out;
}

bool Pointer::is_within(const Pointer& outer) const noexcept {
  return outer.tokens_.size() <= tokens_.size() && std::equal(outer.tokens_.begin(), outer.tokens_.end(), tokens_.begin());
}

Ref Pointer::find(const Document& document) const {
  Ref at = document.root();
  for (const std::string& token : tokens_)
    if (at != kNone) at = child(document, at, token);
  return at;
}

Ref Index::find(const Pointer& pointer) {
  constexpr std::size_t kLarge = 16;
  Ref at = document_.root();
  for (const std::string& token : pointer.tokens()) {
    if (at == kNone) return at;
    if (!document_.is(at, Kind::Object) || document_.size(at) <= kLarge) {
      at = child(document_, at, token);
      continue;
    }
    auto& names = members_[at];
    if (names.empty())
      for (Ref one = document_.first(at); one != kNone; one = document_.next(one)) names.emplace(document_.member_name(one), one);
    const auto found = names.find(token);
    at = found == names.end() ? kNone : found->second;
  }
  return at;
}

Ref Pointer::put(Document& document, Ref value) const {
  if (tokens_.empty()) {
    document.set_root(value);
    return kNone;
  }
  if (document.root() == kNone) document.set_root(document.add(Kind::Object));
  Ref at = document.root();
  for (std::size_t i = 0; i + 1 < tokens_.size(); ++i) {
    const Ref next = child(document, at, tokens_[i]);
    if (next != kNone) {
      at = next;
      continue;
    }
    const Ref made = document.add(Kind::Object);
    if (!put_in(document, at, tokens_[i], made)) return at;
    at = made;
  }
  return put_in(document, at, tokens_.back(), value) ? kNone : at;
}

}  // namespace gatelab::json
