// SPDX-License-Identifier: Apache-2.0
// Texts of a query or of header fields as values that a schema can speak of. Pure; any thread.
#pragma once

#include <string_view>
#include <vector>

#include "http/fields.h"
#include "json/document.h"
#include "schema/node.h"
#include "schema/schema.h"

namespace gatelab::policy {

// The types that a value may have as far as its schema says so: by type, by enumerated values, by references, and by schemas put
// together. One that speaks of numbers and not of texts is a number's.
std::uint8_t types_of(const schema::Set& set, std::int32_t schema) noexcept;
// A number or boolean where the schema wants no text and the text is one; else the text. Stands nowhere yet.
json::Ref value_of(json::Document& document, std::string_view text, const schema::Set& set, std::int32_t schema);

// The schema of a member of that name, and of items, wherever an object's or array's schemas say it; kNoSchema: nothing is said.
std::int32_t schema_of_member(const schema::Set& set, std::int32_t object, std::string_view name) noexcept;
std::int32_t schema_of_items(const schema::Set& set, std::int32_t array) noexcept;
// Whether the object's schemas name it among `properties`.
bool names_member(const schema::Set& set, std::int32_t object, std::string_view name) noexcept;

// An object of all parameters, decoded. What comes several times is an array, as is what the schema says is one.
json::Document query_object(std::string_view query, const schema::Set& set, std::int32_t schema, Arena& arena);
// An object of all fields, by the names that the schema has for them, else in small letters. A field that comes several times is one
// text, with commas; an array if the schema says so.
json::Document fields_object(const http::Fields& fields, const schema::Set& set, std::int32_t schema);

}  // namespace gatelab::policy
