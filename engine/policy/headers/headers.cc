// SPDX-License-Identifier: Apache-2.0
#include "policy/headers/headers.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "policy/field_name.h"
#include "policy/statuses.h"
#include "policy/template.h"
#include "policy/when.h"

namespace gatelab::policy {
namespace {

using Named = std::vector<std::pair<std::string, Template>>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Edit {
  Pairs copy, rename;
  std::vector<std::string> remove;
  Named set, add;
  bool empty() const noexcept { return copy.empty() && rename.empty() && remove.empty() && set.empty() && add.empty(); }

  void apply(http::Fields& fields, const Input& in) const noexcept {
    for (const auto& [from, to] : copy) take(fields, from, to);
    for (const auto& [from, to] : rename)
      if (take(fields, from, to)) fields.remove(from);
    for (const std::string& name : remove) fields.remove(name);
    for (const auto& [name, value] : set) {
      const std::string_view text = value.render(in);
      // What has no value, or one that would break the message, stands for nothing that came under its name.
      if (is_sent(value, text)) fields.set(name, text);
      else fields.remove(name);
    }
    for (const auto& [name, value] : add)
      if (const std::string_view text = value.render(in); is_sent(value, text)) fields.add(name, text);
  }

 private:
  static bool is_sent(const Template& value, std::string_view text) noexcept { return value.is_literal() || (!text.empty() && http::is_field_value(text)); }
  // All of that name; the new ones take the place of those that were there.
  static bool take(http::Fields& fields, std::string_view from, std::string_view to) noexcept {
    if (fields.find(from) == nullptr) return false;
    if (!iequals(from, to)) fields.remove(to);
    const std::size_t count = fields.size();
    for (std::size_t i = 0; i < count; ++i)
      if (const http::Field field = fields.begin()[i]; iequals(field.name, from)) fields.add(to, field.value);
    return true;
  }
};

class Headers final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "headers"; }
  Phase phase() const noexcept override { return Phase::Transform; }
  Step step(Input& in) const noexcept override {
    in.scratch.a = when.fits(in) ? 1 : 0;
    if (in.scratch.a == 0) return Step::skip("`when` does not speak of it");
    request.apply(in.request.fields, in);
    return Step::go_on();
  }
  bool has_on_response() const noexcept override { return !response.empty(); }
  void on_response(ResponseInput& in) const noexcept override {
    if (in.request.scratch.a != 0 && statuses.has(in.status)) response.apply(in.fields, in.request);
  }

  When when;
  Statuses statuses;
  Edit request, response;
};

void parse_values(Named& out, const config::Node* node, diag::Sink& sink, const std::string& what, bool several) {
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
      else if (auto text = Template::parse(value.text, value.span, sink))
        out.emplace_back(entry.key, std::move(*text));
    };
    // Several values are several fields: that is what adding is for.
    if (!several || entry.value->kind != config::Kind::List) one(*entry.value);
    else
      for (const config::Node& item : entry.value->items) one(item);
  }
}

void parse_pairs(Pairs& out, const config::Node* node, diag::Sink& sink, const std::string& what) {
  if (node == nullptr) return;
  if (node->kind != config::Kind::Map) return sink.error("wrong-type", node->span, what + " must be a map of names to names, not " + std::string(config::kind_name(node->kind)), "rename: { X-Old: X-New }");
  for (const config::Entry& entry : node->entries) {
    auto to = config::as_text(*entry.value, sink, "the name for `" + entry.key + "`");
    if (to && check_field_name(entry.key, entry.key_span, sink) && check_field_name(*to, entry.value->span, sink)) out.emplace_back(entry.key, std::move(*to));
  }
}

void parse_edit(Edit& edit, Statuses* statuses, const config::Node* node, diag::Sink& sink, const std::string& side) {
  if (node == nullptr) return;
  config::Reader r(*node, sink, "`" + side + "` of policy `headers`");
  for (auto& name : r.texts("remove"))
    if (check_field_name(name.value, name.span, sink)) edit.remove.push_back(std::move(name.value));
  parse_pairs(edit.copy, r.get("copy"), sink, "`copy`");
  parse_pairs(edit.rename, r.get("rename"), sink, "`rename`");
  parse_values(edit.set, r.get("set"), sink, "`set`", false);
  parse_values(edit.add, r.get("add"), sink, "`add`", true);
  if (statuses != nullptr) *statuses = Statuses::parse(r.get("status"), sink);
  r.finish();
}

}  // namespace

std::unique_ptr<Policy> parse_headers(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `headers`");
  const std::size_t before = context.sink.errors();
  auto policy = std::make_unique<Headers>();
  policy->when = When::parse(r.get("when"), "headers", context.sink);
  parse_edit(policy->request, nullptr, r.get("request"), context.sink, "request");
  parse_edit(policy->response, &policy->statuses, r.get("response"), context.sink, "response");
  for (const std::string_view key : {"set", "add", "remove", "copy", "rename"}) r.elsewhere(key, "it stands under `request` or `response`");
  r.finish();
  if (!r.valid()) return nullptr;
  if (context.sink.errors() == before && policy->request.empty() && policy->response.empty()) context.sink.warning("no-effect", r.span(), "this policy edits nothing", "add `request` or `response` with set, add, remove, copy or rename");
  return policy;
}

}  // namespace gatelab::policy
