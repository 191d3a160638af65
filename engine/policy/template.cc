// SPDX-License-Identifier: Apache-2.0
#include "policy/template.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/placeholder.h"
#include "base/text.h"
#include "http/chars.h"
#include "http/uri.h"
#include "json/pointer.h"

namespace gatelab::policy {

namespace {

// A canonical path's %XX; other than in a query '+' is itself.
std::string_view decode_segment(std::string_view raw, Arena& arena) noexcept {
  if (raw.find('%') == std::string_view::npos) return raw;
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const bool encoded = raw[i] == '%' && i + 2 < raw.size();
    out += encoded ? static_cast<char>(http::hex_value(raw[i + 1]) * 16 + http::hex_value(raw[i + 2])) : raw[i];
    if (encoded) i += 2;
  }
  return arena.copy(out);
}

// NAME or NAME/POINTER. Reports.
bool is_part(std::string_view reference, const std::vector<std::string>& parts, const diag::Span& span, diag::Sink& sink) {
  const std::string_view name = reference.substr(0, reference.find('/'));
  const auto pointer = json::Pointer::parse(reference.substr(name.size()));
  if (!pointer) sink.error("bad-template", span, pointer.error().message);
  else if (std::find(parts.begin(), parts.end(), name) == parts.end()) sink.no_such("part", std::string(name), span, {parts.begin(), parts.end()});
  else return true;
  return false;
}

}  // namespace

std::string_view claim_text(const crypto::JsonValue& claim, Arena& arena) noexcept {
  std::string_view text = claim.scalar();
  if (!claim.is(crypto::JsonKind::List)) return text;
  for (auto item = claim.first(); item; item = item->next()) text = arena.concat(text, text.empty() ? "" : ",", item->scalar());
  return text;
}

const Template::Word* Template::find(std::string_view reference, std::string_view& name) noexcept {
  static constexpr Word kWords[] = {
      {"request.method", Kind::Method, false},  {"request.path", Kind::Path, false},        {"request.query", Kind::Query, false},
      {"request.host", Kind::Host, false},      {"request.scheme", Kind::Scheme, false},    {"request.header", Kind::Header, true},
      {"request.query", Kind::Parameter, true}, {"request.cookie", Kind::Cookie, true},     {"path", Kind::RouteParameter, true},
      {"route", Kind::Route, false},            {"client.ip", Kind::Client, false},         {"consumer.name", Kind::Consumer, false},
      {"principal", Kind::Principal, false},    {"claims", Kind::Claim, true},                {"part", Kind::Part, true},
  };
  for (const Word& one : kWords) {
    if (!one.named && reference == one.word) return &one;
    if (!one.named || reference.size() <= one.word.size() + 1 || !reference.starts_with(one.word) || reference[one.word.size()] != '.') continue;
    name = reference.substr(one.word.size() + 1);
    return &one;
  }
  return nullptr;
}

std::optional<Template> Template::parse(std::string_view text, const diag::Span& span, diag::Sink& sink, const std::vector<std::string>* parts) {
  Template out;
  std::string plain;
  const auto flush = [&out, &plain] {
    if (!plain.empty()) out.parts_.push_back({Kind::Text, std::exchange(plain, {}), {}});
  };
  while (const auto found = take_placeholder(text, plain)) {
    const std::string_view inside = found->inside;
    const std::size_t colon = inside.find(':');
    const std::string_view reference = inside.substr(0, colon);
    std::string_view name;
    const Word* word = found->has_end ? find(reference, name) : nullptr;
    if (word != nullptr && word->kind == Kind::Part && parts != nullptr) {
      if (!is_part(name, *parts, span, sink)) return std::nullopt;
    } else if (word == nullptr || word->kind == Kind::Part) {
      sink.error("bad-template", span, "`${" + std::string(inside) + (found->has_end ? "}` stands for nothing" : "` has no end"),
                 (parts != nullptr ? "part.NAME/POINTER, " : "") + std::string("request.method, .path, .query, .host, .scheme, request.header.NAME, .query.NAME, .cookie.NAME, path.NAME, route, client.ip, consumer.name, principal, claims.NAME; $${ stands for ${"));
      return std::nullopt;
    }
    flush();
    out.parts_.push_back({word->kind, std::string(name), colon == std::string_view::npos ? std::string() : std::string(inside.substr(colon + 1))});
  }
  flush();
  return out;
}

