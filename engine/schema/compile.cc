// SPDX-License-Identifier: Apache-2.0
// From a document to schemas: every keyword is read, and what can't be held is told rather than passed over.
#include <algorithm>
#include <array>
#include <functional>

#include "base/text.h"
#include "json/pointer.h"
#include "json/text.h"
#include "schema/node.h"
#include "schema/schema.h"

namespace gatelab::schema {
namespace {

using json::Document;
using json::kNone;
using json::Kind;
using json::Ref;

// What may stand in a schema: read here, or said to be of no consequence (annotations), or of one dialect only.
enum class Word : std::uint8_t { Read, Silent, Unsupported };
struct Keyword {
  std::string_view name;
  Word draft7, openapi30, openapi31;
};
constexpr Word kRead = Word::Read, kSilent = Word::Silent, kNot = Word::Unsupported;
constexpr Keyword kKeywords[] = {
    {"type", kRead, kRead, kRead}, {"enum", kRead, kRead, kRead}, {"const", kRead, kNot, kRead}, {"multipleOf", kRead, kRead, kRead},
    {"maximum", kRead, kRead, kRead}, {"exclusiveMaximum", kRead, kRead, kRead}, {"minimum", kRead, kRead, kRead}, {"exclusiveMinimum", kRead, kRead, kRead},
    {"maxLength", kRead, kRead, kRead}, {"minLength", kRead, kRead, kRead}, {"pattern", kRead, kRead, kRead}, {"format", kRead, kRead, kRead},
    {"items", kRead, kRead, kRead}, {"additionalItems", kRead, kNot, kNot}, {"prefixItems", kNot, kNot, kRead}, {"maxItems", kRead, kRead, kRead}, {"minItems", kRead, kRead, kRead},
    {"uniqueItems", kRead, kRead, kRead}, {"contains", kRead, kNot, kRead}, {"minContains", kNot, kNot, kRead}, {"maxContains", kNot, kNot, kRead},
    {"maxProperties", kRead, kRead, kRead}, {"minProperties", kRead, kRead, kRead}, {"required", kRead, kRead, kRead}, {"properties", kRead, kRead, kRead},
    {"patternProperties", kRead, kNot, kRead}, {"additionalProperties", kRead, kRead, kRead}, {"propertyNames", kRead, kNot, kRead},
    {"dependencies", kRead, kNot, kNot}, {"dependentRequired", kNot, kNot, kRead}, {"dependentSchemas", kNot, kNot, kRead},
    {"if", kRead, kNot, kRead}, {"then", kRead, kNot, kRead}, {"else", kRead, kNot, kRead},
    {"allOf", kRead, kRead, kRead}, {"anyOf", kRead, kRead, kRead}, {"oneOf", kRead, kRead, kRead}, {"not", kRead, kRead, kRead}, {"$ref", kRead, kRead, kRead},
    {"nullable", kNot, kRead, kNot},
    {"$schema", kSilent, kNot, kSilent}, {"$comment", kSilent, kSilent, kSilent}, {"$defs", kSilent, kNot, kSilent}, {"definitions", kSilent, kNot, kSilent}, {"title", kSilent, kSilent, kSilent},
    {"description", kSilent, kSilent, kSilent}, {"default", kSilent, kSilent, kSilent}, {"example", kSilent, kSilent, kSilent}, {"examples", kSilent, kSilent, kSilent},
    {"readOnly", kSilent, kSilent, kSilent}, {"writeOnly", kSilent, kSilent, kSilent}, {"deprecated", kSilent, kSilent, kSilent}, {"externalDocs", kNot, kSilent, kSilent},
    {"xml", kNot, kSilent, kSilent}, {"discriminator", kNot, kSilent, kSilent}, {"contentMediaType", kSilent, kNot, kSilent}, {"contentEncoding", kSilent, kNot, kSilent},
    {"$id", kSilent, kNot, kNot}, {"$anchor", kNot, kNot, kNot}, {"$dynamicRef", kNot, kNot, kNot}, {"$dynamicAnchor", kNot, kNot, kNot}, {"$vocabulary", kNot, kNot, kNot},
    {"contentSchema", kNot, kNot, kSilent}, {"unevaluatedItems", kNot, kNot, kNot}, {"unevaluatedProperties", kNot, kNot, kNot},
};

Word word_of(const Keyword& keyword, Dialect dialect) noexcept {
  switch (dialect) {
    case Dialect::Draft7: return keyword.draft7;
    case Dialect::OpenApi30: return keyword.openapi30;
    case Dialect::OpenApi31: return keyword.openapi31;
  }
  return Word::Read;
}

std::uint8_t type_bit(std::string_view name) noexcept {
  constexpr std::pair<std::string_view, std::uint8_t> kTypes[] = {{"null", kNull}, {"boolean", kBoolean}, {"object", kObject}, {"array", kArray}, {"number", kNumber | kInteger}, {"string", kString}, {"integer", kInteger}};
  for (const auto& [known, bits] : kTypes)
    if (known == name) return bits;
  return 0;
}

}  // namespace

// One schema's keywords.
class Compiler {
 public:
  Compiler(Set& set, Node& node, Ref at) noexcept : set_(set), document_(set.document_), node_(node), at_(at) {}

