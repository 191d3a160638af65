// SPDX-License-Identifier: Apache-2.0
#include "policy/openapi/reader.h"

#include <algorithm>

#include "base/text.h"
#include "json/pointer.h"
#include "schema/node.h"

namespace gatelab::policy {
namespace {

using json::kNone;

// References that follow upon each other; more than that is a circle.
constexpr int kMostReferences = 32;
constexpr std::size_t kMostProblems = 2'000;
constexpr std::string_view kMethods[] = {"get", "put", "post", "delete", "options", "head", "patch", "trace"};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return out;
}

bool is_json_type(std::string_view range) noexcept { return range == "application/json" || range.ends_with("+json"); }

}  // namespace

std::optional<schema::Dialect> api_dialect(const LocatedJson& source, const config::Node& file, diag::Sink& sink) {
  const json::Document& document = source.document;
  const json::Ref version = document.member(document.root(), "openapi");
  const std::string text = version == kNone ? std::string() : document.is(version, json::Kind::String) ? document.text(version) : std::string(document.raw(version));
  if (text.starts_with("3.0.") || text == "3.0") return schema::Dialect::OpenApi30;
  if (text.starts_with("3.1.") || text == "3.1") return schema::Dialect::OpenApi31;
  if (version == kNone) sink.error("bad-version", file.span, "`" + file.text + "` is no OpenAPI document of version 3", "openapi: 3.0.3 or 3.1.0 stands at its top");
  else sink.error("bad-version", source.values[version], "documents of OpenAPI 3.0 and 3.1 are read, not of `" + text + "`", "openapi: 3.1.0");
  return std::nullopt;
}

void ApiReader::error(Ref at, std::string id, std::string message, std::string hint) {
  if (problems_.size() < kMostProblems) problems_.push_back({at, false, true, std::move(id), std::move(message), std::move(hint)});
}

void ApiReader::not_held(Ref at, std::string message, std::string hint, bool of_name) {
  if (problems_.size() < kMostProblems) problems_.push_back({at, of_name, false, "not-held", std::move(message), std::move(hint)});
}

// Follows `$ref`. kNone: it leads nowhere; reported.
json::Ref ApiReader::resolved(Ref at) {
  const Ref begin = at;
  for (int i = 0; i < kMostReferences; ++i) {
    const Ref reference = document_.member(at, "$ref");
    if (reference == kNone) return at;
    const std::string text = document_.is(reference, json::Kind::String) ? document_.text(reference) : std::string();
    if (!text.starts_with("#/")) return error(reference, "not-supported", "`" + text + "` is in another document, and references are local", "\"#/components/parameters/x\""), kNone;
    const auto pointer = json::Pointer::parse(text.substr(1));
    const Ref there = pointer ? out_.set.find(*pointer) : kNone;
    if (there == kNone) return error(reference, "unknown-reference", "`" + text + "` leads nowhere in this document"), kNone;
    at = there;
  }
  error(document_.member(begin, "$ref"), "reference-loop", "this reference leads round in a circle");
  return kNone;
}

json::Ref ApiReader::member(Ref object, std::string_view name, json::Kind kind) {
  const Ref at = document_.member(object, name);
  if (at == kNone || document_.is(at, kind)) return at;
  error(at, "bad-openapi", "`" + std::string(name) + "` must be " + std::string(json::name(kind)) + ", not " + std::string(json::name(document_.kind(at))));
  return kNone;
}

std::string ApiReader::text(Ref object, std::string_view name) {
  const Ref at = member(object, name, json::Kind::String);
  return at == kNone ? std::string() : document_.text(at);
}

bool ApiReader::flag(Ref object, std::string_view name, bool fallback) {
  const Ref at = member(object, name, json::Kind::Bool);
  return at == kNone ? fallback : document_.raw(at) == "true";
}

