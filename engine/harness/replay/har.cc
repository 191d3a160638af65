// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/har.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/arena.h"
#include "base/base64.h"
#include "base/text.h"
#include "base/units.h"
#include "harness/replay/content.h"
#include "http/uri.h"

namespace gatelab::harness {
namespace {

using Json = nlohmann::ordered_json;

std::string_view header_of(const RecordedHeaders& headers, std::string_view name) {
  for (const auto& [n, value] : headers)
    if (iequals(n, name)) return value;
  return {};
}

Json pairs(const RecordedHeaders& headers) {
  Json out = Json::array();
  for (const auto& [name, value] : headers) out.push_back({{"name", name}, {"value", value}});
  return out;
}

Json query_of(std::string_view target) {
  Json out = Json::array();
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return out;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    Arena arena;
    out.push_back({{"name", http::decode_query(pair.substr(0, equals), arena)}, {"value", http::decode_query(pair.substr(std::min(equals + 1, pair.size())), arena)}});
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

bool is_text(const std::string& octets) {
  if (octets.find('\0') != std::string::npos) return false;
  try {
    static_cast<void>(Json(octets).dump());
    return true;
  } catch (const Json::exception&) {  // no UTF-8
    return false;
  }
}

std::string type_of(const RecordedHeaders& headers) {
  const std::string_view type = header_of(headers, "content-type");
  return type.empty() ? "application/octet-stream" : std::string(type);
}

std::int64_t signed_size(const RecordedBody& body) { return static_cast<std::int64_t>(std::min<std::uint64_t>(body.size, INT64_MAX)); }

// Readers take the content for decoded: what is in a coding that can't be undone is not given to them.
Json content_of(const RecordedAnswer& answer) {
  const std::string_view encoding = header_of(answer.headers, "content-encoding");
  const bool coded = !encoding.empty() && !iequals(encoding, "identity");
  const auto undone = coded && answer.body.octets ? uncoded(answer.headers, *answer.body.octets) : std::nullopt;
  Json out{{"size", undone ? static_cast<std::int64_t>(undone->size()) : signed_size(answer.body)}, {"mimeType", type_of(answer.headers)}};
  if (!answer.body.octets || (coded && !undone)) {
    if (answer.body.size > 0) out["comment"] = answer.body.left_out.empty() ? "compressed" : answer.body.left_out;
    return out;
  }
  const std::string& octets = undone ? *undone : *answer.body.octets;
  const bool text = is_text(octets);
  out["text"] = text ? octets : base64_encode(octets);
  if (!text) out["encoding"] = "base64";
  return out;
}

double milliseconds(Duration d) { return static_cast<double>(d.count() / 1000) / 1000; }

}  // namespace

std::string har_begin(const std::string& version) { return "{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"gatelab\",\"version\":" + Json(version).dump() + "},\"entries\":[\n"; }
std::string har_end() { return "\n]}}\n"; }

std::string har_entry(const RecordedExchange& e) {
  const std::string host(header_of(e.request.headers, "host"));
  const bool absolute = e.request.target.find("://") < e.request.target.find('/');
  const std::string version = "HTTP/" + e.request.version;
  Json request{{"method", e.request.method}, {"url", absolute ? e.request.target : e.scheme + "://" + host + e.request.target}, {"httpVersion", version}, {"cookies", Json::array()},
               {"headers", pairs(e.request.headers)}, {"queryString", query_of(e.request.target)}, {"headersSize", -1}, {"bodySize", signed_size(e.request.body)}};
  if (e.request.body.octets && is_text(*e.request.body.octets)) request["postData"] = {{"mimeType", type_of(e.request.headers)}, {"text", *e.request.body.octets}};
  else if (e.request.body.size > 0) request["postData"] = {{"mimeType", type_of(e.request.headers)}, {"text", ""}, {"comment", e.request.body.octets ? "binary" : e.request.body.left_out}};
  const Json response{{"status", e.answer.status}, {"statusText", ""}, {"httpVersion", version}, {"cookies", Json::array()}, {"headers", pairs(e.answer.headers)},
                      {"content", content_of(e.answer)}, {"redirectURL", header_of(e.answer.headers, "location")}, {"headersSize", -1}, {"bodySize", signed_size(e.answer.body)}};
  const double took = milliseconds(e.took);
  const Json entry{{"startedDateTime", format(e.began)}, {"time", took}, {"request", request}, {"response", response}, {"cache", Json::object()},
                   {"timings", {{"send", 0}, {"wait", took}, {"receive", 0}}}, {"comment", e.id}};
  return entry.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gatelab::harness
