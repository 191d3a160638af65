// SPDX-License-Identifier: Apache-2.0
#include "policy/when.h"

#include <utility>

namespace gatelab::policy {
namespace {

config::Node text(std::string value, const diag::Span& span) {
  config::Node node;
  node.kind = config::Kind::Text;
  node.text = std::move(value);
  node.span = span;
  return node;
}

void add(config::Node& map, std::string key, std::string value) { map.entries.push_back({std::move(key), map.span, std::make_unique<config::Node>(text(std::move(value), map.span))}); }

// "GET /orders/*", "/orders/*" or "GET" as the map that says the same.
config::Node spelt_out(const config::Node& node) {
  config::Node map;
  map.kind = config::Kind::Map;
  map.span = node.span;
  const std::size_t path = node.text.find('/');
  const std::size_t end = node.text.find_last_not_of(' ', path == std::string::npos ? path : path - 1);
  const std::string method = path == 0 ? std::string() : node.text.substr(0, end + 1);
  if (!method.empty()) add(map, "methods", method);
  if (path != std::string::npos) add(map, "path", node.text.substr(path));
  return map;
}

}  // namespace

bool When::fits(const Input& in) const noexcept {
  if (!table_) return true;
  route::Request request;
  request.host = in.request.host;
  request.path = in.path;
  request.query = in.request.query;
  request.method = in.request.method_text;
  request.fields = &in.request.fields;
  return table_->match(request, in.arena).route >= 0;
}

When When::parse(const config::Node* node, std::string_view kind, diag::Sink& sink) {
  When when;
  if (node == nullptr) return when;
  const std::string what = "policy `" + std::string(kind) + "`";
  route::Spec spec;
  spec.name = "when";
  spec.span = node->span;
  const config::Node map = node->kind == config::Kind::Text ? spelt_out(*node) : config::Node{};
  spec.match = route::parse_match(node->kind == config::Kind::Text ? &map : node, sink, what, "when");
  std::vector<route::Spec> specs;
  specs.push_back(std::move(spec));
  when.table_ = std::make_shared<const route::Table>(std::move(specs), sink);
  return when;
}

}  // namespace gatelab::policy