// An object, with keys that the specification has for it. False: it is none; reported.
bool ApiReader::check_object(Ref at, std::string_view what, std::initializer_list<std::string_view> keys) {
  if (!document_.is(at, json::Kind::Object)) return error(at, "bad-openapi", std::string(what) + " must be an object, not " + std::string(json::name(document_.kind(at)))), false;
  for (Ref one = document_.first(at); one != kNone; one = document_.next(one)) {
    const std::string key = document_.member_name(one);
    if (key.starts_with("x-") || std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    const std::string_view near = diag::nearest(key, std::vector<std::string_view>(keys));
    not_held(one, "`" + key + "` is no key of " + std::string(what), near.empty() ? std::string() : "did you mean `" + std::string(near) + "`?");
  }
  return true;
}

void ApiReader::list_unheld(Ref object, std::initializer_list<std::string_view> names, std::string_view why) {
  for (const std::string_view name : names)
    if (const Ref at = document_.member(object, name); at != kNone) not_held(at, "`" + std::string(name) + "` is not looked at", std::string(why));
}

void ApiReader::run() {
  const Ref root = document_.root();
  check_object(root, "an OpenAPI document", {"openapi", "info", "jsonSchemaDialect", "servers", "paths", "webhooks", "components", "security", "tags", "externalDocs"});
  list_unheld(root, {"security"}, "who may call is for jwt, api-key and their like to say");
  list_unheld(root, {"webhooks", "jsonSchemaDialect"}, "");
  const Ref servers = document_.member(root, "servers");
  if (servers != kNone && base_path_.empty()) not_held(servers, "`servers` says nothing here: an upstream has its own place", "base_path: /v1, if paths of requests begin with it");
  const Ref paths = member(root, "paths", json::Kind::Object);
  if (paths == kNone) return not_held(root, "the document has no `paths`", "", false);
  for (Ref at = document_.first(paths); at != kNone; at = document_.next(at)) {
    const std::string path = document_.member_name(at);
    if (path.starts_with("x-")) continue;
    if (!path.starts_with('/')) error(at, "bad-openapi", "the path `" + path + "` does not begin with /");
    else path_item(path, at);
  }
}

void ApiReader::path_item(const std::string& path, Ref at) {
  // A segment is a parameter, or none.
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('/', 1), rest.size());
    const std::string_view segment = rest.substr(1, end - 1);
    const bool has_brace = segment.find_first_of("{}") != std::string_view::npos;
    if (has_brace && (!segment.starts_with('{') || segment.find_first_of("{}", 1) != segment.size() - 1)) return not_held(at, "`" + path + "` has a segment that is a parameter only in part: its operations are not known here", "such requests are for no operation");
    rest.remove_prefix(end);
  }
  const Ref item = resolved(at);
  if (item == kNone || !check_object(item, "a path", {"$ref", "summary", "description", "get", "put", "post", "delete", "options", "head", "patch", "trace", "servers", "parameters"})) return;
  list_unheld(item, {"servers"}, "");
  std::vector<ApiParameter> common;
  parameters(common, member(item, "parameters", json::Kind::Array));
  for (const std::string_view method : kMethods)
    if (const Ref one = member(item, method, json::Kind::Object); one != kNone) operation(path, method, one, common);
}

void ApiReader::operation(const std::string& path, std::string_view method, Ref at, const std::vector<ApiParameter>& common) {
  check_object(at, "an operation", {"tags", "summary", "description", "externalDocs", "operationId", "parameters", "requestBody", "responses", "callbacks", "deprecated", "security", "servers"});
  ApiOperation operation;
  operation.method = upper(method);
  operation.path = base_path_ + path;
  operation.span = out_.source.names[at];
  operation.id = text(at, "operationId");
  if (operation.id.empty()) operation.id = std::string(method) + path;
  for (char& c : operation.id)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.')) c = '-';
  parameters(operation.parameters, member(at, "parameters", json::Kind::Array));
  // What the path says holds but for what the operation says anew.
  for (const ApiParameter& one : common)
    if (std::none_of(operation.parameters.begin(), operation.parameters.end(), [&](const ApiParameter& own) { return own.in == one.in && own.name == one.name; })) operation.parameters.push_back(one);
  list_unheld(at, {"security"}, "who may call is for jwt, api-key and their like to say");
  list_unheld(at, {"callbacks", "servers"}, "");
  check_path(operation, at);
  if (const Ref said = document_.member(at, "requestBody"); said != kNone) {
    if (const Ref body = resolved(said); body != kNone && check_object(body, "a request's body", {"description", "content", "required"})) operation.body = ApiBody{flag(body, "required", false), media(member(body, "content", json::Kind::Object))};
  }
  if (const Ref map = member(at, "responses", json::Kind::Object); map != kNone) answers(operation, map);
  out_.operations.push_back(std::move(operation));
}

