// SPDX-License-Identifier: Apache-2.0
// `request` and `response` of a json policy: what is picked, removed, moved, renamed, set and wrapped.
#include "config/reader.h"
#include "policy/json/program.h"

namespace gatelab::policy {
namespace {

using Targets = std::vector<JsonTarget>;

void parse_targets(Targets& out, config::Reader& r, std::string_view key, std::string_view if_root) {
  for (const auto& text : r.texts(key)) {
    auto target = JsonTarget::parse(text.value, text.span, r.sink());
    if (target && target->is_root()) r.sink().error("bad-json-pointer", text.span, "`" + text.value + "` is the whole body", std::string(if_root));
    else if (target) out.push_back(std::move(*target));
  }
}

// The entries of a map of targets to something. Reports when it is none.
template <class F>
void each_entry(const config::Node* node, const std::string& what, std::string_view hint, diag::Sink& sink, F take) {
  if (node == nullptr) return;
  if (node->kind != config::Kind::Map) return sink.error("wrong-type", node->span, what + " must be a map, not " + std::string(config::kind_name(node->kind)), std::string(hint));
  for (const config::Entry& entry : node->entries)
    if (auto target = JsonTarget::parse(entry.key, entry.key_span, sink)) take(entry, std::move(*target));
}

void parse_moves(JsonEdit& edit, const config::Node* node, diag::Sink& sink) {
  each_entry(node, "`move`", "move: { /from: /to }", sink, [&](const config::Entry& entry, JsonTarget from) {
    const auto text = config::as_text(*entry.value, sink, "where `" + entry.key + "` goes");
    if (!text) return;
    auto to = parse_json_pointer(*text, entry.value->span, sink);
    if (!from.is_one()) sink.error("bad-jsonpath", entry.key_span, "`" + entry.key + "` may select several values, and they can't all go to one place", "name each by a JSON Pointer, or by a path without *, slices, filters and ..");
    else if (to) edit.move.emplace_back(std::move(from), std::move(*to));
  });
}

void parse_renames(JsonEdit& edit, const config::Node* node, diag::Sink& sink) {
  each_entry(node, "`rename`", "rename: { /old: new }", sink, [&](const config::Entry& entry, JsonTarget target) {
    auto name = config::as_text(*entry.value, sink, "the new name of `" + entry.key + "`");
    if (!name) return;
    if (target.is_root()) sink.error("bad-json-pointer", entry.key_span, "`" + entry.key + "` is the whole body, which has no name", "wrap: /data puts it under a name");
    else if (name->starts_with('/')) sink.error("bad-choice", entry.value->span, "`" + *name + "` is a place, and `rename` takes a name: the member stays where it is", "rename: { /old: new }; move: { /old: /other/new }");
    else edit.rename.emplace_back(std::move(target), std::move(*name));
  });
}

void parse_sets(JsonEdit& edit, const config::Node* node, diag::Sink& sink) {
  each_entry(node, "`set`", "set: { /user/id: \"${claims.sub}\" }", sink, [&](const config::Entry& entry, JsonTarget target) {
    if (auto value = JsonNewValue::parse(*entry.value, sink)) edit.set.emplace_back(std::move(target), std::move(*value));
  });
}

void parse_wrap(JsonEdit& edit, config::Reader& r) {
  const auto text = r.text("wrap");
  if (!text) return;
  const auto pointer = parse_json_pointer(text->starts_with('/') || text->empty() ? *text : "/" + *text, r.span_of("wrap"), r.sink());
  if (pointer && pointer->is_root()) r.sink().error("bad-json-pointer", r.span_of("wrap"), "the body is to be wrapped in nothing", "wrap: /data");
  else if (pointer) edit.wrap = pointer->tokens();
}

}  // namespace

std::optional<JsonEdit> JsonEdit::parse(const config::Node& node, Side side, diag::Sink& sink) {
  const std::size_t before = sink.errors();
  const std::string what = side == Side::Request ? "`request` of policy `json`" : "`response` of policy `json`";
  config::Reader r(node, sink, what);
  JsonEdit edit;
  if (side == Side::Response) edit.statuses = Statuses::parse(r.get("status"), sink);
  parse_targets(edit.pick, r, "pick", "without `pick` all of it is kept");
  parse_targets(edit.remove, r, "remove", "name what is to go: /password, $..secret");
  parse_moves(edit, r.get("move"), sink);
  parse_renames(edit, r.get("rename"), sink);
  parse_sets(edit, r.get("set"), sink);
  parse_wrap(edit, r);
  for (const std::string_view key : {"add", "replace", "append"}) r.elsewhere(key, "write set: { /place: value }; /list/- is behind a list's last item");
  for (const std::string_view key : {"keep", "allow", "select"}) r.elsewhere(key, "write pick: [ /place ]");
  for (const std::string_view key : {"delete", "drop"}) r.elsewhere(key, "write remove: [ /place ]");
  r.finish();
  if (sink.errors() != before) return std::nullopt;
  if (edit.empty()) sink.warning("no-effect", r.span(), what + " edits nothing", "pick, remove, move, rename, set, wrap");
  return edit;
}

}  // namespace gatelab::policy
