// SPDX-License-Identifier: Apache-2.0
// A JSON text (RFC 8259) that is read strictly, edited and written again: members keep their order, numbers and strings are
// written as they came, octet for octet. Nothing here recurses but append_canonical(), so
// that depth costs no stack. A document owns all of its
// text. One thread at a time; a document that nobody edits may be read by any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gatelab::json {

enum class Kind : std::uint8_t { Null, Bool, Number, String, Array, Object };
std::string_view name(Kind kind) noexcept;  // "an object"

// A place in a document; stays what it is while the document is edited.
using Ref = std::uint32_t;
inline constexpr Ref kNone = 0xffffffff;

struct Limits {
  std::size_t depth = 64;        // arrays and objects in each other
  std::size_t values = 100'000;  // all, the outermost too
};

// Why a text is not taken.
struct Fault {
  enum class Kind : std::uint8_t { Malformed, TooDeep, TooMany } kind = Kind::Malformed;
  std::string_view what;  // a literal: "a member's name stands there twice"
  std::size_t at = 0;     // octet, from 0
};

class Document {
 public:
  // A text of at most 4 GiB. Refused besides what is no JSON: names that stand twice in one object (RFC 8259 §4), what is not
  // UTF-8, halves of surrogate pairs, a byte order mark.
  static Result<Document, Fault> parse(std::string_view text, const Limits& limits);

  Ref root() const noexcept { return root_; }
  std::size_t values() const noexcept { return nodes_.size(); }  // those that were taken out too
  Kind kind(Ref at) const noexcept { return nodes_[at].kind; }
  bool is(Ref at, Kind kind) const noexcept { return nodes_[at].kind == kind; }
  // As written: a string's octets between its quotes, a number's digits, true, false, null. Empty of an array or object. Until
  // the next edit.
  std::string_view raw(Ref at) const noexcept { return pooled(nodes_[at].text, nodes_[at].text_size); }
  std::string text(Ref string) const;         // without escapes
  std::string member_name(Ref member) const;  // likewise
  bool is_called(Ref member, std::string_view name) const noexcept;

  std::size_t size(Ref container) const noexcept { return nodes_[container].count; }
  Ref parent(Ref at) const noexcept { return nodes_[at].parent; }
  Ref first(Ref container) const noexcept { return nodes_[container].first; }
  Ref next(Ref at) const noexcept { return nodes_[at].next; }
  // kNone: there is none.
  Ref member(Ref object, std::string_view name) const noexcept;
  Ref item(Ref array, std::size_t index) const noexcept;
  bool is_within(Ref at, Ref container) const noexcept;  // or the same
  // The JSON Pointer that leads there (RFC 6901); its beginning, where it has more octets than that: names may be as long as the text.
  std::string pointer(Ref at, std::size_t most = SIZE_MAX) const;
  // Of a document that was only read: where in its text a value begins, and the name of a member, behind its quote.
  std::size_t offset(Ref at) const noexcept { return nodes_[at].text; }
  std::size_t name_offset(Ref at) const noexcept { return nodes_[at].name; }
  // Appends a text that is the same for equal values and for no others: 1.0 is 1, members in any order are equal.
  void append_canonical(std::string& out, Ref at) const;

  // New values stand nowhere until they are put somewhere.
  Ref add(Kind container);
  Ref add_text(std::string_view utf8);
  Ref add_literal(Kind scalar, std::string_view written);  // a number, true, false, null
  void set_text(Ref string, std::string_view utf8);
  // All of another document; how many values that makes, all behind the first, is `from.values()`.
  Ref graft(const Document& from);
  // `count` values from `first` on, as graft() has made them, once more, as they are now. The first copy.
  Ref copy(Ref first, std::size_t count);

  void take_out(Ref at) noexcept;  // of its array or object; the root: there is none then
  void append(Ref array, Ref value) noexcept;
  void append(Ref object, std::string_view name, Ref value);
  void put_in_place_of(Ref old, Ref value) noexcept;  // gets its name
  void rename(Ref member, std::string_view name);     // another one of that name is taken out
  void set_root(Ref value) noexcept { root_ = value; }

  // Without white space. False: it would be longer than `at_most` octets. Without a root: null.
  bool write(std::string& out, std::size_t at_most) const;

 private:
  friend class Reader;
  struct Node {
    Kind kind = Kind::Null;
    bool escaped = false, name_escaped = false;
    std::uint32_t text = 0, text_size = 0, name = 0, name_size = 0;  // in the pool
    std::uint32_t count = 0;
    Ref parent = kNone, first = kNone, last = kNone, next = kNone, before = kNone;
  };
  std::string_view pooled(std::uint32_t at, std::uint32_t size) const noexcept { return std::string_view(pool_).substr(at, size); }
  void write_head(std::string& out, Ref at) const;
  void append_canonical_members(std::string& out, Ref object) const;
  Ref copied(std::vector<Node>&& nodes, std::uint32_t pool, Ref base);
  void pool_name(Node& node, std::string_view name);
  void link(Ref container, Ref value) noexcept;

  std::vector<Node> nodes_;
  std::string pool_;
  Ref root_ = kNone;
};

}  // namespace gatelab::json