  void run() {
    node_.place = at_;
    if (document_.is(at_, Kind::Bool)) {
      node_.never = document_.raw(at_) == "false";
      return;
    }
    if (!document_.is(at_, Kind::Object)) return error(at_, "bad-schema", "a schema is a map, true or false, not " + std::string(json::name(document_.kind(at_))));
    const Ref reference = member("$ref");
    if (reference != kNone) refer(reference);
    // There a reference stands alone, and what stands beside it says nothing (draft-handrews-json-schema-01 §8.3).
    const bool alone = reference != kNone && set_.dialect_ != Dialect::OpenApi31;
    check_words(alone);
    if (alone) return;
    flag(node_.read_only, "readOnly");
    flag(node_.write_only, "writeOnly");
    any();
    numbers();
    strings();
    arrays();
    objects();
    together();
  }

 private:
  void report(Ref at, bool of_name, bool is_error, std::string id, std::string message, std::string hint) {
    if (set_.problems_.size() < 1000) set_.problems_.push_back({at, of_name, is_error, std::move(id), std::move(message), std::move(hint)});
  }
  void error(Ref at, std::string id, std::string message, std::string hint = {}) { report(at, false, true, std::move(id), std::move(message), std::move(hint)); }

  Ref member(std::string_view name) const noexcept { return document_.member(at_, name); }
  // The member if it is of that kind; reports when it is of another.
  Ref member(std::string_view name, Kind kind) {
    const Ref at = member(name);
    if (at == kNone || document_.is(at, kind)) return at;
    error(at, "bad-schema", "`" + std::string(name) + "` must be " + std::string(json::name(kind)) + ", not " + std::string(json::name(document_.kind(at))));
    return kNone;
  }

  // Says what is not held here, and what says nothing.
  void check_words(bool alone) {
    for (Ref at = document_.first(at_); at != kNone; at = document_.next(at)) {
      const std::string name = document_.member_name(at);
      if (name == "$ref" || name.starts_with("x-")) continue;
      const auto known = std::find_if(std::begin(kKeywords), std::end(kKeywords), [&](const Keyword& k) { return k.name == name; });
      const Word word = known == std::end(kKeywords) ? Word::Unsupported : word_of(*known, set_.dialect_);
      if (word == Word::Unsupported) {
        // A reference's meaning hangs on these.
        const bool matters = name == "$id" || name.starts_with("$dynamic") || name == "$anchor";
        report(at, true, matters, matters ? "not-supported" : "not-held", "`" + name + "` is not looked at in a schema here", matters ? "references are local, by JSON Pointer: \"#/definitions/x\"" : "what it asks for holds no value back");
      } else if (alone && word == Word::Read) {
        report(at, true, false, "not-held", "`" + name + "` says nothing beside `$ref`", "put both into allOf");
      } else if (name == "$id" && document_.parent(at_) != kNone) {
        report(at, true, true, "not-supported", "`$id` inside a schema gives its references another meaning, which they can't have here", "references are local, by JSON Pointer: \"#/definitions/x\"");
      } else if (name == "$schema" && set_.dialect_ == Dialect::Draft7) {
        const std::string dialect = document_.is(at, Kind::String) ? document_.text(at) : "";
        if (dialect != "http://json-schema.org/draft-07/schema#" && dialect != "http://json-schema.org/draft-07/schema")
          error(at, "not-supported", "schemas are of draft 7 here, not of `" + dialect + "`", "$schema: http://json-schema.org/draft-07/schema#");
      }
    }
  }

