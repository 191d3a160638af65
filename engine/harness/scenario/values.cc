// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/values.h"

#include <algorithm>

#include "config/copy.h"
#include "config/scalar.h"

namespace gatelab::harness {
namespace {

const config::Node* descend(const config::Node* from, std::string_view path) {
  while (from != nullptr && !path.empty()) {
    const std::size_t dot = path.find('.');
    from = from->find(path.substr(0, dot));
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  }
  return from;
}

// What one $(…) stands for. False: it can't be said yet.
bool look_up(std::string_view name, const Values& values, const diag::Span& span, diag::Sink& sink, config::Node& out) {
  const std::size_t dot = name.find('.');
  const std::string_view where = name.substr(0, dot), rest = dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
  const auto unknown = [&](const std::string& hint) {
    sink.error("unknown-value", span, "there is no value `" + std::string(name) + "`", hint);
    out.kind = config::Kind::Text;
    return true;
  };
  if (where == "env") {
    const std::size_t colon = rest.find(':');
    const std::string* found = values.env.lookup == nullptr ? nullptr : values.env.lookup(values.env.context, rest.substr(0, colon));
    if (found == nullptr && colon == std::string_view::npos) return unknown("the environment variable is not set; $(env.NAME:default) gives a default");
    if (found != nullptr) sink.conceal(*found);
    out.text = found != nullptr ? *found : std::string(rest.substr(colon + 1));
    out.kind = config::plain_kind(out.text);
    out.boolean = !out.text.empty() && (out.text[0] == 't' || out.text[0] == 'T');
    return true;
  }
  if (values.keep_places && (where == "gateway" || where == "mocks")) return false;
  const config::Node* found = nullptr;
  if (where == "row") found = descend(values.row, rest);
  else if (where == "vars") found = descend(values.vars, rest);
  else if (where == "saved") {
    if (values.saved == nullptr) return false;
    const auto known = values.saved->find(std::string(rest));
    if (known != values.saved->end()) found = &known->second;
  } else if (where == "issuers") {
    sink.error("not-supported", span, "`$(" + std::string(name) + ")`: values of issuers are not supported yet");
    return true;
  } else if (where == "data" || where == "user") {
    return false;  // of a load: another one for each request
  } else {
    return unknown("values begin with row, vars, saved or env; $$( stands for a literal $(");
  }
  if (found == nullptr)
    return unknown(where == "row" ? "`each` gives each row its values" : where == "vars" ? "`vars` gives values their names" : "an earlier step saves values with `save`");
  out = config::copy_of(*found);
  return true;
}

void substitute_scalar(config::Node& node, const Values& values, diag::Sink& sink) {
  std::string out;
  std::string_view rest = node.text;
  bool changed = false;
  for (;;) {
    const std::size_t at = rest.find("$(");
    if (at == std::string_view::npos) break;
    if (at > 0 && rest[at - 1] == '$') {
      out.append(rest.substr(0, at - 1)).append("$(");
      rest.remove_prefix(at + 2);
      changed = true;
      continue;
    }
    const std::size_t close = rest.find(')', at);
    if (close == std::string_view::npos) {
      sink.error("bad-substitution", node.span, "`" + std::string(rest.substr(at)) + "` has no closing parenthesis");
      return;
    }
    config::Node value;
    if (!look_up(rest.substr(at + 2, close - at - 2), values, node.span, sink, value)) {
      out.append(rest.substr(0, close + 1));
    } else if (at == 0 && close + 1 == rest.size() && out.empty()) {
      value.span = node.span;
      node = std::move(value);
      return;
    } else {
      if (value.kind == config::Kind::Map || value.kind == config::Kind::List)
        sink.error("wrong-type", node.span, "a " + std::string(value.kind == config::Kind::Map ? "map" : "list") + " can't stand inside of a text");
      out.append(rest.substr(0, at)).append(value.text);
      changed = true;
    }
    rest.remove_prefix(close + 1);
  }
  if (!changed) return;
  node.text = out + std::string(rest);
  node.kind = config::Kind::Text;
}

}  // namespace

config::Node substitute(const config::Node& node, const Values& values, diag::Sink& sink) {
  config::Node out = config::shell_of(node);
  for (const config::Node& item : node.items) out.items.push_back(substitute(item, values, sink));
  for (const config::Entry& e : node.entries) out.entries.push_back({e.key, e.key_span, std::make_unique<config::Node>(substitute(*e.value, values, sink))});
  const bool scalar = node.kind != config::Kind::Map && node.kind != config::Kind::List;
  if (scalar && node.text.find("$(") != std::string::npos) substitute_scalar(out, values, sink);
  return out;
}

bool speaks_of(const config::Node& node, std::string_view what) {
  if (node.text.find(what) != std::string::npos) return true;
  return std::any_of(node.items.begin(), node.items.end(), [what](const config::Node& item) { return speaks_of(item, what); }) ||
         std::any_of(node.entries.begin(), node.entries.end(), [what](const config::Entry& e) { return speaks_of(*e.value, what); });
}
bool speaks_of_saved(const config::Node& node) { return speaks_of(node, "$(saved."); }

config::Node merge(const config::Node& base, const config::Node& over) {
  if (base.kind != config::Kind::Map || over.kind != config::Kind::Map) return config::copy_of(over);
  config::Node out = config::shell_of(over);
  for (const config::Entry& e : base.entries) {
    const config::Node* better = over.find(e.key);
    out.entries.push_back({e.key, better != nullptr ? over.entry(e.key)->key_span : e.key_span, std::make_unique<config::Node>(better != nullptr ? merge(*e.value, *better) : config::copy_of(*e.value))});
  }
  for (const config::Entry& e : over.entries)
    if (base.find(e.key) == nullptr) out.entries.push_back({e.key, e.key_span, std::make_unique<config::Node>(config::copy_of(*e.value))});
  return out;
}

}  // namespace gatelab::harness
