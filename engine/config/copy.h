// SPDX-License-Identifier: Apache-2.0
// Copies of located trees. Pure; any thread.
#pragma once

#include <memory>

#include "config/node.h"

namespace gatelab::config {

// A node without what stands below it.
inline Node shell_of(const Node& from) {
  Node out;
  out.kind = from.kind;
  out.text = from.text;
  out.boolean = from.boolean;
  out.quoted = from.quoted;
  out.secret = from.secret;
  out.from_environment = from.from_environment;
  out.span = from.span;
  return out;
}

// As deep as a tree may be that parse() has let in.
inline Node copy_of(const Node& from) {
  Node out = shell_of(from);
  for (const Node& item : from.items) out.items.push_back(copy_of(item));
  for (const Entry& entry : from.entries) out.entries.push_back({entry.key, entry.key_span, std::make_unique<Node>(copy_of(*entry.value))});
  return out;
}

}  // namespace gatelab::config
