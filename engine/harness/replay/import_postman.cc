// SPDX-License-Identifier: Apache-2.0
// Postman collections v2.1: requests in their folders, with the collection's variables put in, and the credentials that a
// request, its folder or the collection says.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/base64.h"
#include "base/text.h"
#include "harness/match/json_text.h"
#include "harness/replay/import_parts.h"
#include "harness/replay/request.h"
#include "http/chars.h"

namespace gatelab::harness {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostFolders = 32, kMostInEachOther = 8, kMostPutIn = 1'000'000, kMostResolved = std::size_t{64} << 20;  // the last two of a whole collection
constexpr std::string_view kOfNames = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$-";

std::string listed(const std::set<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

class Collection {
 public:
  explicit Collection(Importing& in) : in_(in) {}
  void import(const Json& json);

 private:
  void request(const Json& item, const std::string& where, const Json* auth);
  bool url(const Json& request, const std::string& where, RecordedExchange& e);
  bool body(const Json& json, const std::string& where, RecordedRequest& out);
  void authorize(const Json& auth, const std::string& where, RecordedRequest& out);
  void authorize(std::string value, RecordedRequest& out) {
    if (!has_header(out.headers, "authorization")) out.headers.emplace_back("Authorization", std::move(value));
  }
  void graphql(const Json& json, const std::string& where, RecordedRequest& out);
  void know(const Json& variables, std::map<std::string, std::string>& out);
  void set_body(std::string octets, const std::string& type, RecordedRequest& out);
  // With the variables' values; names without one are in missing_.
  std::string resolved(std::string_view text);
  void resolve(std::string_view text, std::size_t depth, std::string& out);
  RecordedHeaders resolved(RecordedHeaders pairs);
  Importing& in_;
  std::map<std::string, std::string> variables_;
  std::set<std::string> missing_;
  std::size_t put_in_ = 0, resolved_ = 0;  // values, and their octets, in all of the collection
};

void Collection::resolve(std::string_view text, std::size_t depth, std::string& out) {
  for (;;) {
    const std::size_t begin = text.find("{{"), end = begin == std::string_view::npos ? begin : text.find("}}", begin);
    if (end == std::string_view::npos) break;
    const std::string name(trim_ows(text.substr(begin + 2, end - begin - 2)));
    const auto known = variables_.find(name);
    // A value may name others: as deep as anybody means it, and no longer than anybody could have typed.
    const bool fits = known != variables_.end() && depth < kMostInEachOther && put_in_ < kMostPutIn && resolved_ + known->second.size() <= kMostResolved;
    out += text.substr(0, fits ? begin : end + 2);
    text.remove_prefix(end + 2);
    if (fits) {
      ++put_in_;
      resolved_ += known->second.size();
      resolve(known->second, depth + 1, out);
    } else {
      // What stands between braces may be anything.
      const bool is_name = !name.empty() && name.size() <= 64 && name.find_first_not_of(kOfNames) == std::string::npos;
      missing_.insert(is_name ? "`{{" + name + "}}`" : "one that is no plain word");
    }
  }
  out += text;
}

std::string Collection::resolved(std::string_view text) {
  std::string out;
  resolve(text, 0, out);
  return out;
}

RecordedHeaders Collection::resolved(RecordedHeaders pairs) {
  for (auto& [name, value] : pairs) {
    name = resolved(name);
    value = resolved(value);
  }
  return pairs;
}

// A list of pairs, or a text of lines.
RecordedHeaders headers_of(const Json& json) {
  if (!json.is_string()) return header_list(json, "key");
  RecordedHeaders out;
  std::string_view rest = json.get_ref<const std::string&>();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size()), colon = rest.substr(0, end).find(':');
    if (colon != std::string_view::npos) out.emplace_back(rest.substr(0, colon), trim_ows(rest.substr(colon + 1, end - colon - 1)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (auto& [name, value] : out)
    if (value.ends_with('\r')) value.pop_back();
  return out;
}

// https://shop.test/items/:id has its values beside it.
std::string with_path_variables(const std::string& url, const RecordedHeaders& values, std::set<std::string>& missing) {
  const std::size_t path = url.find('/', url.find("://") + 3), end = std::min(url.find_first_of("?#"), url.size());
  if (path >= end) return url;
  std::string out = url.substr(0, path);
  for (std::size_t at = path; at < end;) {
    const std::size_t next = std::min(url.find('/', at + 1), end);
    const std::string segment = url.substr(at + 1, next - at - 1);
    const auto known = segment.starts_with(':') ? std::find_if(values.begin(), values.end(), [&segment](const auto& v) { return segment.compare(1, std::string::npos, v.first) == 0; }) : values.end();
    out += '/';
    // Nobody means /: or an empty segment.
    if (segment.size() > 1 && segment.front() == ':' && (known == values.end() || known->second.empty())) missing.insert("`" + segment + "`");
    if (known == values.end()) out += segment;
    else append_percent_encoded(out, known->second, [](char c) { return http::is(c, http::kUnreserved) || std::string_view("!$&'()*+,;=:@%").find(c) != std::string_view::npos; });
    at = next;
  }
  return out + url.substr(end);
}

bool Collection::url(const Json& request, const std::string& where, RecordedExchange& e) {
  const Json& url = member(request, "url");
  std::string raw = resolved(request.is_string() ? request.get<std::string>() : url.is_string() ? url.get<std::string>() : text_of(url, "raw"));
  if (!missing_.empty()) return in_.error(0, 0, where + "the URL has a variable that has no value in the collection: " + listed(missing_), "give it one there, or put the value in"), false;
  if (raw.find("://") == std::string::npos) raw = "http://" + raw;
  // A text alone has no place for their values.
  if (url.is_object()) raw = with_path_variables(raw, resolved(header_list(member(url, "variable"), "key")), missing_);
  if (!missing_.empty()) return in_.error(0, 0, where + "the path has a variable without a value: " + listed(missing_), "give it one beside the URL"), false;
  if (!take_url(raw, e)) return in_.error(0, 0, where + "the URL is no http or https URL", "write the whole URL"), false;
  return true;
}

void Collection::set_body(std::string octets, const std::string& type, RecordedRequest& out) {
  if (!type.empty() && !has_header(out.headers, "content-type")) out.headers.emplace_back("Content-Type", type);
  out.body = body_from(std::move(octets));
}

void Collection::graphql(const Json& json, const std::string& where, RecordedRequest& out) {
  Json content{{"query", resolved(text_of(json, "query"))}};
  if (const std::string name = resolved(text_of(json, "operationName")); !name.empty()) content["operationName"] = name;
  const Json& said = member(json, "variables");
  const std::string text = resolved(said.is_string() ? said.get<std::string>() : std::string());
  const Json variables = said.is_string() ? parse_json_text(text) : said;
  if (variables.is_object()) content["variables"] = variables;
  else if (!trim_ows(text).empty() || (!said.is_null() && !said.is_string())) in_.warning(0, 0, where + "`graphql.variables` is no JSON object: the query is taken without it", "write it as JSON");
  set_body(content.dump(-1, ' ', false, Json::error_handler_t::replace), "application/json", out);
}

bool Collection::body(const Json& json, const std::string& where, RecordedRequest& out) {
  const std::string mode = text_of(json, "mode");
  const Json& disabled = member(json, "disabled");
  if (mode.empty() || (disabled.is_boolean() && disabled.get<bool>())) return true;
  if (const Json& form = member(json, "urlencoded"); mode == "urlencoded") return set_body(form.is_string() ? resolved(form.get<std::string>()) : form_of(resolved(header_list(form, "key"))), "application/x-www-form-urlencoded", out), true;
  if (mode == "graphql") return graphql(member(json, "graphql"), where, out), true;
  if (mode != "raw") return in_.error(0, 0, where + "a body that is neither `raw`, `urlencoded` nor `graphql` can't be imported", "use one of these"), false;
  static const std::map<std::string, std::string> kTypes{{"json", "application/json"}, {"xml", "application/xml"}, {"html", "text/html"}, {"javascript", "application/javascript"}, {"text", "text/plain"}};
  const auto type = kTypes.find(text_of(member(member(json, "options"), "raw"), "language"));
  set_body(resolved(text_of(json, "raw")), type == kTypes.end() ? "" : type->second, out);
  return true;
}

// v2.1 has a list of pairs, v2.0 an object.
std::map<std::string, std::string> parameters(const Json& json) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : header_list(json, "key")) out[name] = value;
  if (json.is_object())
    for (const auto& [name, value] : json.items()) out[name] = value.is_string() ? value.get<std::string>() : std::string();
  return out;
}

void Collection::authorize(const Json& auth, const std::string& where, RecordedRequest& out) {
  const std::string kind = text_of(auth, "type");
  if (kind.empty() || kind == "noauth") return;
  std::map<std::string, std::string> said = parameters(member(auth, kind.c_str()));
  for (auto& [name, value] : said) value = resolved(value);
  for (const char* of_secret : {"password", "token", "value", "accessToken"}) in_.known.values.push_back(said[of_secret]);
  const auto add = [&](const std::string& name, const std::string& value, bool in_query) {
    in_.known.headers.insert(to_lower(name));
    in_.known.parameters.insert(name);
    if (in_query) out.target += (out.target.find('?') == std::string::npos ? "?" : "&") + form_of({{name, value}});
    else if (!has_header(out.headers, name)) out.headers.emplace_back(name, value);
  };
  if (kind == "basic") return authorize("Basic " + base64_encode(said["username"] + ":" + said["password"]), out);
  if (kind == "bearer") return authorize("Bearer " + said["token"], out);
  if (kind == "apikey") return add(said["key"], said["value"], said["in"] == "query");
  if (kind == "oauth2" && !said["accessToken"].empty()) {
    if (said["addTokenTo"] == "queryParams") return add("access_token", said["accessToken"], true);
    const std::string prefix(trim_ows(said["headerPrefix"]));
    return authorize((prefix.empty() ? "Bearer" : prefix) + " " + said["accessToken"], out);
  }
  in_.warning(0, 0, where + "its `auth` is of a kind that is computed when it is sent: the request is taken without it", "basic, bearer, apikey and oauth2 with its token are imported");
}

void Collection::request(const Json& item, const std::string& where, const Json* auth) {
  const Json& request = member(item, "request");
  missing_.clear();
  RecordedExchange e;
  e.request.method = request.is_string() ? "GET" : text_of(request, "method");
  if (e.request.method.empty()) e.request.method = "GET";
  e.request.headers = resolved(headers_of(member(request, "header")));
  // Without a value in the URL nothing can be sent; elsewhere it is warned of.
  std::set<std::string> missing = std::exchange(missing_, {});
  if (!url(request, where, e)) return;
  missing_ = std::move(missing);
  if (!body(member(request, "body"), where, e.request)) return;
  if (const Json& own = member(request, "auth"); own.is_object()) auth = &own;
  if (auth != nullptr) authorize(*auth, where, e.request);
  if (!missing_.empty()) in_.warning(0, 0, where + "these have no value in the collection and are sent as they stand: " + listed(missing_), "give them one there, or put the values in");
  in_.add(std::move(e), 0, 0, where);
}

void Collection::know(const Json& variables, std::map<std::string, std::string>& out) {
  if (!variables.is_array()) return;
  for (const Json& one : variables) {
    const Json &value = member(one, "value"), &disabled = member(one, "disabled");
    if (disabled.is_boolean() && disabled.get<bool>()) continue;
    const std::string text = value.is_string() ? value.get<std::string>() : value.is_primitive() && !value.is_null() ? value.dump() : std::string();
    out[text_of(one, "key")] = text;
    if (text_of(one, "type") == "secret") in_.known.values.push_back(text);
  }
}

void Collection::import(const Json& json) {
  know(member(json, "variable"), variables_);
  // Folders in each other, without recursion: a stranger chooses the depth.
  struct Level { const Json* items; std::size_t next; std::string where; const Json* auth; };
  const auto auth_of = [](const Json& of, const Json* outer) { return member(of, "auth").is_object() ? &member(of, "auth") : outer; };
  std::vector<Level> open;
  if (member(json, "item").is_array()) open.push_back({&member(json, "item"), 0, "", auth_of(json, nullptr)});
  while (!open.empty()) {
    if (open.size() > kMostFolders) return in_.error(0, 0, "folders lie more than 32 deep in each other", "export a part of the collection");
    Level& level = open.back();
    if (level.next == level.items->size()) {
      open.pop_back();
      continue;
    }
    const Json& item = (*level.items)[level.next++];
    // Postman names a request after its URL.
    const std::string where = level.where + shown_target(text_of(item, "name"));
    if (member(item, "item").is_array()) open.push_back({&member(item, "item"), 0, where + " / ", auth_of(item, level.auth)});
    else request(item, where + ": ", level.auth);
  }
}

}  // namespace

void import_postman(Importing& in) { Collection(in).import(parse_json(in)); }

}  // namespace gatelab::harness