  void refer(Ref at) {
    if (!document_.is(at, Kind::String)) return error(at, "bad-schema", "`$ref` is text");
    const std::string text = document_.text(at);
    if (!text.starts_with('#')) return error(at, "not-supported", "`" + text + "` is in another document, and references are local", "\"#/definitions/x\", \"#\"");
    std::string fragment;
    for (std::size_t i = 1; i < text.size(); ++i) {
      const auto hex = [](char c) { return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1; };
      const bool encoded = text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0;
      fragment += encoded ? static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2])) : text[i];
      if (encoded) i += 2;
    }
    const auto pointer = json::Pointer::parse(fragment);
    const Ref there = pointer ? set_.find(*pointer) : kNone;
    if (there == kNone) return error(at, "unknown-reference", "`" + text + "` leads nowhere in this document", "a JSON Pointer behind #: \"#/definitions/x\"");
    node_.reference = set_.compile(there);
    node_.reference_place = at;
  }

  void add_schema(std::int32_t& out, std::string_view name) {
    if (const Ref at = member(name); at != kNone) out = set_.compile(at);
  }
  void add_schemas(std::vector<std::int32_t>& out, std::string_view name) {
    const Ref list = member(name, Kind::Array);
    if (list == kNone) return;
    if (document_.size(list) == 0) error(list, "bad-schema", "`" + std::string(name) + "` has no schema");
    for (Ref at = document_.first(list); at != kNone; at = document_.next(at)) out.push_back(set_.compile(at));
  }

  void any() {
    if (const Ref type = member("type"); type != kNone) {
      node_.types = 0;
      const auto add = [this](Ref at) {
        const std::uint8_t bits = document_.is(at, Kind::String) ? type_bit(document_.text(at)) : 0;
        if (bits == 0 || (set_.dialect_ == Dialect::OpenApi30 && bits == kNull)) error(at, "bad-schema", "this is no type", "null, boolean, object, array, number, integer, string");
        node_.types |= bits;
      };
      if (document_.is(type, Kind::Array) && document_.size(type) == 0) error(type, "bad-schema", "`type` names no type");
      if (!document_.is(type, Kind::Array)) add(type);
      else
        for (Ref at = document_.first(type); at != kNone; at = document_.next(at)) add(at);
      if (const Ref nullable = member("nullable"); set_.dialect_ == Dialect::OpenApi30 && nullable != kNone && document_.raw(nullable) == "true") node_.types |= kNull;
    }
    if (const Ref list = member("enum", Kind::Array); list != kNone) {
      for (Ref at = document_.first(list); at != kNone; at = document_.next(at)) document_.append_canonical(node_.one_of_these.emplace_back(), at);
      node_.has_enum = true;
    }
    const Ref constant = set_.dialect_ == Dialect::OpenApi30 ? kNone : member("const");
    if (constant == kNone) return;
    std::string only;
    document_.append_canonical(only, constant);
    const bool possible = !node_.has_enum || std::find(node_.one_of_these.begin(), node_.one_of_these.end(), only) != node_.one_of_these.end();
    node_.one_of_these.clear();
    if (possible) node_.one_of_these.push_back(std::move(only));
    node_.has_enum = true;
  }

  void number(std::string& out, std::string_view name) {
    if (const Ref at = member(name, Kind::Number); at != kNone) out = document_.raw(at);
  }
  // Draft 4's, which OpenAPI 3.0 has: `exclusiveMinimum: true` beside `minimum`.
  void exclusive(std::string& out, std::string& inclusive, std::string_view name) {
    if (set_.dialect_ != Dialect::OpenApi30) return number(out, name);
    const Ref at = member(name, Kind::Bool);
    if (at != kNone && document_.raw(at) == "true") out = std::exchange(inclusive, {});
  }

  void numbers() {
    number(node_.minimum, "minimum");
    number(node_.maximum, "maximum");
    exclusive(node_.exclusive_minimum, node_.minimum, "exclusiveMinimum");
    exclusive(node_.exclusive_maximum, node_.maximum, "exclusiveMaximum");
    const Ref at = member("multipleOf", Kind::Number);
    if (at == kNone) return;
    const json::Parts parts = json::parts_of(document_.raw(at));
    std::uint64_t digits = 0;
    if (parts.negative || parts.digits.empty()) return error(at, "bad-schema", "`multipleOf` is more than 0");
    if (!parse_decimal(parts.digits, digits) || digits >= 1'000'000'000) return error(at, "not-supported", "`multipleOf` has at most nine digits here");
    node_.multiple_of = Multiple{static_cast<std::uint32_t>(digits), parts.exponent, std::string(document_.raw(at))};
  }

  void count(std::optional<std::uint64_t>& out, std::string_view name) {
    const Ref at = member(name, Kind::Number);
    if (at == kNone) return;
    const json::Parts parts = json::parts_of(document_.raw(at));
    std::uint64_t value = 0;
    std::string digits = parts.digits;
    if (parts.exponent > 0 && parts.exponent < 19) digits.append(static_cast<std::size_t>(parts.exponent), '0');
    const bool fine = parts.digits.empty() || (!parts.negative && parts.exponent >= 0 && parts.exponent < 19 && parse_decimal(digits, value));
    if (!fine) error(at, "bad-schema", "`" + std::string(name) + "` is a whole number, and not less than 0");
    else out = value;
  }

  std::optional<Pattern> pattern(std::string text, Ref at, bool of_name) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    auto regex = std::make_shared<const re2::RE2>(text, options);
    if (regex->ok()) return Pattern{std::move(text), std::move(regex)};
    report(at, of_name, true, "bad-regex", "`" + text + "` is no regular expression that takes linear time: " + regex->error(), "RE2's syntax, which has no lookahead and no references to groups");
    return std::nullopt;
  }

  void strings() {
    count(node_.min_length, "minLength");
    count(node_.max_length, "maxLength");
    if (const Ref at = member("pattern", Kind::String); at != kNone) node_.pattern = pattern(document_.text(at), at, false);
    const Ref at = member("format", Kind::String);
    if (at == kNone) return;
    const auto format = parse_format(document_.text(at));
    if (format) node_.format = *format;
    else report(at, false, false, "not-held", "the format `" + document_.text(at) + "` is not looked at here", "date-time, date, time, email, hostname, ipv4, ipv6, uri, uri-reference, uuid, json-pointer, regex, byte, int32, int64");
  }

  void arrays() {
    count(node_.min_items, "minItems");
    count(node_.max_items, "maxItems");
    flag(node_.unique_items, "uniqueItems");
    if (set_.dialect_ == Dialect::OpenApi31) add_schemas(node_.prefix_items, "prefixItems");
    const Ref items = member("items");
    if (items != kNone && set_.dialect_ == Dialect::Draft7 && document_.is(items, Kind::Array)) {
      for (Ref at = document_.first(items); at != kNone; at = document_.next(at)) node_.prefix_items.push_back(set_.compile(at));
      add_schema(node_.items, "additionalItems");
    } else if (items != kNone) {
      node_.items = set_.compile(items);
    }
    if (set_.dialect_ == Dialect::OpenApi30) return;
    add_schema(node_.contains, "contains");
    if (set_.dialect_ != Dialect::OpenApi31) return;
    count(node_.min_contains, "minContains");
    count(node_.max_contains, "maxContains");
  }

  void flag(bool& out, std::string_view name) {
    if (const Ref at = member(name, Kind::Bool); at != kNone) out = document_.raw(at) == "true";
  }

  std::vector<std::string> names(Ref list) {
    std::vector<std::string> out;
    for (Ref at = document_.first(list); at != kNone; at = document_.next(at)) {
      if (!document_.is(at, Kind::String)) error(at, "bad-schema", "a member's name is text, not " + std::string(json::name(document_.kind(at))));
      else out.push_back(document_.text(at));
    }
    return out;
  }

  void objects() {
    count(node_.min_properties, "minProperties");
    count(node_.max_properties, "maxProperties");
    if (const Ref list = member("required", Kind::Array); list != kNone) node_.required = names(list);
    if (const Ref map = member("properties", Kind::Object); map != kNone)
      for (Ref at = document_.first(map); at != kNone; at = document_.next(at)) node_.properties.emplace_back(document_.member_name(at), set_.compile(at));
    std::sort(node_.properties.begin(), node_.properties.end());
    add_schema(node_.additional_properties, "additionalProperties");
    if (set_.dialect_ == Dialect::OpenApi30) return;
    if (const Ref map = member("patternProperties", Kind::Object); map != kNone)
      for (Ref at = document_.first(map); at != kNone; at = document_.next(at))
        if (auto compiled = pattern(document_.member_name(at), at, true)) node_.pattern_properties.emplace_back(std::move(*compiled), set_.compile(at));
    add_schema(node_.property_names, "propertyNames");
    for (const std::string_view name : {"dependencies", "dependentRequired", "dependentSchemas"}) {
      if ((name == "dependencies") != (set_.dialect_ == Dialect::Draft7)) continue;
      if (const Ref map = member(name, Kind::Object); map != kNone)
        for (Ref at = document_.first(map); at != kNone; at = document_.next(at)) depend(at);
    }
  }

  void depend(Ref at) {
    Dependency& dependency = node_.dependencies.emplace_back();
    dependency.name = document_.member_name(at);
    if (document_.is(at, Kind::Array)) dependency.required = names(at);
    else dependency.schema = set_.compile(at);
  }

  void together() {
    add_schemas(node_.all_of, "allOf");
    add_schemas(node_.any_of, "anyOf");
    add_schemas(node_.one_of, "oneOf");
    add_schema(node_.if_not, "not");
    if (set_.dialect_ == Dialect::OpenApi30) return;
    add_schema(node_.condition, "if");
    add_schema(node_.then, "then");
    add_schema(node_.otherwise, "else");
  }

  Set& set_;
  const Document& document_;
  Node& node_;
  const Ref at_;
};

