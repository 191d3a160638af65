// SPDX-License-Identifier: Apache-2.0
#include "policy/located_json.h"

#include <algorithm>

#include "config/json.h"

namespace gatelab::policy {
namespace {

constexpr std::size_t kMost = 16 * 1024 * 1024;
constexpr json::Limits kLimits{500, 1'000'000};

// The document has one value for each node of the tree, in the same order.
void locate(LocatedJson& out, const config::Node& node) {
  out.values.push_back(node.span);
  out.names.resize(out.values.size());
  for (const config::Node& item : node.items) locate(out, item);
  for (const config::Entry& entry : node.entries) {
    const std::size_t at = out.values.size();
    locate(out, *entry.value);
    out.names[at] = entry.key_span;
  }
}

// A text of JSON is read as such: YAML takes most of it, but no tabs before a line's first letter.
std::optional<LocatedJson> read_json(const diag::SourcePtr& file, const diag::Span& said, diag::Sink& sink) {
  LocatedJson out;
  auto document = json::Document::parse(file->text, kLimits);
  if (!document) {
    const auto at = static_cast<std::uint32_t>(std::min(document.error().at, file->text.size()));
    diag::Diagnostic d;
    d.id = "bad-json";
    d.message = "`" + file->name + "` is not JSON: " + std::string(document.error().what);
    d.span = {file, at, at};
    d.related.push_back({said, "named here"});
    sink.report(std::move(d));
    return std::nullopt;
  }
  out.document = std::move(*document);
  const auto span = [&file](std::size_t begin, std::size_t size) { return diag::Span{file, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(begin + std::max<std::size_t>(size, 1))}; };
  for (json::Ref at = 0; at < out.document.values(); ++at) {
    out.values.push_back(span(out.document.offset(at), out.document.raw(at).size()));
    const bool named = out.document.parent(at) != json::kNone && out.document.is(out.document.parent(at), json::Kind::Object);
    out.names.push_back(named ? span(out.document.name_offset(at), out.document.member_name(at).size()) : diag::Span{});
  }
  return out;
}

}  // namespace

std::optional<LocatedJson> LocatedJson::of(const config::Node& node, diag::Sink& sink) {
  auto document = json::Document::parse(config::to_json(node), kLimits);
  if (!document) {
    sink.error("bad-json", node.span, "this is no value that JSON has: " + std::string(document.error().what));
    return std::nullopt;
  }
  LocatedJson out;
  out.document = std::move(*document);
  locate(out, node);
  return out;
}

std::optional<LocatedJson> LocatedJson::read(const config::Node& path, const std::string& what, Context& context) {
  auto text = context.read(path, what);
  if (!text) return std::nullopt;
  if (text->size() > kMost) {
    context.sink.error("out-of-range", path.span, "`" + path.text + "` is larger than 16MiB");
    return std::nullopt;
  }
  auto file = std::make_shared<diag::SourceFile>();
  file->name = path.text;
  file->text = std::move(*text);
  const std::size_t first = file->text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && file->text[first] == '{') return read_json(file, path.span, context.sink);
  config::ParseOptions options;
  options.substitute_env = false;
  const auto tree = config::parse(file, options, context.sink);
  return tree ? of(*tree, context.sink) : std::nullopt;
}

}  // namespace gatelab::policy
