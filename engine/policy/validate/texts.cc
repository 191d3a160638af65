// SPDX-License-Identifier: Apache-2.0
#include "policy/validate/texts.h"

#include <map>
#include <string>
#include <utility>

#include "base/text.h"
#include "base/utf8.h"
#include "http/uri.h"
#include "json/text.h"

namespace gatelab::policy {
namespace {

using json::Document;
using json::Kind;
using json::Ref;

// Texts by name, in the order in which the names came first.
struct Grouped {
  std::vector<std::pair<std::string, std::vector<std::string_view>>> all;
  std::map<std::string, std::size_t> places;

  void add(std::string name, std::string_view text) {
    const auto [place, is_new] = places.emplace(std::move(name), all.size());
    if (is_new) all.emplace_back(place->first, std::vector<std::string_view>{});
    all[place->second].second.push_back(text);
  }
};

std::int32_t schema_of(const schema::Node& object, std::string_view name) noexcept {
  const std::int32_t own = object.property(name);
  return own != schema::kNoSchema ? own : object.additional_properties;
}

bool is_array(const schema::Set& set, std::int32_t schema) noexcept { return schema != schema::kNoSchema && types_of(set, schema) == schema::kArray; }

Ref array_of(Document& document, const std::vector<std::string_view>& texts, const schema::Set& set, std::int32_t schema) {
  const std::int32_t items = is_array(set, schema) ? resolved_node(set, schema).items : schema;
  const Ref array = document.add(Kind::Array);
  for (const std::string_view text : texts) document.append(array, value_of(document, text, set, items));
  return array;
}

}  // namespace

const schema::Node& resolved_node(const schema::Set& set, std::int32_t schema) noexcept {
  const schema::Node* node = &set.at(schema);
  for (int i = 0; i < 64 && node->reference != schema::kNoSchema && node->types == schema::kAnyType; ++i) node = &set.at(node->reference);
  return *node;
}

std::uint8_t types_of(const schema::Set& set, std::int32_t schema) noexcept { return resolved_node(set, schema).types; }

Ref value_of(Document& document, std::string_view text, const schema::Set& set, std::int32_t schema) {
  const std::uint8_t types = schema == schema::kNoSchema ? schema::kAnyType : types_of(set, schema);
  if ((types & schema::kString) == 0) {
    const bool number = !text.empty() && json::number_size(text) == text.size();
    if (number && (types & (schema::kNumber | schema::kInteger)) != 0) return document.add_literal(Kind::Number, text);
    if ((text == "true" || text == "false") && (types & schema::kBoolean) != 0) return document.add_literal(Kind::Bool, text);
  }
  return document.add_text(text);
}

Document query_object(std::string_view query, const schema::Set& set, std::int32_t schema, Arena& arena) {
  Grouped grouped;
  std::string_view name, value;
  while (http::next_query_pair(query, name, value)) grouped.add(std::string(http::decode_query(name, arena)), http::decode_query(value, arena));
  const schema::Node& object = resolved_node(set, schema);
  Document out;
  out.set_root(out.add(Kind::Object));
  for (const auto& [known, texts] : grouped.all) {
    const std::int32_t own = schema_of(object, known);
    const bool several = texts.size() > 1 || is_array(set, own);
    out.append(out.root(), known, several ? array_of(out, texts, set, own) : value_of(out, texts.front(), set, own));
  }
  return out;
}

Document fields_object(const http::Fields& fields, const schema::Set& set, std::int32_t schema) {
  const schema::Node& object = resolved_node(set, schema);
  const auto spelled = [&object](std::string_view name) {
    for (const auto& [known, own] : object.properties)
      if (iequals(known, name)) return known;
    for (const std::string& known : object.required)
      if (iequals(known, name)) return known;
    return to_lower(name);
  };
  Grouped grouped;
  for (const http::Field& field : fields) grouped.add(spelled(field.name), field.value);
  Document out;
  out.set_root(out.add(Kind::Object));
  for (const auto& [name, texts] : grouped.all) {
    const std::int32_t own = schema_of(object, name);
    if (is_array(set, own)) {
      std::vector<std::string_view> elements;
      for (std::string_view rest : texts)
        for (std::string_view element; next_list_element(rest, element);) elements.push_back(element);
      out.append(out.root(), name, array_of(out, elements, set, own));
      continue;
    }
    std::string joined;
    for (const std::string_view text : texts) joined.append(joined.empty() ? "" : ", ").append(text);
    out.append(out.root(), name, value_of(out, joined, set, own));
  }
  return out;
}

}  // namespace gatelab::policy
