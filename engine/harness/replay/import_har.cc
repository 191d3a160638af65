// SPDX-License-Identifier: Apache-2.0
// HAR 1.2 as Chromium, Playwright and mitmproxy write it.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/text.h"
#include "harness/replay/import_parts.h"

namespace gatelab::harness {
namespace {

using Json = nlohmann::json;

// `of`: request or response.
void check_headers(Importing& in, const Json& json, const std::string& where, const char* of) {
  const Json& list = member(json, "headers");
  if (!list.is_null() && !list.is_array()) in.warning(0, 0, where + "`" + of + ".headers` is no list: none of them is taken", "export it again");
}

void har_status(Importing& in, const Json& status, const std::string& where, RecordedAnswer& out) {
  const std::int64_t code = status.is_number_integer() ? status.get<std::int64_t>() : INT64_MIN;
  if (code >= 100 && code <= 999) out.status = static_cast<std::uint16_t>(code);
  // The browser got no answer: 0, and -1 in some exports.
  if (code == 0 || code == -1) in.warning(0, 0, where + "there was no answer: `response.status` is " + std::to_string(code) + "; the request is taken alone", "nothing can be compared with it: record it again if there should be one");
  if ((code < 100 && code != 0 && code != -1) || code > 599)
    in.warning(0, 0, where + "`response.status` is no status that HTTP has" + (status.is_number() ? ": " + status.dump() : "") + (out.status == 0 ? "; the entry is taken without an answer" : ""), "one from 100 to 599");
}

// It must not be sent as if there were none.
RecordedBody unknown_body(std::size_t size) {
  RecordedBody out;
  out.size = std::max<std::size_t>(1, size);
  out.left_out = "not-recorded";
  return out;
}

RecordedBody har_body(Importing& in, std::string text, const std::string& encoding, const std::string& what) {
  if (encoding.empty()) return body_from(std::move(text));
  if (auto octets = encoding == "base64" ? base64_decode(text) : std::nullopt) return body_from(std::move(*octets));
  in.warning(0, 0, what + (encoding == "base64" ? " is not the base64 that its `encoding` says" : " has an `encoding` that is not known") + ": the body is left out", "export it again");
  return unknown_body(text.size());
}

// The text, or the fields of a form.
RecordedBody har_content(Importing& in, const Json& post, const std::string& where) {
  const std::string text = text_of(post, "text"), type = text_of(post, "mimeType");
  const Json& params = member(post, "params");
  if (!text.empty() || !params.is_array() || params.empty()) return har_body(in, text, text_of(post, "encoding"), where + "`request.postData`");
  if (!iequals(std::string_view(type).substr(0, 10), "multipart/")) return body_from(form_of(params, "name"));
  in.warning(0, 0, where + "the parts of a multipart form are listed, and not what was sent: the body is left out", "export it with `postData.text`");
  return unknown_body(1);
}

void har_answer(Importing& in, const Json& json, const std::string& where, RecordedAnswer& out) {
  if (!json.is_object()) return in.warning(0, 0, where + "there is no `response`: the request is taken alone", "export it again if there was one");
  const Json &content = member(json, "content"), &size = member(content, "size");
  har_status(in, member(json, "status"), where, out);
  check_headers(in, json, where, "response");
  out.headers = header_list(member(json, "headers"), "name");
  // The content is decoded and its framing undone.
  std::erase_if(out.headers, [](const auto& h) { return iequals(h.first, "content-encoding") || iequals(h.first, "transfer-encoding") || iequals(h.first, "content-length"); });
  std::string octets = text_of(content, "text");
  // Browsers follow a redirect and keep nothing of its body: that there is none in the file does not say that none came.
  const bool followed = octets.empty() && (out.status == 301 || out.status == 302 || out.status == 303 || out.status == 307 || out.status == 308);
  if (member(content, "text").is_string() && !followed) {
    out.body = har_body(in, std::move(octets), text_of(content, "encoding"), where + "`response.content`");
  } else if (followed || (size.is_number_integer() && size > 0)) {
    if (size.is_number_integer() && size > 0) out.body.size = std::min<std::uint64_t>(size.get<std::uint64_t>(), INT64_MAX);
    out.body.left_out = "not-recorded";
  }
}

void har_entry(Importing& in, const Json& entry, std::size_t index) {
  const std::string where = "log.entries[" + std::to_string(index) + "]: ";
  const Json& request = member(entry, "request");
  RecordedExchange e;
  const std::string url = text_of(request, "url");
  for (const std::string_view other : {"data:", "blob:", "ws:", "wss:", "chrome-extension:", "about:", "file:"})
    if (url.starts_with(other)) return in.warning(0, 0, where + "`" + std::string(other) + "` is no HTTP request and left out", "nothing is to be done");
  e.request.method = text_of(request, "method");
  e.request.headers = header_list(member(request, "headers"), "name");
  std::erase_if(e.request.headers, [](const auto& h) { return h.first.starts_with(':'); });
  if (!take_url(url, e)) return in.error(0, 0, where + "`request.url` is no http or https URL", "export it again, or take the entry out");
  const auto began = parse_iso_time(text_of(entry, "startedDateTime"));
  if (!began) return in.error(0, 0, where + "`startedDateTime` is no time", "write it as 2026-01-01T00:00:00.000Z");
  e.began = *began;
  const Json& time = member(entry, "time");
  if (time.is_number() && time > 0 && time < 1e9) e.took = Duration(static_cast<std::int64_t>(time.get<double>() * 1e6));
  const Json& post = member(request, "postData");
  e.request.body = har_content(in, post, where);
  check_headers(in, request, where, "request");
  har_answer(in, member(entry, "response"), where, e.answer);
  in.add(std::move(e), 0, 0, where);
}

}  // namespace

void import_har(Importing& in) {
  const Json json = parse_json(in);
  if (json.is_null()) return;
  const Json& entries = member(member(json, "log"), "entries");
  if (!entries.is_array()) return in.error(0, 0, "the JSON has no list `log.entries`, so it is no HAR", "gatelab imports HAR 1.2, Postman v2.1, access logs and curl commands");
  for (std::size_t i = 0; i < entries.size(); ++i) har_entry(in, entries[i], i);
  std::stable_sort(in.out.begin(), in.out.end(), [](const auto& a, const auto& b) { return a.began < b.began; });
}

}  // namespace gatelab::harness
