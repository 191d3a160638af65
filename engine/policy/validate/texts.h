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

// A number or boolean where the schema wants no text and the text is one; else the text. Stands nowhere yet.
json::Ref value_of(json::Document& document, std::string_view text, const schema::Set& set, std::int32_t schema);
// The schema that a reference leads to, where nothing else is said beside it.
const schema::Node& resolved_node(const schema::Set& set, std::int32_t schema) noexcept;
// What a schema says of types, itself or by a reference.
std::uint8_t types_of(const schema::Set& set, std::int32_t schema) noexcept;

// An object of all parameters, decoded. What comes several times is an array, as is what the schema says is one.
json::Document query_object(std::string_view query, const schema::Set& set, std::int32_t schema, Arena& arena);
// An object of all fields, by the names that the schema has for them, else in small letters. A field that comes several times is one
// text, with commas; an array if the schema says so.
json::Document fields_object(const http::Fields& fields, const schema::Set& set, std::int32_t schema);

}  // namespace gatelab::policy
