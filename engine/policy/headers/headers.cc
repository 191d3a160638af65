// SPDX-License-Identifier: Apache-2.0
#include "policy/headers/headers.h"

#include "policy/field_name.h"

namespace gatelab::policy {
namespace {

struct Edit {
  std::vector<std::string> remove;
  std::vector<std::pair<std::string, std::string>> set, add;
  bool empty() const noexcept { return remove.empty() && set.empty() && add.empty(); }

  void apply(http::Fields& fields) const noexcept {
    for (const std::string& name : remove) fields.remove(name);
    for (const auto& [name, value] : set) fields.set(name, value);
    for (const auto& [name, value] : add) fields.add(name, value);
  }
};

class Headers final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "headers"; }
  Phase phase() const noexcept override { return Phase::Transform; }
  Step step(Input& in) const noexcept override {
    request.apply(in.request.fields);
    return Step::go_on();
  }
  bool has_on_response() const noexcept override { return !response.empty(); }
  void on_response(ResponseInput& in) const noexcept override { response.apply(in.fields); }

  Edit request, response;
};

void parse_values(std::vector<std::pair<std::string, std::string>>& out, const config::Node* node, diag::Sink& sink, const std::string& what, bool several) {
  if (node == nullptr) return;
  if (node->kind != config::Kind::Map) {
    sink.error("wrong-type", node->span, what + " must be a map of names to values, not " + std::string(config::kind_name(node->kind)));
    return;
  }
  for (const config::Entry& entry : node->entries) {
    if (!check_field_name(entry.key, entry.key_span, sink)) continue;
    const auto one = [&out, &sink, &entry](const config::Node& value) {
      if (value.kind == config::Kind::Map || value.kind == config::Kind::List || value.kind == config::Kind::Null)
        sink.error("wrong-type", value.span, "the value of `" + entry.key + "` must be text, not " + std::string(config::kind_name(value.kind)));
      else if (!http::is_field_value(value.text))
        sink.error("bad-header-value", value.span, "the value of `" + entry.key + "` can't be sent: controls, or white space at its ends");
      else
        out.emplace_back(entry.key, value.text);
    };
    // Several values are several fields: that is what adding is for.
    if (!several || entry.value->kind != config::Kind::List) one(*entry.value);
    else
      for (const config::Node& item : entry.value->items) one(item);
  }
}

void parse_edit(Edit& edit, const config::Node* node, diag::Sink& sink, const std::string& side) {
  if (node == nullptr) return;
  config::Reader r(*node, sink, "`" + side + "` of policy `headers`");
  for (auto& name : r.texts("remove"))
    if (check_field_name(name.value, name.span, sink)) edit.remove.push_back(std::move(name.value));
  parse_values(edit.set, r.get("set"), sink, "`set`", false);
  parse_values(edit.add, r.get("add"), sink, "`add`", true);
  r.finish();
}

}  // namespace

std::unique_ptr<Policy> parse_headers(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `headers`");
  auto policy = std::make_unique<Headers>();
  parse_edit(policy->request, r.get("request"), context.sink, "request");
  parse_edit(policy->response, r.get("response"), context.sink, "response");
  for (const std::string_view key : {"set", "add", "remove"}) r.elsewhere(key, "it stands under `request` or `response`");
  r.finish();
  if (!r.valid()) return nullptr;
  if (node.entries.empty()) context.sink.warning("no-effect", r.span(), "this policy edits nothing", "add `request` or `response` with set, add or remove");
  return policy;
}

}  // namespace gatelab::policy
