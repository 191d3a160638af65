// SPDX-License-Identifier: Apache-2.0
// A value beside its schema. What it costs is counted, as is how deep it goes: a schema may well ask for more than anyone can wait for.
#include <algorithm>
#include <map>

#include "json/text.h"
#include "schema/node.h"
#include "schema/schema.h"

namespace gatelab::schema {
namespace {

using json::Document;
using json::kNone;
using json::Kind;
using json::Ref;

// Schemas that look at the same value for each other, and values in each other.
constexpr int kMostNested = 1'500;
// Octets of the place of a failure; longer ones are cut by whoever tells them.
constexpr std::size_t kMostPointer = 300;
// What a regular expression costs that comes in a value.
constexpr std::size_t kRegexSteps = 5'000;

constexpr std::pair<std::string_view, std::uint8_t> kTypeNames[] = {{"null", kNull}, {"boolean", kBoolean}, {"object", kObject}, {"array", kArray}, {"number", kNumber}, {"string", kString}, {"integer", kInteger}};

std::string names_of(std::uint8_t types) {
  std::string out;
  for (const auto& [name, bit] : kTypeNames) {
    if ((types & bit) == 0 || (bit == kInteger && (types & kNumber) != 0)) continue;
    out.append(out.empty() ? "" : " or ").append(name);
  }
  return out.empty() ? "nothing" : out;
}

class Validation {
 public:
  Validation(const Set& set, const Document& document, const Effort& effort, Verdict& verdict) noexcept : set_(set), document_(document), effort_(effort), verdict_(verdict) {}

  // Quiet: nobody is told why not.
  std::size_t spent() const noexcept { return spent_; }
  bool valid(std::int32_t schema, Ref value, bool quiet) {
    if (nested_ == kMostNested || !spend(1)) return give_up();
    ++nested_;
    const Node& node = set_.at(schema);
    const bool fine = looks_at(node, value, quiet);
    --nested_;
    return fine;
  }

 private:
  bool give_up() noexcept {
    verdict_.gave_up = true;
    return false;
  }
  bool spend(std::size_t steps) noexcept {
    spent_ += steps;
    if (spent_ > effort_.steps) verdict_.gave_up = true;
    return !verdict_.gave_up;
  }
  // Nothing more is of interest.
  bool over(bool quiet) const noexcept { return verdict_.gave_up || quiet || verdict_.failures.size() >= effort_.failures; }

  bool fail(Ref value, bool quiet, std::string_view keyword, std::string detail) {
    if (!quiet && verdict_.failures.size() < effort_.failures) verdict_.failures.push_back({document_.pointer(value, kMostPointer), keyword, std::move(detail)});
    return false;
  }

  bool looks_at(const Node& node, Ref value, bool quiet) {
    if (node.never) return fail(value, quiet, "false", "no value may stand here");
    bool fine = node.reference == kNoSchema || valid(node.reference, value, quiet);
    if (!fine && over(quiet)) return false;
    if (!has_type(node, value)) return fail(value, quiet, "type", "is " + std::string(json::name(document_.kind(value))) + ", and must be of type " + names_of(node.types));
    for (const auto part : {&Validation::chosen, &Validation::by_kind, &Validation::together}) {
      if ((this->*part)(node, value, quiet)) continue;
      fine = false;
      if (over(quiet)) return false;
    }
    return fine;
  }

  bool has_type(const Node& node, Ref value) const noexcept {
    if (node.types == kAnyType) return true;
    switch (document_.kind(value)) {
      case Kind::Null: return (node.types & kNull) != 0;
      case Kind::Bool: return (node.types & kBoolean) != 0;
      case Kind::Object: return (node.types & kObject) != 0;
      case Kind::Array: return (node.types & kArray) != 0;
      case Kind::String: return (node.types & kString) != 0;
      case Kind::Number: return (node.types & kNumber) != 0 || ((node.types & kInteger) != 0 && json::is_integer(document_.raw(value)));
    }
    return false;
  }

  bool chosen(const Node& node, Ref value, bool quiet) {
    if (!node.has_enum) return true;
    std::string own;
    document_.append_canonical(own, value);
    if (!spend(own.size() / 16 + node.one_of_these.size())) return false;
    if (std::find(node.one_of_these.begin(), node.one_of_these.end(), own) != node.one_of_these.end()) return true;
    return fail(value, quiet, "enum", "is none of the values that it may be");
  }

  bool by_kind(const Node& node, Ref value, bool quiet) {
    switch (document_.kind(value)) {
      case Kind::Null:
      case Kind::Bool: return true;
      case Kind::Number: return number(node, value, quiet);
      case Kind::String: return string(node, value, quiet);
      case Kind::Array: return array(node, value, quiet);
      case Kind::Object: return object(node, value, quiet);
    }
    return true;
  }

