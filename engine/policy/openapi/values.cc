// SPDX-License-Identifier: Apache-2.0
#include "policy/openapi/values.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/text.h"
#include "http/uri.h"
#include "policy/validate/texts.h"
#include "schema/node.h"

namespace gatelab::policy {
namespace {

using json::Document;
using json::Kind;
using json::Ref;
using In = ApiParameter::In;
using Style = ApiParameter::Style;
using State = ApiValue::State;
using Texts = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

// A path's or a query's %XX; `plus`: + is a space.
std::string decoded(std::string_view raw, bool plus) {
  std::string out;
  const auto hex = [](char c) { return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1; };
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const bool encoded = raw[i] == '%' && i + 2 < raw.size() && hex(raw[i + 1]) >= 0 && hex(raw[i + 2]) >= 0;
    if (encoded) out += static_cast<char>(hex(raw[i + 1]) * 16 + hex(raw[i + 2])), i += 2;
    else out += plus && raw[i] == '+' ? ' ' : raw[i];
  }
  return out;
}

// Everything is cut before it is decoded: an encoded separator is none.
using Raws = std::vector<std::string_view>;

Raws split(std::string_view raw, std::string_view separator) {
  Raws out;
  for (;;) {
    const std::size_t end = raw.find(separator);
    out.push_back(raw.substr(0, end));
    if (end == std::string_view::npos) return out;
    raw.remove_prefix(end + separator.size());
  }
}

template <class Decode>
Texts texts_of(const Raws& raws, Decode decode) {
  Texts out;
  for (const std::string_view raw : raws) out.push_back(decode(raw));
  return out;
}
// role,admin,first,Alex
template <class Decode>
std::optional<Pairs> pairs_of(const Raws& raws, Decode decode) {
  if (raws.size() % 2 != 0) return std::nullopt;
  Pairs out;
  for (std::size_t i = 0; i < raws.size(); i += 2) out.emplace_back(decode(raws[i]), decode(raws[i + 1]));
  return out;
}
// role=admin
template <class Decode>
std::optional<Pairs> equations_of(const Raws& raws, Decode decode) {
  Pairs out;
  for (const std::string_view raw : raws) {
    const std::size_t equals = raw.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    out.emplace_back(decode(raw.substr(0, equals)), decode(raw.substr(equals + 1)));
  }
  return out;
}

class Value {
 public:
  Value(const ApiParameter& parameter, const schema::Set& set) noexcept : parameter_(parameter), set_(set) {
    const std::uint8_t types = types_of(set, parameter.schema);
    // `null` has no text, and what is JSON is one.
    if (!parameter.is_json) shape_ = (types & ~schema::kNull) == schema::kArray ? Kind::Array : (types & ~schema::kNull) == schema::kObject ? Kind::Object : Kind::String;
  }
  Kind shape() const noexcept { return shape_; }

  ApiValue scalar(std::string_view text) {
    if (parameter_.is_json) return from_json(text);
    ApiValue out;
    out.state = State::There;
    out.document.set_root(value_of(out.document, text, set_, parameter_.schema));
    return out;
  }
  ApiValue array(const Texts& texts) {
    ApiValue out;
    out.state = State::There;
    Document& d = out.document;
    d.set_root(d.add(Kind::Array));
    const std::int32_t items = schema_of_items(set_, parameter_.schema);
    for (const std::string& text : texts) d.append(d.root(), value_of(d, text, set_, items));
    return out;
  }
  ApiValue object(const std::optional<Pairs>& pairs) {
    ApiValue out;
    if (!pairs) return out.state = State::Malformed, out;
    out.state = State::There;
    Document& d = out.document;
    d.set_root(d.add(Kind::Object));
    for (const auto& [name, text] : *pairs) {
      const Ref there = d.member(d.root(), name);
      const Ref made = value_of(d, text, set_, schema_of_member(set_, parameter_.schema, name));
      if (there == json::kNone) {
        d.append(d.root(), name, made);
      } else if (d.is(there, Kind::Array)) {
        d.append(there, made);
      } else {
        const Ref list = d.add(Kind::Array);
        d.put_in_place_of(there, list);
        d.append(list, there);
        d.append(list, made);
      }
    }
    return out;
  }

