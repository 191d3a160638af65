// SPDX-License-Identifier: Apache-2.0
// `host`, `strip_prefix` and `rewrite_prefix` of a route.
#include <algorithm>

#include "gateway/model_parts.h"
#include "proxy/forwarding.h"

namespace gatelab::gateway {
namespace {

// Without the slash at its end: "" is the root. Nullopt after a report.
std::optional<std::string> parse_prefix(const config::Node& node, diag::Sink& sink, const std::string& what) {
  auto text = config::as_text(node, sink, what);
  if (!text) return std::nullopt;
  Arena arena;
  const http::CanonicalPath canonical = http::canonical_path(*text, {}, arena);
  if (canonical.rule != http::Rule::Ok || canonical.path != *text || text->find("//") != std::string::npos) {
    sink.error("bad-path", node.span, "`" + *text + "` is not a prefix of canonical paths", "it begins with / and has no dot segments, no // and no %XX of plain letters");
    return std::nullopt;
  }
  if (text->ends_with('/')) text->pop_back();
  return text;
}

// The part of every path that the route takes: what `true` strips.
std::string literal_prefix(const route::Match& match) {
  std::string path = match.path;
  if (match.path_kind == route::PathKind::Template) path.resize(path.find("/{"));
  if (path.ends_with('/')) path.pop_back();
  return path;
}

void need_prefix(const std::string& from, const route::Match& match, const diag::Span& span, diag::Sink& sink) {
  if (match.path_kind == route::PathKind::Regex || proxy::has_prefix(literal_prefix(match), from)) return;
  sink.error("bad-prefix", span, "the route's paths do not begin with `" + from + "`: nothing would be taken off", "match: { path: " + from + "/* }");
}

}  // namespace

void parse_forwarding(RouteConfig& route, const route::Match& match, const std::vector<ListenerConfig>& listeners, config::Reader& r, diag::Sink& sink) {
  const std::string what = "route `" + route.name + "`";
  const config::Node* host = r.get("host");
  const config::Node* strip = r.get("strip_prefix");
  const config::Node* rewrite = r.get("rewrite_prefix");
  if (host != nullptr) route.host = upstream::parse_host_policy(*host, sink, "`host` of " + what);
  if (strip == nullptr && rewrite == nullptr) return;
  const config::Node& node = strip != nullptr ? *strip : *rewrite;
  const char* key = strip != nullptr ? "strip_prefix" : "rewrite_prefix";
  if (strip != nullptr && rewrite != nullptr) sink.error("two-places", rewrite->span, what + " has `strip_prefix` and `rewrite_prefix`", "rewrite_prefix takes a prefix off too");
  if (route.upstream < 0) sink.warning("no-effect", node.span, what + " forwards nothing: there is no path to rewrite");
  for (const ListenerConfig& listener : listeners)
    if (listener.path.forward_path == http::ForwardPath::Original)
      sink.error("original-path", node.span, what + " rewrites the path, and the listener `" + listener.name + "` forwards it as it came", "forward_path: canonical");
  const bool whole = strip != nullptr && strip->kind == config::Kind::Bool;
  if (whole && !strip->boolean) return;
  const bool literal = match.path_kind == route::PathKind::Prefix || match.path_kind == route::PathKind::Exact || match.path_kind == route::PathKind::Template;
  const bool implied = whole || (rewrite != nullptr && rewrite->kind != config::Kind::Map);
  if (implied && !literal)
    return sink.error("bad-prefix", node.span, what + " has no prefix of its own", std::string("write ") + key + (strip != nullptr ? ": /api" : ": { from: /api, to: /v2 }"));
  std::optional<std::string> from = literal_prefix(match), to = std::string();
  if (strip != nullptr && !whole) from = parse_prefix(*strip, sink, "`strip_prefix` of " + what);
  if (strip == nullptr && implied) to = parse_prefix(*rewrite, sink, "`rewrite_prefix` of " + what);
  if (strip == nullptr && !implied) {
    config::Reader m(*rewrite, sink, "`rewrite_prefix` of " + what);
    const config::Node* from_node = m.require("from");
    const config::Node* to_node = m.require("to");
    m.finish();
    from = from_node == nullptr ? std::nullopt : parse_prefix(*from_node, sink, "`from`");
    to = to_node == nullptr ? std::nullopt : parse_prefix(*to_node, sink, "`to`");
  }
  if (!from || !to) return;
  if (!implied) need_prefix(*from, match, node.span, sink);
  route.rewrite.emplace(std::move(*from), std::move(*to));
}

}  // namespace gatelab::gateway
