// SPDX-License-Identifier: Apache-2.0
// JSON Pointer (RFC 6901). Plain values; any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/document.h"

namespace gatelab::json {

class Pointer {
 public:
  // "" is the whole document, "/a/0/b~1c" what its tokens lead to. The error says what is wrong, with the octet's place.
  static Result<Pointer> parse(std::string_view text);
  const std::vector<std::string>& tokens() const noexcept { return tokens_; }
  bool is_root() const noexcept { return tokens_.empty(); }
  // Leads into what `outer` leads to, or to the same.
  bool is_within(const Pointer& outer) const noexcept;

  // kNone: nothing stands there.
  Ref find(const Document& document) const;
  // Puts `value` there, in the place of what stands there already; objects that are missing on the way are made, `-` and the
  // index behind the last are a new item of an array. kNone, or what stands in the way: it has no such place.
  Ref put(Document& document, Ref value) const;

 private:
  std::vector<std::string> tokens_;
};

// Finds many places of one document, which nobody edits and which outlives it: members of large objects are sorted once, not looked for
// one by one each time. One thread.
class Index {
 public:
  explicit Index(const Document& document) noexcept : document_(document) {}
  Ref find(const Pointer& pointer);  // as Pointer::find()

 private:
  const Document& document_;
  std::map<Ref, std::map<std::string, Ref, std::less<>>> members_;  // of large objects
};

// The token as an index (RFC 6901 §4): no sign, no leading zero. Nullopt: it is none.
std::optional<std::size_t> index_of(std::string_view token) noexcept;
// Appends `/` and the token, escaped.
void append_token(std::string& pointer, std::string_view token);

}  // namespace gatelab::json
