// SPDX-License-Identifier: Apache-2.0
// Access logs, a line a request: combined or common (Apache, nginx), or a JSON object with the names that nginx, Caddy and
// gatelab itself use. Bodies are not in them.
#include <re2/re2.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "harness/match/json_text.h"
#include "harness/replay/import_parts.h"

namespace gatelab::harness {
namespace {

using Json = nlohmann::json;

// \" \\ and \x22, as both servers write them.
std::string unescaped(std::string_view text) {
  const auto hex = [](char c) { return c >= '0' && c <= '9' ? c - '0' : ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f' ? ascii_lower(c) - 'a' + 10 : -1; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) out += text[i];
    else if (text[i + 1] == 'x' && i + 3 < text.size() && hex(text[i + 2]) >= 0 && hex(text[i + 3]) >= 0) {
      out += static_cast<char>(hex(text[i + 2]) * 16 + hex(text[i + 3]));
      i += 3;
    } else out += text[++i];
  }
  return out;
}

// What such a request sent is not in a log, and most send something.
void set_body(RecordedRequest& request) {
  if (request.method != "POST" && request.method != "PUT" && request.method != "PATCH") return;
  request.body.size = 1;  // at least
  request.body.left_out = "not-recorded";
}

void set_size(RecordedAnswer& answer, std::uint64_t size) {
  if (size == 0) return;
  answer.body.size = std::min<std::uint64_t>(size, INT64_MAX);
  answer.body.left_out = "not-recorded";
}

void combined(Importing& in, std::string_view line, std::size_t begin) {
  static const RE2 pattern(R"re((?:\S+:\d+ )?(\S+) \S+ .*?\[([^\]]+)\] "((?:[^"\\]|\\.)*)" ([1-9]\d{2}|000) (\d+|-)(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)")?.*)re", RE2::Latin1);
  const std::size_t end = begin + line.size();
  std::string client, time, request, status, size, referer, agent;
  if (!RE2::FullMatch(re2::StringPiece(line.data(), line.size()), pattern, &client, &time, &request, &status, &size, &referer, &agent))
    return in.error(begin, end, "the line is not in the combined or common log format", "ADDRESS - USER [TIME] \"GET /path HTTP/1.1\" STATUS SIZE \"REFERER\" \"AGENT\"");
  RecordedExchange e;
  const auto began = parse_log_time(time);
  if (!began) return in.error(begin, end, "what stands in brackets is no time", "write it as 01/Jan/2026:00:00:00 +0000");
  e.began = *began;
  if (!take_request_line(unescaped(request), e.request)) return in.leave_out(begin, end, "the line is of something that was no request, and left out");
  set_body(e.request);
  e.answer.status = static_cast<std::uint16_t>(std::stoi(status));
  std::uint64_t octets = 0;
  if (parse_decimal(size, octets)) set_size(e.answer, octets);
  if (!agent.empty() && agent != "-") e.request.headers.emplace_back("User-Agent", unescaped(agent));
  if (!referer.empty() && referer != "-") e.request.headers.emplace_back("Referer", unescaped(referer));
  in.add(std::move(e), begin, end, "");
}

std::string first(const Json& json, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = json.find(name);
    if (found == json.end()) continue;
    if (found->is_string() && !found->get_ref<const std::string&>().empty() && *found != "-") return found->get<std::string>();
    if (found->is_number()) return found->dump();
  }
  return {};
}

std::optional<Instant> time_of(const Json& json) {
  const std::string text = first(json, {"time_iso8601", "@timestamp", "timestamp", "time", "ts", "began", "msec", "time_local"});
  if (const auto iso = parse_iso_time(text)) return iso;
  if (const auto log = parse_log_time(text)) return log;
  double seconds = 0;
  if (RE2::FullMatch(text, "(\\d{1,10}(?:\\.\\d{1,9})?)", &seconds) && seconds < 7e9) return Instant{static_cast<std::int64_t>(seconds * 1e3) * 1'000'000};
  return std::nullopt;
}

// gatelab's own line of what it could not read, or did not let in: there was no whole request. nginx has an empty one then.
bool is_no_request(const Json& json) {
  const std::string phase = first(json, {"phase"});
  if (first(json, {"by"}) == "gateway" && (phase == "accept" || phase == "handshake" || phase == "parse")) return true;
  const auto said = json.find("request");
  return said != json.end() && said->is_string() && first(json, {"request_method", "method", "verb"}).empty();
}

void json_line(Importing& in, std::string_view line, std::size_t begin) {
  const std::size_t end = begin + line.size();
  Json json = parse_json_text(line);
  if (!json.is_object()) return in.error(begin, end, is_nested_too_deep(line) ? "the line is nested too deep" : "the line is no JSON object", "take the line out");
  // Caddy has the request in an object of its own.
  if (const auto nested = json.find("request"); nested != json.end() && nested->is_object()) {
    const Json inner = *nested;
    json.erase("request");
    json.update(inner);
  }
  RecordedExchange e;
  const std::string request = first(json, {"request"});
  const bool whole = !request.empty() && take_request_line(request, e.request);
  if (!whole && is_no_request(json)) return in.leave_out(begin, end, "the line is of something that was no request, and left out");
  if (!whole) {
    e.request.method = first(json, {"request_method", "method", "verb"});
    e.request.target = first(json, {"request_uri", "uri", "target", "url", "path"});
  }
  if (e.request.method.empty() || e.request.target.empty()) return in.error(begin, end, "the line names no request", "it needs `request`, or `method` and `target` (or `request_method` and `request_uri`)");
  const auto began = time_of(json);
  if (!began) return in.error(begin, end, "the line has no time that is known", "it needs `time`, `timestamp`, `time_iso8601` or `msec`");
  e.began = *began;
  set_body(e.request);
  std::uint64_t status = 0, size = 0;
  if (parse_decimal(first(json, {"status", "status_code", "response_status"}), status) && status >= 100 && status <= 999) e.answer.status = static_cast<std::uint16_t>(status);
  if (parse_decimal(first(json, {"body_bytes_sent", "response_octets", "bytes", "bytes_sent", "size"}), size)) set_size(e.answer, size);
  if (std::string host = first(json, {"http_host", "host", "server_name"}); !host.empty()) e.request.headers.emplace_back("Host", std::move(host));
  if (std::string agent = first(json, {"http_user_agent", "user_agent"}); !agent.empty()) e.request.headers.emplace_back("User-Agent", std::move(agent));
  if (std::string referer = first(json, {"http_referer", "http_referrer", "referer"}); !referer.empty()) e.request.headers.emplace_back("Referer", std::move(referer));
  if (e.request.target.starts_with("http://") || e.request.target.starts_with("https://")) {
    const std::string url = e.request.target;
    if (!take_url(url, e)) return in.error(begin, end, "the target is no http or https URL", "it begins with / or is a whole URL");
  }
  in.add(std::move(e), begin, end, "");
}

}  // namespace

void import_log(Importing& in, TrafficKind kind) {
  const std::string_view all = in.source->text;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('\n', at), all.size());
    std::string_view line = all.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!trim_ows(line).empty()) {
      if (kind == TrafficKind::JsonLog) json_line(in, line, at);
      else combined(in, line, at);
    }
    at = end + 1;
  }
  in.tell_left_out();
}

}  // namespace gatelab::harness