Set::Set(const Document& document, Dialect dialect) : document_(document), dialect_(dialect), index_(document), known_(document.values(), kNoSchema) {}
Set::~Set() = default;
const Node& Set::at(std::int32_t index) const noexcept { return *nodes_[static_cast<std::size_t>(index)]; }

std::int32_t Set::compile(Ref at) {
  if (known_[at] != kNoSchema) return known_[at];
  const auto index = static_cast<std::int32_t>(nodes_.size());
  known_[at] = index;
  waiting_.emplace_back(nodes_.emplace_back(std::make_unique<Node>()).get(), at);
  // Not one in the other: references may form a chain as long as the document.
  if (std::exchange(busy_, true)) return index;
  while (!waiting_.empty()) {
    const auto [node, place] = waiting_.back();
    waiting_.pop_back();
    Compiler(*this, *node, place).run();
  }
  busy_ = false;
  return index;
}

std::int32_t Node::property(std::string_view name) const noexcept {
  const auto found = std::lower_bound(properties.begin(), properties.end(), name, [](const auto& p, std::string_view n) { return p.first < n; });
  return found != properties.end() && found->first == name ? found->second : kNoSchema;
}

void Node::beside(std::vector<std::int32_t>& out) const {
  for (const auto* list : {&all_of, &any_of, &one_of}) out.insert(out.end(), list->begin(), list->end());
  for (const std::int32_t one : {reference, if_not, condition, then, otherwise})
    if (one != kNoSchema) out.push_back(one);
  for (const Dependency& dependency : dependencies)
    if (dependency.schema != kNoSchema) out.push_back(dependency.schema);
}

