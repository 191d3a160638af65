// SPDX-License-Identifier: Apache-2.0
#include "harness/diff/references.h"

#include <algorithm>

namespace gatelab::harness::diff {
namespace {

constexpr std::string_view kBegin = "$(env.";
// Shorter ones stand in too much that has nothing to do with them.
constexpr std::size_t kLeast = 4;

config::Node* child(config::Node& node, std::string_view key) { return const_cast<config::Node*>(node.find(key)); }
const config::Node* child(const config::Node& node, std::string_view key) { return node.find(key); }

template <class Node, class F>
void each_scalar(Node& node, F&& f) {
  if (node.items.empty() && node.entries.empty()) return f(node);
  for (auto& item : node.items) each_scalar(item, f);
  for (auto& entry : node.entries) each_scalar(*static_cast<Node*>(entry.value.get()), f);
}

template <class Node, class F>
void each_edited_header(Node& node, F&& f) {
  if (Node* headers = child(node, "headers"))
    for (const char* whose : {"request", "response"})
      if (Node* edits = child(*headers, whose))
        for (const char* how : {"set", "add"})
          if (Node* given = child(*edits, how)) each_scalar(*given, f);
  for (auto& item : node.items) each_edited_header(item, f);
  for (auto& entry : node.entries) each_edited_header(*static_cast<Node*>(entry.value.get()), f);
}

template <class Node, class F>
void each_place(Node& tree, F&& f) {
  if (Node* consumers = child(tree, "consumers"))
    for (auto& consumer : consumers->items)
      if (Node* keys = child(static_cast<Node&>(consumer), "keys"))
        for (auto& key : keys->items)
          if (Node* value = child(static_cast<Node&>(key), "value")) f(*value);
  each_edited_header(tree, f);
}

// As the file has it, if it can stand in a header and a URL; else the first variable of it.
std::string reference_of(const config::Node& node) {
  std::string text = node.span.file ? node.span.file->text.substr(node.span.begin, node.span.end - node.span.begin) : "";
  if (text.size() > 1 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front()) text = text.substr(1, text.size() - 2);
  const std::size_t at = text.find(kBegin);
  if (at == std::string::npos) return "$(env)";
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && std::string_view("\"'\\#&%?").find(c) == std::string_view::npos; });
  return plain ? text : text.substr(at, text.find_first_of(":)", at) - at) + ")";
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) text.replace(at, what.size(), with);
}

}  // namespace

void find_references(const config::Node& tree, References& out) {
  each_place(tree, [&out](const config::Node& node) {
    if (node.from_environment && !node.text.empty()) out.try_emplace(node.text, reference_of(node));
  });
}

void refer(config::Node& tree, const References& references) {
  if (references.empty()) return;
  each_place(tree, [&references](config::Node& node) {
    if (const auto known = references.find(node.text); known != references.end()) node.text = known->second;
  });
}

void refer(Request& request, const References& references) {
  // Long ones first: one may be a part of another.
  std::vector<std::pair<std::string, std::string>> all(references.begin(), references.end());
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  for (const auto& [value, reference] : all) {
    for (auto& header : request.headers)
      if (header.second == value) header.second = reference;
      else if (value.size() >= kLeast) replace_all(header.second, value, reference);
    if (value.size() < kLeast) continue;
    replace_all(request.target, value, reference);
    replace_all(request.body, value, reference);
  }
}

std::string as_variables(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  for (std::size_t begin = text.find(kBegin); begin != std::string_view::npos; begin = text.find(kBegin, at)) {
    const std::size_t name = begin + kBegin.size(), name_end = text.find_first_of(":)", name), end = text.find(')', name);
    if (end == std::string_view::npos || name_end == name) break;
    out += text.substr(at, begin - at);
    const bool has_default = text[name_end] == ':';
    out += "'\"${" + std::string(text.substr(name, name_end - name)) + (has_default ? ":-" + std::string(text.substr(name_end + 1, end - name_end - 1)) : "") + "}\"'";
    at = end + 1;
  }
  return out += text.substr(at);
}

}  // namespace gatelab::harness::diff