void ApiReader::check_path(const ApiOperation& operation, Ref at) {
  for (const ApiParameter& p : operation.parameters)
    if (p.in == ApiParameter::In::Path && operation.path.find("{" + p.name + "}") == std::string::npos) error(at, "bad-openapi", "the parameter `" + p.name + "` is not in the path `" + operation.path + "`");
}

void ApiReader::parameters(std::vector<ApiParameter>& out, Ref list) {
  if (list == kNone) return;
  for (Ref at = document_.first(list); at != kNone; at = document_.next(at))
    if (auto one = parameter(at)) out.push_back(std::move(*one));
}

std::optional<ApiParameter> ApiReader::parameter(Ref said) {
  const Ref at = resolved(said);
  if (at == kNone || !check_object(at, "a parameter", {"name", "in", "description", "required", "deprecated", "allowEmptyValue", "style", "explode", "allowReserved", "schema", "example", "examples", "content"})) return std::nullopt;
  ApiParameter out;
  out.name = text(at, "name");
  const std::string in = text(at, "in");
  constexpr ApiParameter::In kPlaces[] = {ApiParameter::In::Path, ApiParameter::In::Query, ApiParameter::In::Header, ApiParameter::In::Cookie};
  const auto place = std::find_if(std::begin(kPlaces), std::end(kPlaces), [&](ApiParameter::In p) { return name(p) == in; });
  if (out.name.empty() || place == std::end(kPlaces)) return error(at, "bad-openapi", "a parameter has a `name`, and `in: path`, query, header or cookie"), std::nullopt;
  out.in = *place;
  // The document speaks of these elsewhere (OpenAPI 3.0.3, Parameter Object).
  if (out.in == ApiParameter::In::Header && (iequals(out.name, "Accept") || iequals(out.name, "Content-Type") || iequals(out.name, "Authorization"))) return std::nullopt;
  out.required = flag(at, "required", false) || out.in == ApiParameter::In::Path;
  out.allows_empty = flag(at, "allowEmptyValue", false);
  if (!styled(out, at)) return std::nullopt;
  out.schema = schema_of(at, out);
  return out;
}

// The style, as far as it goes with the place (OpenAPI 3.1.0, Style Values).
bool ApiReader::styled(ApiParameter& out, Ref at) {
  using In = ApiParameter::In;
  using Style = ApiParameter::Style;
  constexpr struct {
    std::string_view name;
    Style style;
    bool path, query, header, cookie;
  } kStyles[] = {{"simple", Style::Simple, true, false, true, false}, {"label", Style::Label, true, false, false, false}, {"matrix", Style::Matrix, true, false, false, false}, {"form", Style::Form, false, true, false, true},
                 {"spaceDelimited", Style::Space, false, true, false, false}, {"pipeDelimited", Style::Pipe, false, true, false, false}, {"deepObject", Style::Deep, false, true, false, false}};
  const bool form = out.in == In::Query || out.in == In::Cookie;
  std::string said = text(at, "style");
  if (said.empty()) said = form ? "form" : "simple";
  for (const auto& known : kStyles) {
    if (known.name != said) continue;
    const bool fits = out.in == In::Path ? known.path : out.in == In::Query ? known.query : out.in == In::Header ? known.header : known.cookie;
    if (!fits) break;
    out.style = known.style;
    out.explode = flag(at, "explode", out.style == Style::Form);
    return true;
  }
  error(document_.member(at, "style"), "bad-openapi", "`" + said + "` is no style of a parameter in " + std::string(name(out.in)));
  return false;
}

