// SPDX-License-Identifier: Apache-2.0
// Reads a JSON text into a document, in one pass and without recursion.
#include <algorithm>

#include "json/document.h"
#include "json/text.h"

namespace gatelab::json {

class Reader {
 public:
  Reader(Document& out, std::string_view text, const Limits& limits) noexcept : out_(out), text_(text), limits_(limits) {}
  const Fault& fault() const noexcept { return fault_; }

  bool run() {
    for (;;) {
      blank();
      if (!value()) return false;
      if (!opened_ && !after_value()) return false;
      if (open_ == kNone) break;
      if (!begin_member()) return false;
    }
    blank();
    return at_ == text_.size() || refuse("nothing more was expected behind the value");
  }

 private:
  bool refuse(std::string_view what, Fault::Kind kind = Fault::Kind::Malformed) noexcept {
    fault_ = {kind, what, at_};
    return false;
  }
  void blank() noexcept {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) ++at_;
  }
  char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }

  // A scalar, or the beginning of an array or object, which is the open one then.
  bool value() {
    opened_ = false;
    const char c = peek();
    if (c == '{' || c == '[') return open(c == '{' ? Kind::Object : Kind::Array);
    if (c == '"') {
      ++at_;
      bool escaped = false;
      const std::size_t size = string_size(text_.substr(at_), escaped);
      if (size == std::string_view::npos) return refuse("a string has no end, a control octet, a wrong escape, or is not UTF-8");
      if (!add(Kind::String, size)) return false;
      out_.nodes_.back().escaped = escaped;
      at_ += size + 1;
      return true;
    }
    if (c == '-' || (c >= '0' && c <= '9')) return scalar(Kind::Number, number_size(text_.substr(at_)));
    for (const std::string_view word : {"null", "true", "false"})
      if (text_.substr(at_).starts_with(word)) return scalar(word == "null" ? Kind::Null : Kind::Bool, word.size());
    return refuse(at_ == text_.size() ? "the text ends where a value was expected" : "a value was expected");
  }

  bool scalar(Kind kind, std::size_t size) {
    if (size == 0) return refuse("this is no number");
    if (!add(kind, size)) return false;
    at_ += size;
    return true;
  }

  bool add(Kind kind, std::size_t size) {
    if (out_.nodes_.size() >= limits_.values) return refuse("there are too many values", Fault::Kind::TooMany);
    Document::Node node;
    node.kind = kind;
    node.text = static_cast<std::uint32_t>(at_);
    node.text_size = static_cast<std::uint32_t>(size);
    node.name = name_;
    node.name_size = name_size_;
    node.name_escaped = name_escaped_;
    out_.nodes_.push_back(node);
    const auto made = static_cast<Ref>(out_.nodes_.size() - 1);
    if (open_ != kNone) out_.link(open_, made);
    return true;
  }

  bool open(Kind kind) {
    if (depth_ == limits_.depth) return refuse("arrays and objects are nested too deep", Fault::Kind::TooDeep);
    if (!add(kind, 0)) return false;
    ++depth_;
    ++at_;
    open_ = static_cast<Ref>(out_.nodes_.size() - 1);
    blank();
    opened_ = peek() != (kind == Kind::Object ? '}' : ']');
    return opened_ || close();
  }

  bool close() {
    if (out_.nodes_[open_].kind == Kind::Object && has_duplicates()) return refuse("a name stands twice in an object");
    ++at_;
    --depth_;
    open_ = out_.nodes_[open_].parent;
    return true;
  }

  // Up to the comma before the next value, or to the end of everything.
  bool after_value() {
    while (open_ != kNone) {
      blank();
      const bool object = out_.nodes_[open_].kind == Kind::Object;
      if (peek() == ',') {
        ++at_;
        return true;
      }
      if (peek() != (object ? '}' : ']')) return refuse(object ? ", or } was expected" : ", or ] was expected");
      if (!close()) return false;
    }
    return true;
  }

  // In an object: the name of what comes, and its colon.
  bool begin_member() {
    name_size_ = 0;
    name_escaped_ = false;
    if (out_.nodes_[open_].kind != Kind::Object) return true;
    blank();
    if (peek() != '"') return refuse("a member's name was expected, in double quotes");
    ++at_;
    const std::size_t size = string_size(text_.substr(at_), name_escaped_);
    if (size == std::string_view::npos) return refuse("a name has no end, a control octet, a wrong escape, or is not UTF-8");
    name_ = static_cast<std::uint32_t>(at_);
    name_size_ = static_cast<std::uint32_t>(size);
    at_ += size + 1;
    blank();
    if (peek() != ':') return refuse(": was expected behind a member's name");
    ++at_;
    return true;
  }

  // Sorted where there are many: strangers choose the number. What is escaped may be written in several ways.
  bool has_duplicates() {
    const Document::Node& object = out_.nodes_[open_];
    if (object.count < 2) return false;
    names_.clear();
    own_.clear();
    bool escaped = false;
    for (Ref at = object.first; at != kNone; at = out_.nodes_[at].next) escaped = escaped || out_.nodes_[at].name_escaped;
    if (escaped) own_.reserve(object.count);  // views into it must stay
    for (Ref at = object.first; at != kNone; at = out_.nodes_[at].next) {
      const Document::Node& member = out_.nodes_[at];
      if (member.name_escaped) own_.push_back(unescaped(out_.pooled(member.name, member.name_size)));
      names_.push_back(member.name_escaped ? std::string_view(own_.back()) : out_.pooled(member.name, member.name_size));
    }
    std::sort(names_.begin(), names_.end());
    return std::adjacent_find(names_.begin(), names_.end()) != names_.end();
  }

  Document& out_;
  const std::string_view text_;
  const Limits& limits_;
  std::size_t at_ = 0, depth_ = 0;
  Ref open_ = kNone;
  bool opened_ = false;  // the value that was read last is an array or object that is not empty
  std::uint32_t name_ = 0, name_size_ = 0;
  bool name_escaped_ = false;
  std::vector<std::string_view> names_;
  std::vector<std::string> own_;
  Fault fault_;
};

Result<Document, Fault> Document::parse(std::string_view text, const Limits& limits) {
  Document out;
  out.pool_ = text;
  out.nodes_.reserve(std::min(limits.values, text.size() / 16 + 4));
  Reader reader(out, out.pool_, limits);
  if (!reader.run()) return Failure<Fault>{reader.fault()};
  out.root_ = 0;
  return out;
}

}  // namespace gatelab::json