// A walk in depth with a stack of its own: a document may hold a hundred thousand schemas.
void Set::check_loops() {
  enum : char { New, Open, Done };
  std::vector<char> marks(nodes_.size(), New);
  struct Step {
    std::int32_t schema;
    std::vector<std::int32_t> beside;
    std::size_t next = 0;
  };
  for (std::size_t start = 0; start < nodes_.size(); ++start) {
    if (marks[start] != New) continue;
    std::vector<Step> way;
    const auto enter = [&](std::int32_t schema) {
      marks[static_cast<std::size_t>(schema)] = Open;
      way.push_back({schema, {}, 0});
      at(schema).beside(way.back().beside);
    };
    enter(static_cast<std::int32_t>(start));
    while (!way.empty()) {
      Step& step = way.back();
      if (step.next == step.beside.size()) {
        marks[static_cast<std::size_t>(step.schema)] = Done;
        way.pop_back();
        continue;
      }
      const std::int32_t next = step.beside[step.next++];
      const char mark = marks[static_cast<std::size_t>(next)];
      if (mark == New) enter(next);
      if (mark != Open) continue;
      const Node& node = at(step.schema);
      Ref place = node.reference_place != kNone ? node.reference_place : node.place;
      // The loop's last reference may stand further back.
      for (auto back = way.rbegin(); node.reference_place == kNone && back != way.rend(); ++back)
        if (at(back->schema).reference_place != kNone) {
          place = at(back->schema).reference_place;
          break;
        }
      problems_.push_back({place, false, true, "reference-loop", "this reference leads back to itself, without a step into the value", "a schema may refer to itself for its members or items only"});
    }
  }
}

}  // namespace gatelab::schema
