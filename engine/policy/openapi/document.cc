// SPDX-License-Identifier: Apache-2.0
#include "policy/openapi/document.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "policy/openapi/reader.h"

namespace gatelab::policy {
namespace {

// One line for each thing that is not held, with how often it is asked for: a document may ask ten thousand times.
void report_once(const std::vector<schema::Problem>& problems, const LocatedJson& source, bool is_new, diag::Sink& sink) {
  std::map<std::string, std::size_t> counts;
  for (const schema::Problem& p : problems)
    if (!p.is_error) ++counts[p.message];
  std::size_t errors = 0;
  for (const schema::Problem& p : problems) {
    const diag::Span& span = p.of_name && source.names[p.at] ? source.names[p.at] : source.values[p.at];
    if (p.is_error) {
      if (++errors <= 50) sink.error(p.id, span, p.message, p.hint);
      continue;
    }
    const std::size_t count = std::exchange(counts[p.message], 0);
    if (count > 0 && is_new) sink.warning(p.id, span, p.message + (count > 1 ? " (" + std::to_string(count) + " places; the first is shown)" : ""), p.hint);
  }
}

config::Node text_node(std::string text, const diag::Span& span) {
  config::Node node;
  node.kind = config::Kind::Text;
  node.text = std::move(text);
  node.span = span;
  return node;
}

// The operations as routes of a table, so that which one a request is for is found as everywhere: literals before parameters.
std::unique_ptr<const route::Table> table_of(const std::vector<ApiOperation>& operations, diag::Sink& sink) {
  std::vector<route::Spec> specs;
  for (const ApiOperation& operation : operations) {
    config::Node path;
    path.kind = config::Kind::Map;
    path.span = operation.span;
    path.entries.push_back({operation.path.find('{') == std::string::npos ? "exact" : "template", operation.span, std::make_unique<config::Node>(text_node(operation.path, operation.span))});
    config::Node match;
    match.kind = config::Kind::Map;
    match.span = operation.span;
    match.entries.push_back({"path", operation.span, std::make_unique<config::Node>(std::move(path))});
    match.entries.push_back({"methods", operation.span, std::make_unique<config::Node>(text_node(operation.method, operation.span))});
    route::Spec spec;
    spec.name = operation.id;
    spec.span = operation.span;
    spec.match = route::parse_match(&match, sink, "operation `" + operation.id + "`");
    specs.push_back(std::move(spec));
  }
  return std::make_unique<const route::Table>(std::move(specs), sink);
}

}  // namespace

std::string_view name(ApiParameter::In in) noexcept {
  switch (in) {
    case ApiParameter::In::Path: return "path";
    case ApiParameter::In::Query: return "query";
    case ApiParameter::In::Header: return "header";
    case ApiParameter::In::Cookie: return "cookie";
  }
  return {};
}

const ApiMedia* find_media(const std::vector<ApiMedia>& media, std::string_view content_type) noexcept {
  const std::string_view type = trim_ows(content_type.substr(0, content_type.find(';')));
  const std::string_view main = type.substr(0, type.find('/'));
  const ApiMedia* best = nullptr;
  for (const ApiMedia& one : media) {
    const std::string_view range = one.range;
    const bool fits = range == "*/*" || iequals(range, type) || (range.ends_with("/*") && iequals(range.substr(0, range.size() - 2), main));
    const auto rank = [](const ApiMedia& m) { return m.range == "*/*" ? 0 : m.range.ends_with("/*") ? 1 : 2; };
    if (fits && (best == nullptr || rank(one) > rank(*best))) best = &one;
  }
  return best;
}

std::shared_ptr<const ApiDocument> ApiDocument::load(const config::Node& file, const std::string& base_path, Context& context) {
  const std::string key = "openapi " + base_path + " " + file.text;
  if (context.loaded != nullptr)
    if (const auto known = context.loaded->find(key); known != context.loaded->end()) return std::static_pointer_cast<const ApiDocument>(known->second);
  const std::size_t before = context.sink.errors();
  auto source = LocatedJson::read(file, "the OpenAPI document", context);
  std::shared_ptr<ApiDocument> out;
  if (source) {
    const auto dialect = api_dialect(*source, file, context.sink);
    if (dialect) out = std::make_shared<ApiDocument>(std::move(*source), *dialect);
  }
  if (out) {
    ApiReader reader(*out, base_path);
    reader.run();
    out->set.check_loops();
    std::vector<schema::Problem> problems = reader.problems();
    problems.insert(problems.end(), out->set.problems().begin(), out->set.problems().end());
    // Under another base path it has been told already.
    const bool is_new = context.loaded == nullptr || context.loaded->emplace("openapi, told: " + file.text, nullptr).second;
    report_once(problems, out->source, is_new, context.sink);
    if (context.sink.errors() == before) out->table = table_of(out->operations, context.sink);
    if (context.sink.errors() != before) out = nullptr;
  }
  // What is wrong is told once as well.
  if (context.loaded != nullptr) context.loaded->emplace(key, out);
  return out;
}

}  // namespace gatelab::policy
