// SPDX-License-Identifier: Apache-2.0
#include "policy/json/target.h"

#include "json/path_evaluate.h"
#include "json/tree.h"

namespace gatelab::policy {

std::optional<json::Pointer> parse_json_pointer(std::string_view text, const diag::Span& span, diag::Sink& sink) {
  auto pointer = json::Pointer::parse(text);
  if (pointer) return std::move(*pointer);
  const bool is_path = text.starts_with('$');
  sink.error(pointer.error().id, span, is_path ? "`" + std::string(text) + "` may select several values, and here stands one place" : pointer.error().message, "a JSON Pointer: /user/id, /items/0; ~1 stands for / and ~0 for ~ in a name");
  return std::nullopt;
}

std::optional<JsonTarget> JsonTarget::parse(std::string_view text, const diag::Span& span, diag::Sink& sink) {
  JsonTarget out;
  if (!text.starts_with('$')) {
    auto pointer = json::Pointer::parse(text);
    if (!pointer) {
      sink.error(pointer.error().id, span, pointer.error().message, "a JSON Pointer begins with /, a JSONPath with $: /user/id, $.items[*].id");
      return std::nullopt;
    }
    out.pointer_ = std::move(*pointer);
    return out;
  }
  auto path = json::Path::compile(text);
  if (!path) {
    sink.error(path.error().id, span, path.error().message, "a JSONPath as RFC 9535 has it: $.items[*].id, $..secret");
    return std::nullopt;
  }
  out.path_ = std::move(*path);
  out.is_root_ = text == "$";
  return out;
}

bool JsonTarget::select(const json::Document& document, std::size_t visits, std::vector<json::Ref>& out) const {
  if (document.root() == json::kNone) return true;
  if (pointer_) {
    const json::Ref found = pointer_->find(document);
    if (found != json::kNone) out.push_back(found);
    return true;
  }
  const json::DocumentTree tree(document);
  json::Evaluation<json::DocumentTree> evaluation(tree, document.root(), visits);
  out = evaluation.select(*path_);
  return evaluation.is_complete();
}

}  // namespace gatelab::policy