std::int32_t ApiReader::schema_of(Ref at, ApiParameter& out) {
  if (const Ref own = document_.member(at, "schema"); own != kNone) return out_.set.compile(own);
  const Ref content = member(at, "content", json::Kind::Object);
  if (content == kNone) return schema::kNoSchema;
  const std::vector<ApiMedia> types = media(content);
  if (types.size() != 1) error(content, "bad-openapi", "`content` of a parameter has one media type");
  if (types.size() != 1 || types[0].kind != ApiMedia::Kind::Json) return schema::kNoSchema;
  out.is_json = true;
  return types[0].schema;
}

std::vector<ApiMedia> ApiReader::media(Ref content) {
  std::vector<ApiMedia> out;
  if (content == kNone) return out;
  for (Ref at = document_.first(content); at != kNone; at = document_.next(at)) {
    if (!check_object(at, "a media type", {"schema", "example", "examples", "encoding"})) continue;
    ApiMedia one;
    const std::string type = document_.member_name(at);
    one.range = to_lower(trim_ows(std::string_view(type).substr(0, type.find(';'))));
    const Ref own = document_.member(at, "schema");
    if (is_json_type(one.range)) one.kind = ApiMedia::Kind::Json;
    else if (one.range == "application/x-www-form-urlencoded") one.kind = ApiMedia::Kind::Form;
    else if (own != kNone && document_.size(own) > 0) not_held(at, "bodies of `" + one.range + "` are not looked at", "application/json, +json and application/x-www-form-urlencoded are");
    if (own != kNone) one.schema = out_.set.compile(own);
    if (one.kind == ApiMedia::Kind::Form) list_unheld(at, {"encoding"}, "each member is a text, a number, a boolean, or several of them");
    out.push_back(std::move(one));
  }
  return out;
}

void ApiReader::answers(ApiOperation& operation, Ref map) {
  for (Ref at = document_.first(map); at != kNone; at = document_.next(at)) {
    const std::string status = document_.member_name(at);
    if (!status.starts_with("x-")) answer(operation, status, at);
  }
  std::stable_sort(operation.answers.begin(), operation.answers.end(), [](const ApiAnswer& a, const ApiAnswer& b) { return a.high - a.low < b.high - b.low; });
}

void ApiReader::answer(ApiOperation& operation, const std::string& status, Ref member_at) {
  ApiAnswer out;
  std::uint64_t number = 0;
  if (status.size() == 3 && status[0] >= '1' && status[0] <= '5' && iequals(status.substr(1), "XX")) {
    out.low = static_cast<std::uint16_t>((status[0] - '0') * 100);
    out.high = static_cast<std::uint16_t>(out.low + 99);
  } else if (parse_decimal(status, number) && number >= 100 && number <= 599) {
    out.low = out.high = static_cast<std::uint16_t>(number);
  } else if (status != "default") {
    return error(member_at, "bad-openapi", "`" + status + "` is no status", "200, 2XX, default");
  }
  const Ref at = resolved(member_at);
  if (at == kNone || !check_object(at, "an answer", {"description", "headers", "content", "links"})) return;
  list_unheld(at, {"links"}, "");
  out.media = media(member(at, "content", json::Kind::Object));
  if (const Ref fields = member(at, "headers", json::Kind::Object); fields != kNone) {
    for (Ref one = document_.first(fields); one != kNone; one = document_.next(one)) {
      const Ref field = resolved(one);
      ApiParameter parameter;
      parameter.name = document_.member_name(one);
      if (field == kNone || iequals(parameter.name, "Content-Type") || !check_object(field, "a header", {"description", "required", "deprecated", "allowEmptyValue", "style", "explode", "allowReserved", "schema", "example", "examples", "content"})) continue;
      parameter.in = ApiParameter::In::Header;
      parameter.style = ApiParameter::Style::Simple;
      parameter.explode = flag(field, "explode", false);
      parameter.required = flag(field, "required", false);
      parameter.schema = schema_of(field, parameter);
      out.fields.push_back(std::move(parameter));
    }
  }
  operation.answers.push_back(std::move(out));
}

}  // namespace gatelab::policy
