// SPDX-License-Identifier: Apache-2.0
#include "config/node.h"

namespace gatelab::config {

const Entry* Node::entry(std::string_view key) const noexcept {
  for (const Entry& e : entries)
    if (e.key == key) return &e;
  return nullptr;
}

const Node* Node::find(std::string_view key) const noexcept {
  const Entry* e = entry(key);
  return e == nullptr ? nullptr : e->value.get();
}

std::string_view kind_name(Kind kind) noexcept {
  switch (kind) {
    case Kind::Null: return "nothing";
    case Kind::Bool: return "a boolean";
    case Kind::Integer:
    case Kind::Float: return "a number";
    case Kind::Text: return "text";
    case Kind::List: return "a list";
    case Kind::Map: break;
  }
  return "a map";
}

}  // namespace gatelab::config
