// SPDX-License-Identifier: Apache-2.0
// References that stand for nothing on any route where they are written, and keys by which nobody is told apart.
#include <algorithm>
#include <string>
#include <vector>

#include "gateway/lint.h"

namespace gatelab::gateway {
namespace {

// What stands behind a policy's key; null: it is not of this tree.
const config::Node* node_at(const config::Node& node, const diag::Span& key) {
  for (const config::Node& item : node.items)
    if (const config::Node* found = node_at(item, key)) return found;
  for (const config::Entry& entry : node.entries) {
    if (entry.key_span.begin == key.begin && entry.key_span.file == key.file) return entry.value.get();
    if (const config::Node* found = node_at(*entry.value, key)) return found;
  }
  return nullptr;
}

struct Reference {
  std::string name;  // path.id
  bool has_default = false;
  diag::Span span;
};

// As Template::parse() reads them.
void references_in(const config::Node& node, std::vector<Reference>& out) {
  for (const config::Node& item : node.items) references_in(item, out);
  for (const config::Entry& entry : node.entries) references_in(*entry.value, out);
  const std::string_view text = node.text;
  for (std::size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", at + 2)) {
    const std::size_t end = text.find('}', at);
    if (end == std::string_view::npos) return;
    if (at > 0 && text[at - 1] == '$') continue;
    const std::string_view inside = text.substr(at + 2, end - at - 2);
    const std::size_t colon = inside.find(':');
    out.push_back({std::string(inside.substr(0, colon)), colon != std::string_view::npos, node.span});
  }
}

// Of a path's template.
void parameters_of(const route::Match& match, std::vector<std::string_view>& out) {
  if (match.path_kind != route::PathKind::Template) return;
  const std::string_view path = match.path;
  for (std::size_t at = path.find('{'); at != std::string_view::npos; at = path.find('{', at + 1)) {
    const std::size_t end = path.find('}', at);
    if (end == std::string_view::npos) return;
    out.push_back(path.substr(at + 1, end - at - 1));
  }
}

// The routes where a policy stands, put together.
struct Where {
  bool anywhere = false, authenticated = false;
  std::vector<std::string_view> parameters;
};

Where where(const Model& model, const policy::Policy& policy) {
  Where out;
  for (std::size_t i = 0; i < model.routes.size(); ++i) {
    const auto& policies = model.routes[i].policies;
    if (std::find(policies.begin(), policies.end(), &policy) == policies.end()) continue;
    out.anywhere = true;
    out.authenticated = out.authenticated || std::any_of(policies.begin(), policies.end(), [](const policy::Policy* p) { return p->authenticates(); });
    parameters_of(model.table->spec(static_cast<std::int32_t>(i)).match, out.parameters);
  }
  return out;
}

void unknown_parameter(const Reference& reference, const Where& routes, diag::Sink& sink) {
  const std::string name = reference.name.substr(reference.name.find('.') + 1);
  diag::Diagnostic d;
  d.id = "unknown-parameter";
  d.message = "`${path." + name + "}` stands for nothing: no route with this policy has `{" + name + "}` in its path";
  d.span = reference.span;
  const std::string_view near = diag::nearest(name, routes.parameters);
  if (!near.empty()) d.note = "did you mean `${path." + std::string(near) + "}`?";
  d.hint = "match: { path: \"/orders/{" + name + "}\" }";
  sink.report(std::move(d));
}

void templates(const policy::Policy& policy, const config::Node& node, const Where& routes, diag::Sink& sink) {
  std::vector<Reference> references;
  references_in(node, references);
  for (const Reference& reference : references) {
    if (reference.name.starts_with("path.") && std::find(routes.parameters.begin(), routes.parameters.end(), std::string_view(reference.name).substr(5)) == routes.parameters.end())
      unknown_parameter(reference, routes, sink);
    if ((reference.name == "consumer.name" || reference.name == "principal") && !reference.has_default && !routes.authenticated)
      sink.warning("no-authenticator", reference.span, "`${" + reference.name + "}` of policy `" + std::string(policy.kind()) + "` is empty: nothing on its routes says who the consumer is", "add `api-key` or another authenticator, or a default: ${" + reference.name + ":nobody}");
  }
}

bool has_templates(std::string_view kind) { return kind == "headers" || kind == "query" || kind == "path"; }

}  // namespace

void lint_templates(const Model& model, diag::Sink& sink) {
  for (const auto& policy : model.policies) {
    const bool splits = policy->kind() == "split";
    if (!splits && !has_templates(policy->kind())) continue;
    const Where routes = where(model, *policy);
    const config::Node* node = routes.anywhere ? node_at(*model.tree, policy->span) : nullptr;
    if (node == nullptr) continue;
    if (!splits) {
      templates(*policy, *node, routes, sink);
      continue;
    }
    const config::Node* key = node->find("key");
    if (key != nullptr && key->text == "consumer" && !routes.authenticated)
      sink.warning("no-authenticator", key->span, "`split` goes by consumer, but nothing on its route says who the consumer is: clients are told apart by address", "add `api-key` or another authenticator, or write key: ip");
  }
}

}  // namespace gatelab::gateway
