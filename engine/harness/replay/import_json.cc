// SPDX-License-Identifier: Apache-2.0
// HAR 1.2 as Chromium, Playwright and mitmproxy write it, and Postman collections v2.1.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/text.h"
#include "harness/replay/import_parts.h"
#include "harness/replay/request.h"
#include "http/chars.h"

namespace gatelab::harness {
namespace {

using Json = nlohmann::json;

// Null after an error with the place where it stops being JSON.
Json parse(Importing& in) {
  const std::string& text = in.source->text;
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& e) {
    const std::size_t at = std::min(e.byte == 0 ? 0 : e.byte - 1, text.size());
    in.error(at, std::min(at + 1, text.size()), "the file is no JSON from here on", "export it again; it may have been cut off");
  } catch (const Json::exception&) {
    in.error(0, 0, "the file holds a number that is too large", "export it again");
  }
  return nullptr;
}

const Json& at(const Json& json, const char* name) {
  static const Json none;
  if (!json.is_object()) return none;
  const auto found = json.find(name);
  return found == json.end() ? none : *found;
}

std::string text(const Json& json, const char* name) {
  const Json& found = at(json, name);
  return found.is_string() ? found.get<std::string>() : std::string();
}

RecordedHeaders headers(const Json& list, const char* name) {
  RecordedHeaders out;
  if (list.is_array())
    for (const Json& h : list)
      if (!at(h, "disabled").is_boolean() || !at(h, "disabled").get<bool>()) out.emplace_back(text(h, name), text(h, "value"));
  return out;
}

// application/x-www-form-urlencoded keeps a tilde no more than a space.
std::string form(const Json& params, const char* name) {
  const auto encode = [](std::string& out, const std::string& s) { append_percent_encoded(out, s, [](char c) { return c == '*' || (http::is(c, http::kUnreserved) && c != '~'); }); };
  std::string out;
  if (params.is_array())
    for (const Json& p : params) {
      if (!out.empty()) out += '&';
      encode(out, text(p, name));
      out += '=';
      encode(out, text(p, "value"));
    }
  return out;
}

// `of`: request or response.
void check_headers(Importing& in, const Json& json, const std::string& where, const char* of) {
  const Json& list = at(json, "headers");
  if (!list.is_null() && !list.is_array()) in.warning(0, 0, where + "`" + of + ".headers` is no list: none of them is taken", "export it again");
}

void har_status(Importing& in, const Json& status, const std::string& where, RecordedAnswer& out) {
  const std::int64_t code = status.is_number_integer() ? status.get<std::int64_t>() : INT64_MIN;
  if (code >= 100 && code <= 999) out.status = static_cast<std::uint16_t>(code);
  // The browser got no answer: 0, and -1 in some exports.
  if (code == 0 || code == -1) in.warning(0, 0, where + "there was no answer: `response.status` is " + std::to_string(code) + "; the request is taken alone", "nothing can be compared with it: record it again if there should be one");
  if ((code < 100 && code != 0 && code != -1) || code > 599)
    in.warning(0, 0, where + "`response.status` is no status that HTTP has: " + status.dump(-1, ' ', true, Json::error_handler_t::replace) + (out.status == 0 ? "; the entry is taken without an answer" : ""), "one from 100 to 599");
}

void har_answer(Importing& in, const Json& json, const std::string& where, RecordedAnswer& out) {
  if (!json.is_object()) return in.warning(0, 0, where + "there is no `response`: the request is taken alone", "export it again if there was one");
  const Json &content = at(json, "content"), &size = at(content, "size");
  har_status(in, at(json, "status"), where, out);
  check_headers(in, json, where, "response");
  out.headers = headers(at(json, "headers"), "name");
  // The content is decoded and its framing undone.
  std::erase_if(out.headers, [](const auto& h) { return iequals(h.first, "content-encoding") || iequals(h.first, "transfer-encoding") || iequals(h.first, "content-length"); });
  std::string octets = text(content, "text");
  // Browsers follow a redirect and keep nothing of its body: that there is none in the file does not say that none came.
  const bool followed = octets.empty() && (out.status == 301 || out.status == 302 || out.status == 303 || out.status == 307 || out.status == 308);
  if (at(content, "text").is_string() && !followed) {
    if (text(content, "encoding") == "base64") octets = base64_decode(octets).value_or(std::string());
    out.body = body_from(std::move(octets));
  } else if (followed || (size.is_number_integer() && size > 0)) {
    if (size.is_number_integer() && size > 0) out.body.size = size.get<std::uint64_t>();
    out.body.left_out = "not-recorded";
  }
}

void har_entry(Importing& in, const Json& entry, std::size_t index) {
  const std::string where = "log.entries[" + std::to_string(index) + "]: ";
  const Json& request = at(entry, "request");
  RecordedExchange e;
  const std::string url = text(request, "url");
  for (const std::string_view other : {"data:", "blob:", "ws:", "wss:", "chrome-extension:", "about:", "file:"})
    if (url.starts_with(other)) return in.warning(0, 0, where + "`" + std::string(other) + "` is no HTTP request and left out", "nothing is to be done");
  e.request.method = text(request, "method");
  e.request.headers = headers(at(request, "headers"), "name");
  std::erase_if(e.request.headers, [](const auto& h) { return h.first.starts_with(':'); });
  if (!take_url(url, e)) return in.error(0, 0, where + "`request.url` is no http or https URL: `" + shown_target(url) + "`", "export it again, or take the entry out");
  const auto began = parse_iso_time(text(entry, "startedDateTime"));
  if (!began) return in.error(0, 0, where + "`startedDateTime` is no time: `" + text(entry, "startedDateTime") + "`", "write it as 2026-01-01T00:00:00.000Z");
  e.began = *began;
  const Json& time = at(entry, "time");
  if (time.is_number() && time > 0 && time < 1e9) e.took = Duration(static_cast<std::int64_t>(time.get<double>() * 1e6));
  const Json& post = at(request, "postData");
  std::string body = text(post, "text");
  if (body.empty()) body = form(at(post, "params"), "name");
  if (text(post, "encoding") == "base64") body = base64_decode(body).value_or(std::string());
  e.request.body = body_from(std::move(body));
  check_headers(in, request, where, "request");
  har_answer(in, at(entry, "response"), where, e.answer);
  in.add(std::move(e), 0, 0, where);
}

void postman_request(Importing& in, const Json& item, const std::string& where) {
  const Json &request = at(item, "request"), &url = at(request, "url"), &body = at(request, "body");
  RecordedExchange e;
  e.request.method = request.is_string() ? "GET" : text(request, "method");
  if (e.request.method.empty()) e.request.method = "GET";
  e.request.headers = headers(at(request, "header"), "key");
  const std::string raw = request.is_string() ? request.get<std::string>() : url.is_string() ? url.get<std::string>() : text(url, "raw");
  if (raw.find("{{") != std::string::npos) return in.error(0, 0, where + "`" + shown_target(raw) + "` has a variable", "export the collection with its variables resolved, or put their values in");
  if (!take_url(raw.find("://") == std::string::npos ? "http://" + raw : raw, e)) return in.error(0, 0, where + "`" + shown_target(raw) + "` is no http or https URL", "write the whole URL");
  const std::string mode = text(body, "mode");
  if (mode == "raw") e.request.body = body_from(text(body, "raw"));
  else if (mode == "urlencoded") e.request.body = body_from(form(at(body, "urlencoded"), "key"));
  else if (!mode.empty()) return in.error(0, 0, where + "a body of the mode `" + mode + "` can't be imported", "use raw or urlencoded");
  in.add(std::move(e), 0, 0, where);
}

}  // namespace

