// SPDX-License-Identifier: Apache-2.0
#include "policy/when.h"

#include <algorithm>
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

std::shared_ptr<const route::Table> table_of(route::Match match, const diag::Span& span, diag::Sink& sink) {
  std::vector<route::Spec> specs(1);
  specs.front().name = "when";
  specs.front().span = span;
  specs.front().match = std::move(match);
  return std::make_shared<const route::Table>(std::move(specs), sink);
}

route::Request request_of(const Input& in) noexcept {
  route::Request request;
  request.host = in.request.host;
  request.path = in.path;
  request.query = in.request.query;
  request.method = in.request.method_text;
  request.fields = &in.request.fields;
  return request;
}

}  // namespace

std::optional<config::Node> When::spelt_out(const config::Node& text, diag::Sink& sink) {
  config::Node map;
  map.kind = config::Kind::Map;
  map.span = text.span;
  const std::string& said = text.text;
  const bool is_path = said.starts_with('/');
  const std::size_t space = is_path ? std::string::npos : said.find(' ');
  const std::string method = is_path ? std::string() : said.substr(0, space);
  const std::string path = is_path ? said : space == std::string::npos ? std::string() : said.substr(std::min(said.size(), said.find_first_not_of(' ', space)));
  const bool method_fits = std::all_of(method.begin(), method.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; });
  const bool path_fits = space == std::string::npos || path.starts_with('/');
  if (said.empty() || !method_fits || !path_fits || (!is_path && method.empty())) {
    sink.error("bad-condition", text.span, "`" + said + "` is neither a method nor a path", "GET, /orders/*, or GET /orders/*; more can be said by a map: { methods: [GET], headers: { X-Beta: on } }");
    return std::nullopt;
  }
  if (!method.empty()) add(map, "methods", method);
  if (!path.empty()) add(map, "path", path);
  return map;
}

bool When::fits(const Input& in) const noexcept { return !table_ || table_->matches(request_of(in), in.arena); }

std::string When::misfit(const Input& in) const {
  if (!table_) return {};
  const std::vector<route::Rejected> why = table_->explain(request_of(in), -1);
  return why.empty() ? std::string() : why.front().criterion;
}

When When::parse(const config::Node* node, std::string_view kind, diag::Sink& sink) {
  When when;
  if (node == nullptr) return when;
  const std::string what = "policy `" + std::string(kind) + "`";
  const std::optional<config::Node> map = node->kind == config::Kind::Text ? spelt_out(*node, sink) : std::nullopt;
  if (node->kind == config::Kind::Text && !map) return when;
  when.table_ = table_of(route::parse_match(map ? &*map : node, sink, what, "when"), node->span, sink);
  return when;
}

When When::parse(config::Reader& r) {
  When when;
  route::Match match = route::parse_match(r, r.what());
  const bool always = match.hosts.empty() && match.path_kind == route::PathKind::Any && match.methods.empty() && match.headers.empty() && match.query.empty();
  if (!always) when.table_ = table_of(std::move(match), r.span(), r.sink());
  return when;
}

}  // namespace gatelab::policy