  bool number(const Node& node, Ref value, bool quiet) {
    const std::string_view raw = document_.raw(value);
    if (!spend(raw.size() / 16)) return false;
    const auto order = [raw](const std::string& limit) { return json::compare_numbers(raw, limit); };
    bool fine = true;
    if (!node.minimum.empty() && order(node.minimum) < 0) fine = fail(value, quiet, "minimum", "is less than " + node.minimum);
    if (!node.maximum.empty() && order(node.maximum) > 0) fine = fail(value, quiet, "maximum", "is more than " + node.maximum);
    if (!node.exclusive_minimum.empty() && order(node.exclusive_minimum) <= 0) fine = fail(value, quiet, "exclusiveMinimum", "is not more than " + node.exclusive_minimum);
    if (!node.exclusive_maximum.empty() && order(node.exclusive_maximum) >= 0) fine = fail(value, quiet, "exclusiveMaximum", "is not less than " + node.exclusive_maximum);
    if (node.multiple_of && !json::is_multiple(raw, node.multiple_of->digits, node.multiple_of->exponent)) fine = fail(value, quiet, "multipleOf", "is no multiple of " + node.multiple_of->text);
    if (!has_number_format(node.format, raw)) fine = fail(value, quiet, "format", "does not fit into this format");
    return fine;
  }

  bool string(const Node& node, Ref value, bool quiet) {
    const bool wanted = node.min_length || node.max_length || node.pattern || node.format != Format::None;
    if (!wanted) return true;
    const std::string text = document_.text(value);
    if (!spend(text.size() / 64 + (node.format == Format::Regex ? kRegexSteps : 0))) return false;
    const auto length = static_cast<std::uint64_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
    bool fine = true;
    if (node.min_length && length < *node.min_length) fine = fail(value, quiet, "minLength", "is shorter than " + std::to_string(*node.min_length));
    if (node.max_length && length > *node.max_length) fine = fail(value, quiet, "maxLength", "is longer than " + std::to_string(*node.max_length));
    if (node.pattern && !node.pattern->matches(text)) fine = fail(value, quiet, "pattern", "does not match " + node.pattern->text);
    if (!has_format(node.format, text)) fine = fail(value, quiet, "format", "is not of the format that it must have");
    return fine;
  }

  bool array(const Node& node, Ref value, bool quiet) {
    const std::uint64_t size = document_.size(value);
    bool fine = true;
    if (node.min_items && size < *node.min_items) fine = fail(value, quiet, "minItems", "has fewer than " + std::to_string(*node.min_items) + " items");
    if (node.max_items && size > *node.max_items) fine = fail(value, quiet, "maxItems", "has more than " + std::to_string(*node.max_items) + " items");
    if (!fine && over(quiet)) return false;
    std::size_t index = 0;
    for (Ref item = document_.first(value); item != kNone; item = document_.next(item), ++index) {
      const std::int32_t schema = index < node.prefix_items.size() ? node.prefix_items[index] : node.items;
      if (schema == kNoSchema) continue;
      fine = valid(schema, item, quiet) && fine;
      if (!fine && over(quiet)) return false;
    }
    if (node.unique_items && !unique(value)) fine = fail(value, quiet, "uniqueItems", "has an item twice");
    return contained(node, value, quiet) && fine;
  }

  bool unique(Ref array) {
    std::vector<std::string> items;
    for (Ref item = document_.first(array); item != kNone; item = document_.next(item)) {
      document_.append_canonical(items.emplace_back(), item);
      if (!spend(1 + items.back().size() / 16)) return false;
    }
    std::sort(items.begin(), items.end());
    return std::adjacent_find(items.begin(), items.end()) == items.end();
  }

  bool contained(const Node& node, Ref value, bool quiet) {
    if (node.contains == kNoSchema) return true;
    const std::uint64_t least = node.min_contains.value_or(1);
    std::uint64_t count = 0;
    for (Ref item = document_.first(value); item != kNone; item = document_.next(item)) {
      count += valid(node.contains, item, true) ? 1 : 0;
      if (verdict_.gave_up) return false;
      if (count >= least && !node.max_contains) return true;
    }
    if (count < least) return fail(value, quiet, "contains", "has fewer than " + std::to_string(least) + " items of the kind that it must have");
    return !node.max_contains || count <= *node.max_contains || fail(value, quiet, "maxContains", "has more than " + std::to_string(*node.max_contains) + " items of one kind");
  }

  bool object(const Node& node, Ref value, bool quiet) {
    const std::uint64_t size = document_.size(value);
    bool fine = true;
    if (node.min_properties && size < *node.min_properties) fine = fail(value, quiet, "minProperties", "has fewer than " + std::to_string(*node.min_properties) + " members");
    if (node.max_properties && size > *node.max_properties) fine = fail(value, quiet, "maxProperties", "has more than " + std::to_string(*node.max_properties) + " members");
    for (const std::string& name : node.required) fine = has(value, name, quiet, "required", &node) && fine;
    for (const Dependency& dependency : node.dependencies) {
      if (!spend(1 + size / 16)) return false;
      if (document_.member(value, dependency.name) == kNone) continue;
      for (const std::string& name : dependency.required) fine = has(value, name, quiet, "dependencies") && fine;
      if (dependency.schema != kNoSchema) fine = valid(dependency.schema, value, quiet) && fine;
    }
    if (!fine && over(quiet)) return false;
    return members(node, value, quiet) && fine;
  }

