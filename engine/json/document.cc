// SPDX-License-Identifier: Apache-2.0
#include "json/document.h"

#include <algorithm>

#include "base/text.h"
#include "json/pointer.h"
#include "json/text.h"

namespace gatelab::json {

std::string_view name(Kind kind) noexcept {
  switch (kind) {
    case Kind::Null: return "null";
    case Kind::Bool: return "a boolean";
    case Kind::Number: return "a number";
    case Kind::String: return "a string";
    case Kind::Array: return "an array";
    case Kind::Object: return "an object";
  }
  return {};
}

std::string Document::text(Ref string) const { return nodes_[string].escaped ? unescaped(raw(string)) : std::string(raw(string)); }

std::string Document::member_name(Ref member) const {
  const Node& node = nodes_[member];
  const std::string_view written = pooled(node.name, node.name_size);
  return node.name_escaped ? unescaped(written) : std::string(written);
}

bool Document::is_called(Ref member, std::string_view name) const noexcept {
  const Node& node = nodes_[member];
  const std::string_view written = pooled(node.name, node.name_size);
  return node.name_escaped ? unescaped(written) == name : written == name;
}

Ref Document::member(Ref object, std::string_view name) const noexcept {
  if (!is(object, Kind::Object)) return kNone;
  Ref at = first(object);
  while (at != kNone && !is_called(at, name)) at = next(at);
  return at;
}

Ref Document::item(Ref array, std::size_t index) const noexcept {
  if (!is(array, Kind::Array) || index >= size(array)) return kNone;
  Ref at = first(array);
  for (; index > 0; --index) at = next(at);
  return at;
}

bool Document::is_within(Ref at, Ref container) const noexcept {
  while (at != kNone && at != container) at = parent(at);
  return at != kNone;
}

std::string Document::pointer(Ref at, std::size_t most) const {
  std::vector<Ref> way;
  for (; at != kNone && parent(at) != kNone; at = parent(at)) way.push_back(at);
  std::string out;
  for (auto step = way.rbegin(); step != way.rend() && out.size() <= most; ++step) {
    if (is(parent(*step), Kind::Object)) {
      const std::string_view written = pooled(nodes_[*step].name, nodes_[*step].name_size);
      if (written.size() <= most) append_token(out, member_name(*step));
      else append_token(out, written.substr(0, most));
      continue;
    }
    std::size_t index = 0;
    for (Ref before = nodes_[*step].before; before != kNone; before = nodes_[before].before) ++index;
    append_token(out, std::to_string(index));
  }
  return out;
}

// As deep as the value is.
void Document::append_canonical(std::string& out, Ref at) const {
  switch (kind(at)) {
    case Kind::Null:
    case Kind::Bool: out += raw(at); return;
    case Kind::Number: append_canonical_number(out, raw(at)); return;
    case Kind::String: {
      const std::string value = text(at);
      out.append(1, '"').append(std::to_string(value.size())).append(1, ':').append(value);
      return;
    }
    case Kind::Array:
      out += '[';
      for (Ref item = first(at); item != kNone; item = next(item)) {
        append_canonical(out, item);
        out += ',';
      }
      out += ']';
      return;
    case Kind::Object: return append_canonical_members(out, at);
  }
}

void Document::append_canonical_members(std::string& out, Ref object) const {
  std::vector<std::pair<std::string, Ref>> members;
  for (Ref at = first(object); at != kNone; at = next(at)) members.emplace_back(member_name(at), at);
  std::sort(members.begin(), members.end());
  out += '{';
  for (const auto& [name, at] : members) {
    out.append(std::to_string(name.size())).append(1, ':').append(name).append(1, '=');
    append_canonical(out, at);
    out += ',';
  }
  out += '}';
}

Ref Document::add(Kind container) {
  Node node;
  node.kind = container;
  nodes_.push_back(node);
  return static_cast<Ref>(nodes_.size() - 1);
}

Ref Document::add_text(std::string_view utf8) {
  const Ref made = add(Kind::String);
  set_text(made, utf8);
  return made;
}

Ref Document::add_literal(Kind scalar, std::string_view written) {
  const Ref made = add(scalar);
  nodes_[made].text = static_cast<std::uint32_t>(pool_.size());
  nodes_[made].text_size = static_cast<std::uint32_t>(written.size());
  pool_ += written;
  return made;
}

void Document::set_text(Ref string, std::string_view utf8) {
  Node& node = nodes_[string];
  node.text = static_cast<std::uint32_t>(pool_.size());
  append_json_escaped(pool_, utf8);
  node.text_size = static_cast<std::uint32_t>(pool_.size() - node.text);
  node.escaped = pooled(node.text, node.text_size).find('\\') != std::string_view::npos;
}

void Document::pool_name(Node& node, std::string_view name) {
  node.name = static_cast<std::uint32_t>(pool_.size());
  append_json_escaped(pool_, name);
  node.name_size = static_cast<std::uint32_t>(pool_.size() - node.name);
  node.name_escaped = pooled(node.name, node.name_size).find('\\') != std::string_view::npos;
}

// Their texts stand `pool` octets further back, they themselves `base` places.
Ref Document::copied(std::vector<Node>&& nodes, std::uint32_t pool, Ref base) {
  const auto shift = [base](Ref& ref) {
    if (ref != kNone) ref += base;
  };
  const auto made = static_cast<Ref>(nodes_.size());
  for (Node& node : nodes) {
    node.text += pool;
    node.name += pool;
    for (Ref* ref : {&node.parent, &node.first, &node.last, &node.next, &node.before}) shift(*ref);
    nodes_.push_back(node);
  }
  Node& top = nodes_[made];
  top.parent = top.next = top.before = kNone;
  return made;
}

Ref Document::graft(const Document& from) {
  const auto pool = static_cast<std::uint32_t>(pool_.size());
  pool_ += from.pool_;
  return copied(std::vector<Node>(from.nodes_), pool, static_cast<Ref>(nodes_.size()));
}

Ref Document::copy(Ref from, std::size_t count) {
  const auto begin = nodes_.begin() + static_cast<std::ptrdiff_t>(from);
  // What stands before the first belongs to the place where that is now, not to the copy.
  std::vector<Node> nodes(begin, begin + static_cast<std::ptrdiff_t>(count));
  nodes.front().parent = nodes.front().next = nodes.front().before = kNone;
  return copied(std::move(nodes), 0, static_cast<Ref>(nodes_.size() - from));
}

void Document::link(Ref container, Ref value) noexcept {
  Node& parent = nodes_[container];
  Node& child = nodes_[value];
  child.parent = container;
  child.before = parent.last;
  child.next = kNone;
  if (parent.last == kNone) parent.first = value;
  else nodes_[parent.last].next = value;
  parent.last = value;
  ++parent.count;
}

void Document::take_out(Ref at) noexcept {
  Node& node = nodes_[at];
  if (at == root_) root_ = kNone;
  if (node.parent == kNone) return;
  Node& parent = nodes_[node.parent];
  (node.before == kNone ? parent.first : nodes_[node.before].next) = node.next;
  (node.next == kNone ? parent.last : nodes_[node.next].before) = node.before;
  --parent.count;
  node.parent = node.next = node.before = kNone;
}

void Document::append(Ref array, Ref value) noexcept { link(array, value); }

void Document::append(Ref object, std::string_view name, Ref value) {
  pool_name(nodes_[value], name);
  link(object, value);
}

void Document::put_in_place_of(Ref old, Ref value) noexcept {
  Node& from = nodes_[old];
  Node& to = nodes_[value];
  to.name = from.name;
  to.name_size = from.name_size;
  to.name_escaped = from.name_escaped;
  if (old == root_) root_ = value;
  if (from.parent == kNone) return;
  to.parent = from.parent;
  to.before = from.before;
  to.next = from.next;
  Node& parent = nodes_[from.parent];
  (from.before == kNone ? parent.first : nodes_[from.before].next) = value;
  (from.next == kNone ? parent.last : nodes_[from.next].before) = value;
  from.parent = from.next = from.before = kNone;
}

void Document::rename(Ref member, std::string_view name) {
  const Ref other = this->member(parent(member), name);
  if (other == member) return;
  if (other != kNone) take_out(other);
  pool_name(nodes_[member], name);
}

void Document::write_head(std::string& out, Ref at) const {
  const Node& node = nodes_[at];
  if (node.parent != kNone && nodes_[node.parent].kind == Kind::Object) out.append(1, '"').append(pooled(node.name, node.name_size)).append("\":");
  switch (node.kind) {
    case Kind::Null:
    case Kind::Bool:
    case Kind::Number: out += raw(at); return;
    case Kind::String: out.append(1, '"').append(raw(at)).append(1, '"'); return;
    case Kind::Array: out += '['; return;
    case Kind::Object: out += '{'; return;
  }
}

bool Document::write(std::string& out, std::size_t at_most) const {
  if (root_ == kNone) {
    out += "null";
    return at_most >= 4;
  }
  const std::size_t begin = out.size();
  Ref at = root_;
  for (;;) {
    if (out.size() - begin > at_most) return false;
    write_head(out, at);
    if (nodes_[at].first != kNone) {
      at = nodes_[at].first;
      continue;
    }
    if (nodes_[at].kind >= Kind::Array) out += nodes_[at].kind == Kind::Array ? ']' : '}';
    while (at != root_ && nodes_[at].next == kNone) {
      at = nodes_[at].parent;
      out += nodes_[at].kind == Kind::Array ? ']' : '}';
    }
    if (at == root_) return out.size() - begin <= at_most;
    out += ',';
    at = nodes_[at].next;
  }
}

}  // namespace gatelab::json