void import_har(Importing& in) {
  const Json json = parse(in);
  if (json.is_null()) return;
  const Json& entries = at(at(json, "log"), "entries");
  if (!entries.is_array()) return in.error(0, 0, "the JSON has no list `log.entries`, so it is no HAR", "gatelab imports HAR 1.2, Postman v2.1, access logs and curl commands");
  for (std::size_t i = 0; i < entries.size(); ++i) har_entry(in, entries[i], i);
  std::stable_sort(in.out.begin(), in.out.end(), [](const auto& a, const auto& b) { return a.began < b.began; });
}

void import_postman(Importing& in) {
  const Json json = parse(in);
  // Folders in each other, without recursion: a stranger chooses the depth.
  struct Level { const Json* items; std::size_t next; std::string where; };
  std::vector<Level> open;
  if (at(json, "item").is_array()) open.push_back({&at(json, "item"), 0, ""});
  while (!open.empty()) {
    if (open.size() > 32) return in.error(0, 0, "folders lie more than 32 deep in each other", "export a part of the collection");
    Level& level = open.back();
    if (level.next == level.items->size()) {
      open.pop_back();
      continue;
    }
    const Json& item = (*level.items)[level.next++];
    std::string where = level.where + text(item, "name");
    if (at(item, "item").is_array()) open.push_back({&at(item, "item"), 0, where + " / "});
    else postman_request(in, item, where + ": ");
  }
}

}  // namespace gatelab::harness