  bool has(Ref object, const std::string& name, bool quiet, std::string_view keyword, const Node* node = nullptr) {
    if (!spend(1 + document_.size(object) / 16)) return false;
    if (document_.member(object, name) != kNone || (node != nullptr && is_of_other_side(*node, name))) return true;
    return fail(object, quiet, keyword, "`" + name + "` is missing");
  }

  bool is_of_other_side(const Node& node, const std::string& name) const noexcept {
    if (effort_.side == Effort::Side::Any) return false;
    std::int32_t own = node.property(name);
    for (int i = 0; i < 32 && own != kNoSchema; ++i) {
      const Node& property = set_.at(own);
      if (effort_.side == Effort::Side::Request ? property.read_only : property.write_only) return true;
      own = property.reference;
    }
    return false;
  }

  bool members(const Node& node, Ref value, bool quiet) {
    if (node.properties.empty() && node.pattern_properties.empty() && node.additional_properties == kNoSchema && node.property_names == kNoSchema) return true;
    bool fine = true;
    for (Ref at = document_.first(value); at != kNone; at = document_.next(at)) {
      fine = member(node, at, quiet) && fine;
      if (!fine && over(quiet)) return false;
    }
    return fine;
  }

  bool member(const Node& node, Ref at, bool quiet) {
    const std::string name = document_.member_name(at);
    if (!spend(1 + name.size() / 64)) return false;
    bool fine = true, known = false;
    const auto look = [&](std::int32_t schema) {
      known = true;
      fine = valid(schema, at, quiet) && fine;
    };
    if (const std::int32_t own = node.property(name); own != kNoSchema) look(own);
    for (const auto& [pattern, schema] : node.pattern_properties)
      if (pattern.matches(name)) look(schema);
    if (node.property_names != kNoSchema && !valid_name(node.property_names, name)) fine = fail(at, quiet, "propertyNames", "has a name that may not stand here");
    if (known || node.additional_properties == kNoSchema) return fine;
    if (set_.at(node.additional_properties).never) return fail(at, quiet, "additionalProperties", "is a member that the schema does not know");
    return valid(node.additional_properties, at, quiet) && fine;
  }

  // A name is a value of its own.
  bool valid_name(std::int32_t schema, const std::string& name) {
    Document document;
    document.set_root(document.add_text(name));
    Verdict verdict;
    Effort effort = effort_;
    effort.steps -= std::min(spent_, effort.steps);
    Validation inner(set_, document, effort, verdict);
    inner.nested_ = nested_;
    const bool fine = inner.valid(schema, document.root(), true);
    spend(inner.spent_);
    return verdict.gave_up ? give_up() : fine;
  }

  bool together(const Node& node, Ref value, bool quiet) {
    bool fine = true;
    for (const std::int32_t one : node.all_of) {
      fine = valid(one, value, quiet) && fine;
      if (!fine && over(quiet)) return false;
    }
    if (!node.any_of.empty() && count(node.any_of, value, 1) == 0) fine = fail(value, quiet, "anyOf", "is of none of the " + std::to_string(node.any_of.size()) + " kinds that it may be of");
    if (!node.one_of.empty()) {
      const std::size_t kinds = count(node.one_of, value, 2);
      if (kinds != 1) fine = fail(value, quiet, "oneOf", kinds == 0 ? "is of none of the " + std::to_string(node.one_of.size()) + " kinds that it may be of" : "is of more than one of the kinds that it may be of");
    }
    if (node.if_not != kNoSchema && valid(node.if_not, value, true)) fine = fail(value, quiet, "not", "is of the kind that it may not be of");
    if (node.condition != kNoSchema) {
      const std::int32_t then = valid(node.condition, value, true) ? node.then : node.otherwise;
      if (then != kNoSchema && !verdict_.gave_up) fine = valid(then, value, quiet) && fine;
    }
    return fine && !verdict_.gave_up;
  }

  // How many of them the value is valid by, up to `enough`.
  std::size_t count(const std::vector<std::int32_t>& schemas, Ref value, std::size_t enough) {
    std::size_t out = 0;
    for (const std::int32_t one : schemas) {
      out += valid(one, value, true) ? 1 : 0;
      if (out == enough || verdict_.gave_up) break;
    }
    return out;
  }

  const Set& set_;
  const Document& document_;
  const Effort effort_;
  Verdict& verdict_;
  std::size_t spent_ = 0;
  int nested_ = 0;
};

}  // namespace

Verdict validate(const Set& set, std::int32_t schema, const Document& document, Ref value, const Effort& effort) {
  Verdict out;
  Validation validation(set, document, effort, out);
  out.valid = validation.valid(schema, value, false) && !out.gave_up;
  out.spent = validation.spent();
  return out;
}

}  // namespace gatelab::schema
