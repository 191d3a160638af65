// SPDX-License-Identifier: Apache-2.0
// `match:` of a route, from the configuration.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "http/uri.h"
#include "route/table.h"

namespace gatelab::route {
namespace {

void bad_path(diag::Sink& sink, const diag::Span& span, std::string message, std::string hint = {}) {
  sink.error("bad-path", span, std::move(message), std::move(hint));
}

// True if matching would ever see such a path; says what it would see instead.
bool check_canonical(std::string_view path, const diag::Span& span, diag::Sink& sink) {
  Arena arena;
  http::PathOptions options;
  options.encoded_slash = http::EncodedSlash::Keep;
  const http::CanonicalPath canonical = http::canonical_path(path, options, arena);
  if (canonical.rule != http::Rule::Ok) {
    bad_path(sink, span, "`" + std::string(path) + "` is not a path that a request can have", "it begins with / and percent-encodes what paths can't hold");
    return false;
  }
  if (canonical.path == path) return true;
  bad_path(sink, span, "`" + std::string(path) + "` can never match: paths are made canonical first", "write " + std::string(canonical.path));
  return false;
}

bool check_template(const std::string& path, const diag::Span& span, diag::Sink& sink) {
  std::set<std::string> names;
  std::string plain;
  for (std::size_t at = 0; at < path.size();) {
    std::size_t end = path.find('/', at + 1);
    if (end == std::string::npos) end = path.size();
    const std::string segment = path.substr(at + 1, end - at - 1);
    at = end;
    if (segment.find_first_of("{}") == std::string::npos) {
      plain += "/" + segment;
      continue;
    }
    const std::string name = segment.size() > 2 ? segment.substr(1, segment.size() - 2) : "";
    const bool whole = segment.front() == '{' && segment.back() == '}' && !name.empty() && name.find_first_of("{}") == std::string::npos;
    if (!whole) {
      bad_path(sink, span, "`" + segment + "` is not a parameter", "a parameter is a whole segment: /orders/{id}");
      return false;
    }
    if (!names.insert(name).second) {
      bad_path(sink, span, "the parameter `" + name + "` occurs twice");
      return false;
    }
    plain += "/x";
  }
  return check_canonical(plain, span, sink);
}

void set_path(Match& match, PathKind kind, std::string path, const diag::Span& span, diag::Sink& sink) {
  match.path_kind = kind;
  match.path_span = span;
  match.path = std::move(path);
  if (kind == PathKind::Regex) return;
  if (match.path.empty() || match.path.front() != '/') return bad_path(sink, span, "the path `" + match.path + "` does not begin with /");
  if (kind == PathKind::Prefix) {
    if (match.path.ends_with("/*")) match.path.resize(match.path.size() - 2);
    else if (match.path.ends_with("/")) match.path.pop_back();
  }
  if (match.path.find('*') != std::string::npos) return bad_path(sink, span, "`*` can only stand at the end, behind a slash", "write /items/* for /items and all below it");
  if (kind == PathKind::Template) check_template(match.path, span, sink);
  else if (!match.path.empty()) check_canonical(match.path, span, sink);
}

void parse_path(Match& match, const config::Node& node, diag::Sink& sink, const std::string& what) {
  if (node.kind != config::Kind::Map) {
    auto text = config::as_text(node, sink, "`path` of " + what);
    if (!text) return;
    const PathKind kind = text->find('{') != std::string::npos ? PathKind::Template : text->ends_with("/*") ? PathKind::Prefix : PathKind::Exact;
    return set_path(match, kind, std::move(*text), node.span, sink);
  }
  config::Reader r(node, sink, "`path` of " + what);
  constexpr std::pair<std::string_view, PathKind> kKinds[] = {
      {"exact", PathKind::Exact}, {"prefix", PathKind::Prefix}, {"template", PathKind::Template}, {"regex", PathKind::Regex}};
  int found = 0;
  for (const auto& [key, kind] : kKinds) {
    auto text = r.text(key);
    if (!text) continue;
    ++found;
    set_path(match, kind, std::move(*text), r.span_of(key), sink);
  }
  r.finish();
  if (found != 1) bad_path(sink, node.span, "`path` needs exactly one of exact, prefix, template, regex");
}

void parse_hosts(Match& match, config::Reader& r, diag::Sink& sink) {
  for (auto& host : r.texts("hosts")) {
    host.value = to_lower(host.value);
    const std::string_view name = host.value.starts_with("*.") ? std::string_view(host.value).substr(2) : std::string_view(host.value);
    const auto authority = http::parse_authority(name);
    const bool fine = host.value == "*" || (authority && !authority->port && authority->host == name && name.find('*') == std::string_view::npos);
    if (!fine) sink.error("bad-host", host.span, "`" + host.value + "` is not a host", "write api.local, *.example.local or *; a port is never part of it");
    match.hosts.push_back(std::move(host));
  }
}

void parse_methods(Match& match, config::Reader& r, diag::Sink& sink) {
  for (const auto& method : r.texts("methods")) {
    const bool lower = std::any_of(method.value.begin(), method.value.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    std::string upper = method.value;
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    if (!http::is_token(method.value) || (lower && http::method_of(upper) != http::Method::Other))
      sink.error("bad-method", method.span, "`" + method.value + "` is not a method", lower ? "methods are case-sensitive: write " + upper : "");
    else if (lower)
      sink.warning("unusual-method", method.span, "`" + method.value + "` is no method that is registered, and methods are case-sensitive: only requests that spell it so fit", "methods: [GET, POST]");
    match.methods.push_back(method.value);
  }
}

// name: value, or name: { present: true } / { equals: … } / { regex: … }.
void parse_conditions(std::vector<Condition>& out, const config::Node* node, diag::Sink& sink, const std::string& what, bool header) {
  if (node == nullptr) return;
  if (node->kind != config::Kind::Map) {
    sink.error("wrong-type", node->span, what + " must be a map of names to values, not " + std::string(config::kind_name(node->kind)));
    return;
  }
  for (const config::Entry& entry : node->entries) {
    if (header && !http::is_token(entry.key)) sink.error("bad-header", entry.key_span, "`" + entry.key + "` is not a header name");
    Condition condition;
    condition.name = entry.key;
    const config::Node& value = *entry.value;
    if (value.kind != config::Kind::Map) {
      if (value.kind == config::Kind::List || value.kind == config::Kind::Null) sink.error("wrong-type", value.span, "the value of `" + entry.key + "` must be text");
      condition.value = value.text;
      out.push_back(std::move(condition));
      continue;
    }
    config::Reader r(value, sink, "condition on `" + entry.key + "`");
    if (auto equals = r.text("equals")) condition.value = std::move(*equals);
    if (auto regex = r.text("regex")) {
      condition.kind = Condition::Kind::Regex;
      condition.value = std::move(*regex);
    }
    if (r.get("present") != nullptr) {
      condition.kind = Condition::Kind::Present;
      if (!r.boolean("present", true)) sink.error("bad-choice", r.span_of("present"), "`present` can only be true here");
    }
    r.finish();
    if (value.entries.size() != 1) sink.error("wrong-type", value.span, "a condition needs exactly one of equals, regex, present");
    out.push_back(std::move(condition));
  }
}

}  // namespace

Match parse_match(const config::Node* node, diag::Sink& sink, std::string_view what, std::string_view key) {
  Match match;
  if (node == nullptr) return match;
  config::Reader r(*node, sink, "`" + std::string(key) + "` of " + std::string(what));
  match = parse_match(r, what);
  r.finish();
  return match;
}

Match parse_match(config::Reader& r, std::string_view what) {
  Match match;
  diag::Sink& sink = r.sink();
  const std::string of(what);
  parse_hosts(match, r, sink);
  if (const config::Node* path = r.get("path")) parse_path(match, *path, sink, of);
  parse_methods(match, r, sink);
  parse_conditions(match.headers, r.get("headers"), sink, "`headers` of " + of, true);
  parse_conditions(match.query, r.get("query"), sink, "`query` of " + of, false);
  r.elsewhere("host", "write hosts: [ … ]");
  r.elsewhere("method", "write methods: [ … ]");
  return match;
}

}  // namespace gatelab::route
