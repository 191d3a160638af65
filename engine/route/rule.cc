// SPDX-License-Identifier: Apache-2.0
#include "route/rule.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/text.h"
#include "http/uri.h"

namespace gatelab::route {
namespace {

std::shared_ptr<re2::RE2> compile_regex(const std::string& pattern, const diag::Span& span, diag::Sink& sink) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  auto regex = std::make_shared<re2::RE2>(pattern, options);
  if (regex->ok()) return regex;
  sink.error("bad-regex", span, "`" + pattern + "` is not a regular expression: " + regex->error(),
             "the syntax is RE2's: no look-around, no back-references");
  return nullptr;
}

bool value_fits(const CompiledCondition& c, std::string_view value) noexcept {
  switch (c.condition->kind) {
    case Condition::Kind::Present: return true;
    case Condition::Kind::Equals: return value == c.condition->value;
    case Condition::Kind::Regex: return c.regex && re2::RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), *c.regex);
  }
  return false;
}

}  // namespace

std::string_view next_segment(std::string_view& rest) noexcept {
  const std::size_t end = rest.find('/', 1);
  const std::string_view segment = rest.substr(1, end == std::string_view::npos ? end : end - 1);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
  return segment;
}

Compiled compile(const Spec& spec, std::int32_t index, diag::Sink& sink) {
  Compiled out;
  out.spec = &spec;
  out.index = index;
  const Match& match = spec.match;
  if (match.path_kind == PathKind::Regex) out.path = compile_regex(match.path, match.path_span, sink);
  for (const bool header : {true, false}) {
    for (const Condition& condition : header ? match.headers : match.query) {
      CompiledCondition compiled;
      compiled.condition = &condition;
      compiled.id = header ? http::field_id(condition.name) : http::FieldId::Other;
      if (condition.kind == Condition::Kind::Regex) compiled.regex = compile_regex(condition.value, spec.span, sink);
      (header ? out.headers : out.query).push_back(std::move(compiled));
    }
  }
  if (match.path_kind != PathKind::Template) return out;
  std::string_view rest = match.path;
  while (!rest.empty()) {
    const std::string_view segment = next_segment(rest);
    if (segment.starts_with("{")) out.parameters.push_back(segment.substr(1, segment.size() - 2));
  }
  return out;
}

bool host_fits(const Match& match, std::string_view host) noexcept {
  if (match.hosts.empty()) return true;
  return std::any_of(match.hosts.begin(), match.hosts.end(), [host](const auto& h) {
    const std::string_view wanted = h.value;
    if (wanted == "*") return true;
    if (!wanted.starts_with("*.")) return iequals(wanted, host);
    const std::string_view suffix = wanted.substr(1);
    return host.size() > suffix.size() && iequals(host.substr(host.size() - suffix.size()), suffix);
  });
}

bool path_fits(const Compiled& route, std::string_view path) noexcept {
  const Match& match = route.spec->match;
  const std::string_view wanted = match.path;
  switch (match.path_kind) {
    case PathKind::Any: return true;
    case PathKind::Exact: return path == wanted;
    case PathKind::Prefix: return path.starts_with("/") && path.starts_with(wanted) && (path.size() == wanted.size() || path[wanted.size()] == '/');
    case PathKind::Regex: return route.path && re2::RE2::PartialMatch(re2::StringPiece(path.data(), path.size()), *route.path);
    case PathKind::Template: break;
  }
  std::string_view left = wanted, rest = path;
  if (!path.starts_with("/")) return false;
  while (!left.empty() && !rest.empty()) {
    const std::string_view want = next_segment(left), have = next_segment(rest);
    if (want.starts_with("{") ? have.empty() : want != have) return false;
  }
  return left.empty() && rest.empty();
}

bool method_fits(const Match& match, std::string_view method) noexcept {
  if (match.methods.empty()) return true;
  return std::any_of(match.methods.begin(), match.methods.end(), [method](const std::string& m) { return m == method || (method == "HEAD" && m == "GET"); });
}

bool header_fits(const CompiledCondition& c, const http::Fields* fields) noexcept {
  if (fields == nullptr) return false;
  for (const http::Field& f : *fields) {
    if (c.id != http::FieldId::Other ? f.id != c.id : !iequals(f.name, c.condition->name)) continue;
    if (value_fits(c, f.value)) return true;
  }
  return false;
}

bool query_fits(const CompiledCondition& c, std::string_view query, Arena& arena) noexcept {
  std::string_view name, value;
  while (http::next_query_pair(query, name, value))
    if (http::decode_query(name, arena) == c.condition->name && value_fits(c, http::decode_query(value, arena))) return true;
  return false;
}

bool conditions_fit(const Compiled& route, const Request& request, Arena& arena) noexcept {
  for (const CompiledCondition& c : route.headers)
    if (!header_fits(c, request.fields)) return false;
  for (const CompiledCondition& c : route.query)
    if (!query_fits(c, request.query, arena)) return false;
  return true;
}

}  // namespace gatelab::route
