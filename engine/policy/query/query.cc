// SPDX-License-Identifier: Apache-2.0
#include "policy/query/query.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/wildcard.h"
#include "http/chars.h"
#include "http/uri.h"
#include "policy/template.h"

namespace gatelab::policy {
namespace {

using Named = std::vector<std::pair<std::string, Template>>;

bool is_named(const Named& list, std::string_view name) noexcept {
  return std::any_of(list.begin(), list.end(), [name](const auto& one) { return one.first == name; });
}

void append(std::string& out, std::string_view raw) {
  if (raw.empty()) return;
  if (!out.empty()) out += '&';
  out += raw;
}

std::string encoded(std::string_view text) {
  std::string out;
  append_percent_encoded(out, text, [](char c) { return http::is(c, http::kUnreserved); });
  return out;
}

class Query final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "query"; }
  Phase phase() const noexcept override { return Phase::Transform; }

  Step step(Input& in) const noexcept override {
    http::RequestHead& head = in.request;
    std::string out;
    std::size_t edited = 0;
    for (std::string_view rest = head.query; !rest.empty();) {
      const std::string_view raw = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(rest.size(), raw.size() + 1));
      edited += take(out, raw, in.arena) ? 1 : 0;
    }
    for (const auto& [name, value] : set) edited += put(out, name, value, in) ? 1 : 0;
    for (const auto& [name, value] : add) edited += put(out, name, value, in) ? 1 : 0;
    if (edited == 0) return Step::skip("the query is as it should be");
    head.query = in.arena.copy(out);
    head.has_query = !out.empty();
    return Step::go_on(in.detailed ? in.arena.concat("?", names_of(head.query, in.arena)) : std::string_view());
  }

  std::vector<std::string> keep, remove;
  std::vector<std::pair<std::string, std::string>> rename;
  Named set, add;

 private:
  // One parameter as it was sent. True: it is not left as it was.
  bool take(std::string& out, std::string_view raw, Arena& arena) const noexcept {
    const std::size_t equals = raw.find('=');
    const std::string_view name = http::decode_query(raw.substr(0, equals), arena);
    if ((!keep.empty() && !matches_any(keep, name)) || matches_any(remove, name)) return !raw.empty();
    const auto renamed = std::find_if(rename.begin(), rename.end(), [name](const auto& one) { return one.first == name; });
    const std::string_view now = renamed != rename.end() ? std::string_view(renamed->second) : name;
    if (is_named(set, now)) return true;
    if (renamed == rename.end()) {
      append(out, raw);
      return false;
    }
    append(out, encoded(now) + std::string(equals == std::string_view::npos ? std::string_view() : raw.substr(equals)));
    return true;
  }

  // What has no value is not sent at all. True: it is.
  static bool put(std::string& out, const std::string& name, const Template& value, const Input& in) noexcept {
    const std::string_view text = value.render(in);
    if (text.empty() && !value.is_literal()) return false;
    append(out, encoded(name) + "=" + encoded(text));
    return true;
  }

  // For the trace: values may be secrets.
  static std::string_view names_of(std::string_view query, Arena& arena) noexcept {
    std::string out;
    for (std::string_view name, value; http::next_query_pair(query, name, value);) append(out, name);
    return arena.copy(out);
  }
};

void parse_named(Named& out, const config::Node* node, diag::Sink& sink, const std::string& what) {
  if (node == nullptr) return;
  if (node->kind != config::Kind::Map) return sink.error("wrong-type", node->span, what + " must be a map of names to values, not " + std::string(config::kind_name(node->kind)), "set: { page: \"1\" }");
  for (const config::Entry& entry : node->entries) {
    if (entry.value->kind == config::Kind::Map || entry.value->kind == config::Kind::List || entry.value->kind == config::Kind::Null)
      sink.error("wrong-type", entry.value->span, "the value of `" + entry.key + "` must be text, not " + std::string(config::kind_name(entry.value->kind)));
    else if (auto value = Template::parse(entry.value->text, entry.value->span, sink))
      out.emplace_back(entry.key, std::move(*value));
  }
}

void parse_rename(std::vector<std::pair<std::string, std::string>>& out, const config::Node* node, diag::Sink& sink) {
  if (node == nullptr) return;
  if (node->kind != config::Kind::Map) return sink.error("wrong-type", node->span, "`rename` must be a map of old names to new ones, not " + std::string(config::kind_name(node->kind)), "rename: { q: query }");
  for (const config::Entry& entry : node->entries)
    if (auto to = config::as_text(*entry.value, sink, "the new name of `" + entry.key + "`")) out.emplace_back(entry.key, std::move(*to));
}

}  // namespace

std::unique_ptr<Policy> parse_query(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `query`");
  const std::size_t before = context.sink.errors();
  auto policy = std::make_unique<Query>();
  for (auto& name : r.texts("keep_only")) policy->keep.push_back(std::move(name.value));
  for (auto& name : r.texts("remove")) policy->remove.push_back(std::move(name.value));
  parse_rename(policy->rename, r.get("rename"), context.sink);
  parse_named(policy->set, r.get("set"), context.sink, "`set`");
  parse_named(policy->add, r.get("add"), context.sink, "`add`");
  for (const std::string_view key : {"keep", "allow", "only"}) r.elsewhere(key, "write keep_only: [ … ]");
  r.elsewhere("replace", "write set: { name: value }");
  r.finish();
  if (!r.valid() || context.sink.errors() != before) return nullptr;
  if (node.entries.empty()) context.sink.warning("no-effect", r.span(), "this policy edits nothing", "add keep_only, remove, rename, set or add");
  return policy;
}

}  // namespace gatelab::policy
