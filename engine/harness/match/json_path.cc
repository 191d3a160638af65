// SPDX-License-Identifier: Apache-2.0
#include "harness/match/json_path.h"

#include "json/path_evaluate.h"

namespace gatelab::harness {
namespace {

// nlohmann's values as a path sees them.
class Tree {
 public:
  using Node = const nlohmann::json*;

  json::Kind kind(Node node) const noexcept {
    if (node->is_object()) return json::Kind::Object;
    if (node->is_array()) return json::Kind::Array;
    if (node->is_string()) return json::Kind::String;
    if (node->is_boolean()) return json::Kind::Bool;
    return node->is_number() ? json::Kind::Number : json::Kind::Null;
  }
  std::string text(Node node) const { return node->is_string() ? node->get<std::string>() : node->dump(); }
  bool truth(Node node) const { return node->get<bool>(); }
  std::size_t size(Node node) const noexcept { return node->size(); }
  template <class F>
  void each(Node node, F f) const {
    for (const auto& child : *node)
      if (!f(&child)) return;
  }
  std::optional<Node> member(Node object, std::string_view name) const {
    const auto found = object->find(name);
    return found == object->end() ? std::nullopt : std::optional(&*found);
  }
  template <class F>
  void each_member(Node object, F f) const {
    for (auto at = object->begin(); at != object->end(); ++at)
      if (!f(std::string_view(at.key()), &*at)) return;
  }
};

}  // namespace

struct JsonPath::Compiled {
  json::Path path;
};

bool JsonPath::singular() const noexcept { return compiled_->path.singular(); }

Result<JsonPath> JsonPath::compile(std::string_view text) {
  auto path = json::Path::compile(text);
  if (!path) return Failure<Error>{path.error()};
  return JsonPath(std::make_shared<const Compiled>(Compiled{std::move(*path)}));
}

std::vector<const nlohmann::json*> JsonPath::select(const nlohmann::json& root) const {
  const Tree tree;
  return json::Evaluation<Tree>(tree, &root).select(compiled_->path);
}

}  // namespace gatelab::harness