std::string_view Template::value(const Part& part, const Input& in) noexcept {
  const http::RequestHead& request = in.request;
  switch (part.kind) {
    case Kind::Text: return part.name;
    case Kind::Method: return request.method_text;
    case Kind::Path: return in.path;
    case Kind::Query: return request.query;
    case Kind::Host: return request.host;
    case Kind::Scheme: return in.scheme;
    case Kind::Route: return in.route;
    case Kind::RouteParameter: return decode_segment(in.parameter(part.name), in.arena);
    case Kind::Client: return in.arena.copy(format(in.client.ip));
    case Kind::Consumer: return in.consumer != nullptr ? std::string_view(in.consumer->name) : std::string_view();
    case Kind::Principal: return in.consumer != nullptr ? std::string_view(in.consumer->name) : in.principal;
    case Kind::Parameter: return http::query_value(request.query, part.name, in.arena).value_or(std::string_view());
    case Kind::Header: {
      const http::Field* field = request.fields.find(part.name);
      return field != nullptr ? field->value : std::string_view();
    }
    case Kind::Cookie: {
      const http::Field* field = request.fields.find(http::FieldId::Cookie);
      return field != nullptr ? http::cookie_value(field->value, part.name).value_or(std::string_view()) : std::string_view();
    }
    case Kind::Claim: {
      if (in.claims == nullptr) return {};
      const auto claim = in.claims->find(part.name);
      return claim ? claim_text(*claim, in.arena) : std::string_view();
    }
    case Kind::Part: {
      if (in.parts == nullptr) return {};
      const std::string_view name = std::string_view(part.name).substr(0, part.name.find('/'));
      return in.parts->part_value(name, std::string_view(part.name).substr(name.size()), in.arena);
    }
  }
  return {};
}

bool Template::append_to_path(std::string& out, const Input& in, std::string_view& why) const noexcept { return append_encoded(out, in, why, true); }
bool Template::append_to_query(std::string& out, const Input& in, std::string_view& why) const noexcept { return append_encoded(out, in, why, false); }

void Template::add_parts(std::vector<std::string_view>& out) const {
  for (const Part& part : parts_)
    if (part.kind == Kind::Part) out.push_back(std::string_view(part.name).substr(0, part.name.find('/')));
}

bool Template::append_encoded(std::string& out, const Input& in, std::string_view& why, bool keeps_segments) const noexcept {
  for (const Part& part : parts_) {
    const bool canonical = keeps_segments && (part.kind == Kind::Path || part.kind == Kind::RouteParameter);
    std::string_view text = canonical && part.kind == Kind::RouteParameter ? in.parameter(part.name) : value(part, in);
    const bool absent = text.empty();
    if (absent) text = part.fallback;
    if (text.empty() || text.size() > kMost) {
      why = text.empty() ? in.arena.concat("there is no value for `", part.name.empty() ? std::string_view("a reference") : std::string_view(part.name), "`") : std::string_view("a value is longer than 8KiB");
      return false;
    }
    if (part.kind == Kind::Text || (canonical && !absent)) out += text;
    else append_percent_encoded(out, text, [](char c) { return http::is(c, http::kUnreserved); });
  }
  return true;
}

std::string Template::sample() const {
  std::string out;
  for (const Part& part : parts_) out += part.kind == Kind::Text ? part.name : part.kind == Kind::Path ? "/x" : "x";
  return out;
}

std::string_view Template::render(const Input& in) const noexcept {
  if (is_literal()) return parts_.empty() ? std::string_view() : std::string_view(parts_.front().name);
  std::string out;
  for (const Part& part : parts_) {
    std::string_view text = value(part, in);
    if (text.empty()) text = part.fallback;
    if (out.size() + text.size() > kMost) break;
    out += text;
  }
  return in.arena.copy(out);
}

}  // namespace gatelab::policy
