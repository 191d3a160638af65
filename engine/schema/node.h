// SPDX-License-Identifier: Apache-2.0
// One schema, as it is looked at. Private to this room and to those who ask what a schema's values look like.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "json/document.h"
#include "schema/format.h"

namespace gatelab::schema {

inline constexpr std::int32_t kNoSchema = -1;

// Bits.
enum Type : std::uint8_t { kNull = 1, kBoolean = 2, kObject = 4, kArray = 8, kNumber = 16, kString = 32, kInteger = 64 };
inline constexpr std::uint8_t kAnyType = 127;

struct Pattern {
  std::string text;
  std::shared_ptr<const re2::RE2> regex;
  bool matches(std::string_view value) const { return re2::RE2::PartialMatch({value.data(), value.size()}, *regex); }
};

struct Multiple {
  std::uint32_t digits = 1;
  std::int64_t exponent = 0;
  std::string text;
};

struct Dependency {
  std::string name;
  std::vector<std::string> required;
  std::int32_t schema = kNoSchema;
};

struct Node {
  json::Ref place = json::kNone;
  bool never = false;              // `false`: no value is valid
  bool read_only = false, write_only = false;
  std::uint8_t types = kAnyType;
  std::int32_t reference = kNoSchema;
  json::Ref reference_place = json::kNone;

  // numbers, as they are written; empty: not said
  std::string minimum, maximum, exclusive_minimum, exclusive_maximum;
  std::optional<Multiple> multiple_of;
  // strings, in code points
  std::optional<std::uint64_t> min_length, max_length;
  std::optional<Pattern> pattern;
  Format format = Format::None;
  // arrays
  std::vector<std::int32_t> prefix_items;
  std::int32_t items = kNoSchema;  // behind those
  std::optional<std::uint64_t> min_items, max_items, min_contains, max_contains;
  std::int32_t contains = kNoSchema;
  bool unique_items = false;
  // objects
  std::vector<std::pair<std::string, std::int32_t>> properties;  // sorted
  std::vector<std::pair<Pattern, std::int32_t>> pattern_properties;
  std::int32_t additional_properties = kNoSchema, property_names = kNoSchema;
  std::vector<std::string> required;
  std::optional<std::uint64_t> min_properties, max_properties;
  std::vector<Dependency> dependencies;
  // any
  bool has_enum = false;
  std::vector<std::string> one_of_these;  // enum and const, in canonical form
  std::vector<std::int32_t> all_of, any_of, one_of;
  std::int32_t if_not = kNoSchema;  // `not`
  std::int32_t condition = kNoSchema, then = kNoSchema, otherwise = kNoSchema;

  std::int32_t property(std::string_view name) const noexcept;
  // Adds the schemas that the same value is looked at with.
  void beside(std::vector<std::int32_t>& out) const;
};

}  // namespace gatelab::schema
