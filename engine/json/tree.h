// SPDX-License-Identifier: Apache-2.0
// A document as a JSONPath sees it (path_evaluate.h). Lives no longer than the document.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "json/document.h"

namespace gatelab::json {

class DocumentTree {
 public:
  using Node = Ref;
  explicit DocumentTree(const Document& document) noexcept : document_(document) {}

  Kind kind(Node node) const noexcept { return document_.kind(node); }
  std::string text(Node node) const { return document_.text(node); }
  bool truth(Node node) const noexcept { return document_.raw(node) == "true"; }
  std::size_t size(Node node) const noexcept { return document_.size(node); }
  template <class F>
  void each(Node node, F f) const {
    for (Ref at = document_.first(node); at != kNone; at = document_.next(at))
      if (!f(at)) return;
  }
  std::optional<Node> member(Node object, std::string_view name) const noexcept {
    const Ref found = document_.member(object, name);
    return found == kNone ? std::nullopt : std::optional(found);
  }
  template <class F>
  void each_member(Node object, F f) const {
    for (Ref at = document_.first(object); at != kNone; at = document_.next(at))
      if (!f(std::string_view(document_.member_name(at)), at)) return;
  }

 private:
  const Document& document_;
};

}  // namespace gatelab::json
