// SPDX-License-Identifier: Apache-2.0
// A value that a policy puts into a JSON body: what the configuration says, with values of the request in its texts. Immutable;
// any thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/node.h"
#include "json/document.h"
#include "policy/template.h"

namespace gatelab::policy {

// What the templates of one request have become, in the order in which they stand; nullopt: there is no value for it.
using RenderedTexts = std::vector<std::optional<std::string>>;

class JsonNewValue {
 public:
  // Reports (bad-template). `parts`: as of Template::parse().
  static std::optional<JsonNewValue> parse(const config::Node& node, diag::Sink& sink, const std::vector<std::string>* parts = nullptr);

  void render(const Input& in, RenderedTexts& out) const;
  // Puts it into `document`, where it stands nowhere yet. `at` is the place of its first rendered text, and goes behind its last.
  // kNone: all of it is a text without a value. A part without one is left out.
  json::Ref make(json::Document& document, const RenderedTexts& rendered, std::size_t& at) const;
  std::size_t values() const noexcept { return shape_.values(); }
  void add_parts(std::vector<std::string_view>& out) const;

 private:
  bool find_texts(const config::Node& node, json::Ref& at, diag::Sink& sink, const std::vector<std::string>* parts);
  json::Document shape_;
  std::vector<std::pair<json::Ref, Template>> texts_;
};

}  // namespace gatelab::policy