 private:
  static ApiValue from_json(std::string_view text) {
    ApiValue out;
    auto document = Document::parse(text, {64, 10'000});
    out.state = document ? State::There : State::Malformed;
    if (document) out.document = std::move(*document);
    return out;
  }
  const ApiParameter& parameter_;
  const schema::Set& set_;
  Kind shape_ = Kind::String;
};

// What `simple`, and what stands behind the first sign of `label`, comes to.
template <class Decode>
ApiValue listed(Value value, std::string_view raw, std::string_view separator, bool explode, Decode decode) {
  if (value.shape() == Kind::String) return value.scalar(decode(raw));
  const Raws raws = split(raw, separator);
  if (value.shape() == Kind::Array) return value.array(texts_of(raws, decode));
  return value.object(explode ? equations_of(raws, decode) : pairs_of(raws, decode));
}

// ;color=blue  ;color=a,b  ;color=a;color=b  ;R=1;G=2
ApiValue matrix(Value value, const ApiParameter& parameter, std::string_view raw) {
  const auto decode = [](std::string_view text) { return decoded(text, false); };
  ApiValue malformed;
  malformed.state = State::Malformed;
  if (!raw.starts_with(';')) return malformed;
  const Raws parts = split(raw.substr(1), ";");
  if (value.shape() == Kind::Object && parameter.explode) return value.object(equations_of(parts, decode));
  Raws own;
  for (const std::string_view part : parts) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || decode(part.substr(0, equals)) != parameter.name) return malformed;
    own.push_back(part.substr(equals + 1));
  }
  if (value.shape() == Kind::Array && parameter.explode) return value.array(texts_of(own, decode));
  return own.size() == 1 ? listed(value, own.front(), ",", false, decode) : malformed;
}

ApiValue in_path(const ApiParameter& parameter, const ApiRequest& request, const schema::Set& set) {
  const auto decode = [](std::string_view text) { return decoded(text, false); };
  std::string_view rest = request.operation.path;
  for (const std::string_view raw : request.segments) {
    const std::size_t open = rest.find('{'), close = rest.find('}');
    const std::string_view name = rest.substr(open + 1, close - open - 1);
    rest.remove_prefix(close + 1);
    if (name != parameter.name) continue;
    if (parameter.style == Style::Matrix) return matrix({parameter, set}, parameter, raw);
    if (parameter.style != Style::Label) return listed({parameter, set}, raw, ",", parameter.explode, decode);
    ApiValue malformed;
    malformed.state = State::Malformed;
    return raw.starts_with('.') ? listed({parameter, set}, raw.substr(1), parameter.explode ? "." : ",", parameter.explode, decode) : malformed;
  }
  return {};
}

// name[a]=1&name[b]=2
ApiValue deep(Value value, const ApiParameter& parameter, std::string_view query) {
  Pairs pairs;
  std::string_view raw_name, raw;
  while (http::next_query_pair(query, raw_name, raw)) {
    const std::string name = decoded(raw_name, true);
    if (name.size() < parameter.name.size() + 2 || !name.starts_with(parameter.name) || name[parameter.name.size()] != '[' || name.back() != ']') continue;
    pairs.emplace_back(name.substr(parameter.name.size() + 1, name.size() - parameter.name.size() - 2), decoded(raw, true));
  }
  return pairs.empty() ? ApiValue{} : value.object(pairs);
}

// Blanks and pipes have several ways to be written. Nullopt: several stand in one text, and which is data nobody can tell.
std::optional<std::string_view> separator_of(Style style, std::string_view raw) noexcept {
  if (style != Style::Space && style != Style::Pipe) return ",";
  constexpr std::string_view kSpaces[] = {"%20", "+"}, kPipes[] = {"|", "%7C", "%7c"};
  const std::span<const std::string_view> all = style == Style::Space ? std::span<const std::string_view>(kSpaces) : std::span<const std::string_view>(kPipes);
  std::optional<std::string_view> found;
  for (const std::string_view one : all) {
    if (raw.find(one) == std::string_view::npos) continue;
    if (found) return std::nullopt;
    found = one;
  }
  return found ? found : all.front();
}

ApiValue in_query(const ApiParameter& parameter, const ApiRequest& request, const schema::Set& set) {
  Value value(parameter, set);
  const auto decode = [](std::string_view text) { return decoded(text, true); };
  if (parameter.style == Style::Deep) return deep(value, parameter, request.query);
  const bool members = value.shape() == Kind::Object && parameter.style == Style::Form && parameter.explode;
  std::vector<std::string_view> raws;
  Pairs pairs;
  std::string_view query = request.query, raw_name, raw;
  while (http::next_query_pair(query, raw_name, raw)) {
    const std::string name = decoded(raw_name, true);
    if (members && names_member(set, parameter.schema, name)) pairs.emplace_back(name, decoded(raw, true));
    else if (!members && name == parameter.name) raws.push_back(raw);
  }
  if (members) return pairs.empty() ? ApiValue{} : value.object(pairs);
  if (raws.empty()) return {};
  if (value.shape() == Kind::Array && parameter.explode) {
    Texts texts;
    for (const std::string_view one : raws) texts.push_back(decode(one));
    return value.array(texts);
  }
  ApiValue malformed;
  malformed.state = State::Malformed;
  if (raws.size() > 1) return malformed;  // which one is meant, nobody can tell
  const auto separator = separator_of(parameter.style, raws[0]);
  return separator ? listed(value, raws[0], *separator, false, decode) : malformed;
}

ApiValue in_cookie(const ApiParameter& parameter, const http::Fields& fields, const schema::Set& set) {
  // Every pair of every field: a backend may take another one than the first.
  std::optional<std::string_view> found;
  for (const http::Field& field : fields) {
    if (field.id != http::FieldId::Cookie) continue;
    for (const std::string_view pair : split(field.value, ";")) {
      const std::string_view trimmed = trim_ows(pair);
      const std::size_t equals = trimmed.find('=');
      if (equals == std::string_view::npos || trim_ows(trimmed.substr(0, equals)) != parameter.name) continue;
      ApiValue malformed;
      malformed.state = State::Malformed;
      if (found) return malformed;
      found = trim_ows(trimmed.substr(equals + 1));
    }
  }
  if (!found) return {};
  return listed({parameter, set}, *found, ",", false, [](std::string_view text) { return decoded(text, false); });
}

}  // namespace

ApiValue value_of_field(const ApiParameter& parameter, const http::Fields& fields, const schema::Set& set, Arena& arena) {
  std::string_view joined;
  bool is_there = false;
  for (const http::Field& field : fields) {
    if (!iequals(field.name, parameter.name)) continue;
    joined = is_there ? arena.concat(joined, ",", field.value) : field.value;
    is_there = true;
  }
  if (!is_there) return {};
  return listed({parameter, set}, joined, ",", parameter.explode, [](std::string_view text) { return std::string(trim_ows(text)); });
}

ApiValue value_of_parameter(const ApiParameter& parameter, const ApiRequest& request, const schema::Set& set, Arena& arena) {
  switch (parameter.in) {
    case In::Path: return in_path(parameter, request, set);
    case In::Query: return in_query(parameter, request, set);
    case In::Header: return value_of_field(parameter, request.fields, set, arena);
    case In::Cookie: return in_cookie(parameter, request.fields, set);
  }
  return {};
}

}  // namespace gatelab::policy
