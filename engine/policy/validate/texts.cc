// SPDX-License-Identifier: Apache-2.0
#include "policy/validate/texts.h"

#include <algorithm>
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
using schema::kNoSchema;
using schema::Node;

// Schemas that say something of one value may lead round in circles with its members, and be many.
constexpr int kMostSchemas = 200;

// Goes through the schemas that look at the same value, the first ones first. F: true ends it.
template <class F>
bool any_beside(const schema::Set& set, std::int32_t schema, int& left, F found) {
  if (schema == kNoSchema || --left < 0) return false;
  const Node& node = set.at(schema);
  if (found(node)) return true;
  if (any_beside(set, node.reference, left, found)) return true;
  for (const auto* list : {&node.all_of, &node.any_of, &node.one_of})
    for (const std::int32_t one : *list)
      if (any_beside(set, one, left, found)) return true;
  return false;
}

std::uint8_t type_of_canonical(std::string_view value) noexcept {
  switch (value.empty() ? '\0' : value.front()) {
    case '"': return schema::kString;
    case '[': return schema::kArray;
    case '{': return schema::kObject;
    case 'n': return schema::kNull;
    case 't':
    case 'f': return schema::kBoolean;
    default: return schema::kNumber | schema::kInteger;
  }
}

std::uint8_t types_within(const schema::Set& set, std::int32_t schema, int& left) noexcept {
  if (schema == kNoSchema || --left < 0) return schema::kAnyType;
  const Node& node = set.at(schema);
  std::uint8_t types = node.types;
  const auto narrow = [&types](std::uint8_t to) {
    if ((types & to) != 0) types &= to;
  };
  narrow(types_within(set, node.reference, left));
  for (const std::int32_t one : node.all_of) narrow(types_within(set, one, left));
  for (const auto* list : {&node.any_of, &node.one_of}) {
    std::uint8_t some = 0;
    for (const std::int32_t one : *list) some |= types_within(set, one, left);
    if (!list->empty()) narrow(some);
  }
  if (node.has_enum) {
    std::uint8_t some = 0;
    for (const std::string& value : node.one_of_these) some |= type_of_canonical(value);
    narrow(some);
  }
  const bool of_numbers = !node.minimum.empty() || !node.maximum.empty() || !node.exclusive_minimum.empty() || !node.exclusive_maximum.empty() || node.multiple_of || node.format == schema::Format::Int32 || node.format == schema::Format::Int64;
  const bool of_texts = node.min_length || node.max_length || node.pattern || (node.format != schema::Format::None && node.format != schema::Format::Int32 && node.format != schema::Format::Int64);
  if (types == schema::kAnyType && of_numbers && !of_texts) return schema::kNumber | schema::kInteger;
  return types;
}

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

bool is_array(const schema::Set& set, std::int32_t schema) noexcept { return schema != kNoSchema && types_of(set, schema) == schema::kArray; }

Ref array_of(Document& document, const std::vector<std::string_view>& texts, const schema::Set& set, std::int32_t schema) {
  const std::int32_t items = is_array(set, schema) ? schema_of_items(set, schema) : schema;
  const Ref array = document.add(Kind::Array);
  for (const std::string_view text : texts) document.append(array, value_of(document, text, set, items));
  return array;
}

}  // namespace

std::uint8_t types_of(const schema::Set& set, std::int32_t schema) noexcept {
  int left = kMostSchemas;
  return types_within(set, schema, left);
}

std::int32_t schema_of_member(const schema::Set& set, std::int32_t object, std::string_view name) noexcept {
  std::int32_t own = kNoSchema;
  int left = kMostSchemas;
  any_beside(set, object, left, [&](const Node& node) {
    own = node.property(name);
    for (const auto& [pattern, schema] : node.pattern_properties)
      if (own == kNoSchema && pattern.matches(name)) own = schema;
    return own != kNoSchema;
  });
  left = kMostSchemas;
  if (own == kNoSchema) any_beside(set, object, left, [&](const Node& node) { return (own = node.additional_properties) != kNoSchema; });
  return own;
}

std::int32_t schema_of_items(const schema::Set& set, std::int32_t array) noexcept {
  std::int32_t items = kNoSchema;
  int left = kMostSchemas;
  any_beside(set, array, left, [&items](const Node& node) { return (items = node.items) != kNoSchema; });
  return items;
}

bool names_member(const schema::Set& set, std::int32_t object, std::string_view name) noexcept {
  int left = kMostSchemas;
  return any_beside(set, object, left, [name](const Node& node) { return node.property(name) != kNoSchema; });
}

Ref value_of(Document& document, std::string_view text, const schema::Set& set, std::int32_t schema) {
  const std::uint8_t types = types_of(set, schema);
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
  Document out;
  out.set_root(out.add(Kind::Object));
  for (const auto& [known, texts] : grouped.all) {
    const std::int32_t own = schema_of_member(set, schema, known);
    const bool several = texts.size() > 1 || is_array(set, own);
    out.append(out.root(), known, several ? array_of(out, texts, set, own) : value_of(out, texts.front(), set, own));
  }
  return out;
}

Document fields_object(const http::Fields& fields, const schema::Set& set, std::int32_t schema) {
  const auto spelled = [&](std::string_view name) {
    std::string out = to_lower(name);
    int left = kMostSchemas;
    any_beside(set, schema, left, [&](const Node& node) {
      for (const auto& [known, own] : node.properties)
        if (iequals(known, name)) return out = known, true;
      for (const std::string& known : node.required)
        if (iequals(known, name)) return out = known, true;
      return false;
    });
    return out;
  };
  Grouped grouped;
  for (const http::Field& field : fields) grouped.add(spelled(field.name), field.value);
  Document out;
  out.set_root(out.add(Kind::Object));
  for (const auto& [name, texts] : grouped.all) {
    const std::int32_t own = schema_of_member(set, schema, name);
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
