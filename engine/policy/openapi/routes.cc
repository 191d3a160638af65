// SPDX-License-Identifier: Apache-2.0
// Routes that an OpenAPI document stands for: as if they had been written.

#include "config/copy.h"
#include "policy/openapi/document.h"
#include "policy/openapi/openapi.h"

namespace gatelab::policy {
namespace {

config::Node node_of(config::Kind kind, const diag::Span& span, std::string text = {}) {
  config::Node out;
  out.kind = kind;
  out.span = span;
  out.text = std::move(text);
  return out;
}

void add(config::Node& map, std::string key, config::Node value) {
  const diag::Span span = value.span;
  map.entries.push_back({std::move(key), span, std::make_unique<config::Node>(std::move(value))});
}

config::Node match_of(const ApiOperation& operation) {
  config::Node path = node_of(config::Kind::Map, operation.span);
  add(path, operation.path.find('{') == std::string::npos ? "exact" : "template", node_of(config::Kind::Text, operation.span, operation.path));
  config::Node match = node_of(config::Kind::Map, operation.span);
  add(match, "path", std::move(path));
  add(match, "methods", node_of(config::Kind::Text, operation.span, operation.method));
  return match;
}

// The policy first, then the route's own.
config::Node policies_of(const config::Node& openapi, const config::Entry& said, const config::Node* own) {
  config::Node list = node_of(config::Kind::List, openapi.span);
  config::Node policy = node_of(config::Kind::Map, openapi.span);
  policy.entries.push_back({"openapi", said.key_span, std::make_unique<config::Node>(config::copy_of(openapi))});
  list.items.push_back(std::move(policy));
  if (own != nullptr && own->kind == config::Kind::List)
    for (const config::Node& item : own->items) list.items.push_back(config::copy_of(item));
  return list;
}

}  // namespace

std::vector<config::Node> openapi_routes(const config::Node& route, Context& context) {
  std::vector<config::Node> out;
  const config::Entry& said = *route.entry("openapi");
  const config::Node& openapi = *said.value;
  for (const std::string_view key : {"name", "match"})
    if (const config::Entry* entry = route.entry(key); entry != nullptr) context.sink.error("two-places", entry->key_span, "`" + std::string(key) + "` stands beside `openapi`, whose operations have their own", "write the policy `openapi` into `policies` of a route of your own instead");
  const config::Node* file = openapi.find("file");
  const config::Node* base = openapi.find("base_path");
  if (file == nullptr || file->kind != config::Kind::Text) {
    context.sink.error("missing-key", openapi.span, "`openapi` of a route names no file", "openapi: { file: api.yaml }");
    return out;
  }
  if (route.entry("name") != nullptr || route.entry("match") != nullptr) return out;
  const auto document = ApiDocument::load(*file, base != nullptr ? base->text : std::string(), context);
  if (!document) return out;
  for (const ApiOperation& operation : document->operations) {
    config::Node one = node_of(config::Kind::Map, route.span);
    add(one, "name", node_of(config::Kind::Text, operation.span, operation.id));
    add(one, "match", match_of(operation));
    add(one, "policies", policies_of(openapi, said, route.find("policies")));
    for (const config::Entry& entry : route.entries)
      if (entry.key != "openapi" && entry.key != "policies") one.entries.push_back({entry.key, entry.key_span, std::make_unique<config::Node>(config::copy_of(*entry.value))});
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace gatelab::policy
