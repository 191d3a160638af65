// SPDX-License-Identifier: Apache-2.0
#include "policy/json/value.h"

#include "config/json.h"

namespace gatelab::policy {

// The document has one value for each node of the tree, in the same order: `at` counts them.
bool JsonNewValue::find_texts(const config::Node& node, json::Ref& at, diag::Sink& sink, const std::vector<std::string>* parts) {
  const json::Ref own = at++;
  bool fine = true;
  for (const config::Node& item : node.items) fine = find_texts(item, at, sink, parts) && fine;
  for (const config::Entry& entry : node.entries) fine = find_texts(*entry.value, at, sink, parts) && fine;
  if (node.kind != config::Kind::Text) return fine;
  auto text = Template::parse(node.text, node.span, sink, parts);
  if (!text) return false;
  if (!text->is_literal() || text->sample() != node.text) texts_.emplace_back(own, std::move(*text));
  return true;
}

std::optional<JsonNewValue> JsonNewValue::parse(const config::Node& node, diag::Sink& sink, const std::vector<std::string>* parts) {
  JsonNewValue out;
  auto shape = json::Document::parse(config::to_json(node), {128, 1'000'000});
  if (!shape) {
    sink.error("bad-json", node.span, "this is no value that JSON has: " + std::string(shape.error().what));
    return std::nullopt;
  }
  out.shape_ = std::move(*shape);
  json::Ref at = 0;
  if (!out.find_texts(node, at, sink, parts)) return std::nullopt;
  return out;
}

void JsonNewValue::add_parts(std::vector<std::string_view>& out) const {
  for (const auto& [ref, text] : texts_) text.add_parts(out);
}

void JsonNewValue::render(const Input& in, RenderedTexts& out) const {
  for (const auto& [ref, text] : texts_) {
    const std::string_view value = text.render(in);
    out.push_back(value.empty() && !text.is_literal() ? std::nullopt : std::optional<std::string>(value));
  }
}

json::Ref JsonNewValue::make(json::Document& document, const RenderedTexts& rendered, std::size_t& at) const {
  const json::Ref made = document.graft(shape_);
  bool is_there = true;
  for (const auto& [ref, text] : texts_) {
    const std::optional<std::string>& value = rendered[at++];
    if (value) document.set_text(made + ref, *value);
    else if (ref == 0) is_there = false;
    else document.take_out(made + ref);
  }
  return is_there ? made : json::kNone;
}

}  // namespace gatelab::policy
