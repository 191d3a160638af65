// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/patch.h"

#include "config/copy.h"
#include "harness/scenario/values.h"

namespace gatelab::harness {
namespace {

config::Node* element(config::Node& list, std::string_view name) {
  for (config::Node& item : list.items) {
    const config::Node* given = item.find("name");
    if ((given != nullptr && given->text == name) || item.find(name) != nullptr) return &item;
  }
  std::size_t index = 0;
  for (const char c : name) {
    if (c < '0' || c > '9') return nullptr;
    index = index * 10 + static_cast<std::size_t>(c - '0');
    if (index >= list.items.size()) return nullptr;
  }
  return name.empty() ? nullptr : &list.items[index];
}

}  // namespace

bool patch(config::Node& tree, std::string_view path, const config::Node& value) {
  const std::size_t dot = path.find('.');
  const std::string_view name = path.substr(0, dot), rest = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  if (tree.kind == config::Kind::List) {
    config::Node* item = element(tree, name);
    if (item == nullptr) return false;
    // An element that was named by its policy's kind is entered at that key.
    const bool is_kind = item->find("name") == nullptr && item->find(name) != nullptr;
    const bool beside = rest == "if" || rest == "mode" || rest.starts_with("if.");
    if (is_kind && !beside) return patch(*item, path, value);
    if (!rest.empty()) return patch(*item, rest, value);
    *item = config::copy_of(value);
    return true;
  }
  if (tree.kind != config::Kind::Map || name.empty()) return false;
  for (config::Entry& entry : tree.entries) {
    if (entry.key != name) continue;
    if (!rest.empty()) return patch(*entry.value, rest, value);
    *entry.value = config::copy_of(value);
    return true;
  }
  if (!rest.empty()) return false;
  tree.entries.push_back({std::string(name), value.span, std::make_unique<config::Node>(config::copy_of(value))});
  return true;
}

}  // namespace gatelab::harness
