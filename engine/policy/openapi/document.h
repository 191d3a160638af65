// SPDX-License-Identifier: Apache-2.0
// An OpenAPI document (3.0 or 3.1), read into what requests and answers are held to. What it asks for and is not held is listed, each
// with its place. Immutable once loaded; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/located_json.h"
#include "route/table.h"
#include "schema/schema.h"

namespace gatelab::policy {

struct ApiParameter {
  enum class In : std::uint8_t { Path, Query, Header, Cookie };
  enum class Style : std::uint8_t { Simple, Label, Matrix, Form, Space, Pipe, Deep };
  std::string name;
  In in = In::Query;
  Style style = Style::Form;
  bool explode = true, required = false, allows_empty = false;
  bool is_json = false;  // its text is JSON
  std::int32_t schema = -1;
};
std::string_view name(ApiParameter::In in) noexcept;

struct ApiMedia {
  enum class Kind : std::uint8_t { Json, Form, Unseen };
  std::string range;  // in small letters: application/json, application/*, */*
  Kind kind = Kind::Unseen;
  std::int32_t schema = -1;
};
// The one that fits best; null: none does.
const ApiMedia* find_media(const std::vector<ApiMedia>& media, std::string_view content_type) noexcept;

struct ApiBody {
  bool required = false;
  std::vector<ApiMedia> media;
};

struct ApiAnswer {
  std::uint16_t low = 0, high = 999;  // statuses; all: default
  std::vector<ApiMedia> media;
  std::vector<ApiParameter> fields;
};

struct ApiOperation {
  std::string id;      // operationId, or made of method and path
  std::string method, path;  // GET, /orders/{id} behind the base path
  diag::Span span;
  std::vector<ApiParameter> parameters;
  std::optional<ApiBody> body;
  std::vector<ApiAnswer> answers;  // the most special first
};

struct ApiDocument {
  ApiDocument(LocatedJson from, schema::Dialect dialect) : source(std::move(from)), set(source.document, dialect) {}
  LocatedJson source;
  schema::Set set;
  std::vector<ApiOperation> operations;
  std::unique_ptr<const route::Table> table;  // of the operations, by their places

  // The same one for the same file and base path of one configuration; what is wrong or not held is told once. Null: reported.
  static std::shared_ptr<const ApiDocument> load(const config::Node& file, const std::string& base_path, Context& context);
};

}  // namespace gatelab::policy
