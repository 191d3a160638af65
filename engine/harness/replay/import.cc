// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/import.h"

#include <re2/re2.h>

#include <algorithm>
#include <chrono>

#include "base/base64.h"
#include "base/text.h"
#include "harness/replay/import_parts.h"
#include "harness/replay/request.h"
#include "http/fields.h"
#include "http/uri.h"

namespace gatelab::harness {
namespace {

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

std::optional<Instant> instant_of(int y, unsigned mo, unsigned d, int h, int mi, int s, int offset_minutes) {
  const std::chrono::year_month_day day{std::chrono::year(y), std::chrono::month(mo), std::chrono::day(d)};
  if (!day.ok() || y < 1970 || y > 2200 || h > 23 || mi > 59 || s > 60) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  return Instant::from_seconds(days * 86'400 + h * 3600 + (mi - offset_minutes) * 60 + s);
}

int offset_of(std::string_view text) {  // Z, +01:00, -0700
  if (text.size() < 5) return 0;
  const auto digit = [&text](std::size_t i) { return text[i] - '0'; };
  const std::size_t minutes = text.size() == 6 ? 4 : 3;
  const int value = (digit(1) * 10 + digit(2)) * 60 + digit(minutes) * 10 + digit(minutes + 1);
  return text.front() == '-' ? -value : value;
}

}  // namespace

std::string_view name_of(TrafficKind kind) {
  switch (kind) {
    case TrafficKind::Recording: return "recording";
    case TrafficKind::Har: return "HAR";
    case TrafficKind::Postman: return "Postman collection";
    case TrafficKind::CombinedLog: return "access log";
    case TrafficKind::JsonLog: return "JSON access log";
    case TrafficKind::Curl: return "curl commands";
  }
  return "";
}

TrafficKind kind_of_traffic(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  text.remove_prefix(begin);
  const std::string_view line = text.substr(0, text.find('\n'));
  if (line.starts_with("{\"gatelab\"")) return TrafficKind::Recording;
  if (line.starts_with("curl ") || line.starts_with("#") || line.starts_with("$ curl")) return TrafficKind::Curl;
  if (!text.starts_with('{')) return TrafficKind::CombinedLog;
  static const RE2 whole_line("^\\{.*\\}\\s*$");
  static const RE2 har("^\\{\\s*\"log\"\\s*:\\s*\\{");
  if (RE2::PartialMatch(piece(text.substr(0, 4096)), har)) return TrafficKind::Har;
  if (text.find("\"item\"") != std::string_view::npos && text.find("schema.getpostman.com") != std::string_view::npos) return TrafficKind::Postman;
  return RE2::FullMatch(piece(line), whole_line) ? TrafficKind::JsonLog : TrafficKind::Har;
}

// Its secrets have not been looked for yet: neither the line nor the value is shown, only where it stands and what it is.
void Importing::report(diag::Severity severity, std::size_t begin, std::size_t end, std::string message, std::string hint) {
  diag::Diagnostic told{severity, "import", std::move(message), {source, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)}, {}, {}, std::move(hint)};
  told.quoted = false;
  sink.report(std::move(told));
}

void Importing::error(std::size_t begin, std::size_t end, std::string message, std::string hint) {
  report(diag::Severity::Error, begin, end, std::move(message), std::move(hint));
}

void Importing::warning(std::size_t begin, std::size_t end, std::string message, std::string hint) {
  report(diag::Severity::Warning, begin, end, std::move(message), std::move(hint));
}

void Importing::leave_out(std::size_t begin, std::size_t end, std::string what) {
  if (left_out.count++ == 0) left_out = {1, begin, end, std::move(what)};
}

void Importing::tell_left_out() {
  if (left_out.count == 0) return;
  const std::string more = left_out.count == 1 ? "" : ", and " + std::to_string(left_out.count - 1) + (left_out.count == 2 ? " line more is" : " lines more are") + " left out too";
  warning(left_out.begin, left_out.end, left_out.what + more, "nothing is to be done");
}

void Importing::add(RecordedExchange exchange, std::size_t begin, std::size_t end, const std::string& where) {
  RecordedRequest& request = exchange.request;
  if (!http::is_token(request.method)) return error(begin, end, where + "the method is no method of HTTP", "a word such as GET; take the request out if there was none");
  const bool visible = std::all_of(request.target.begin(), request.target.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (request.target.empty() || !visible) return error(begin, end, where + "the target is no target of a request", "it begins with / and has no spaces: encode them as %20");
  const auto check = [&](RecordedHeaders& headers, const char* of) {
    std::erase_if(headers, [](const auto& h) { return h.first.starts_with(':'); });  // HTTP/2's pseudo-headers
    for (std::size_t i = 0; i < headers.size(); ++i) {
      auto& [name, value] = headers[i];
      value = std::string(trim_ows(value));
      // A name that is none may have half of a value in it.
      const std::string which = http::is_token(name) ? "`" + name + "`" : "number " + std::to_string(i + 1);
      if (!http::is_token(name)) return error(begin, end, where + "header " + which + " of the " + of + " has a name that no header may have", "take the header out"), false;
      if (!http::is_field_value(value)) return error(begin, end, where + "header " + which + " of the " + of + " has an octet that no header may have", "take the header out"), false;
    }
    return true;
  };
  if (!check(request.headers, "request") || !check(exchange.answer.headers, "answer")) return;
  exchange.span = {source, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
  exchange.id = "import-" + std::to_string(out.size() + 1);
  out.push_back(std::move(exchange));
}

RecordedBody body_from(std::string octets) {
  RecordedBody body;
  body.size = octets.size();
  if (!octets.empty()) body.octets = std::make_shared<const std::string>(std::move(octets));
  return body;
}

bool take_url(std::string_view url, RecordedExchange& exchange) {
  static const RE2 pattern("(?i)(https?)://(?:([^/?#@]*)@)?([^/?#@]+)([^?#]*)(\\?[^#]*)?(?:#.*)?");
  std::string scheme, user, host, path, query;
  if (!RE2::FullMatch(piece(url), pattern, &scheme, &user, &host, &path, &query) || !http::parse_authority(host)) return false;
  exchange.scheme = to_lower(scheme);
  exchange.request.target = (path.empty() ? "/" : path) + query;
  auto& headers = exchange.request.headers;
  if (!has_header(headers, "host")) headers.insert(headers.begin(), {"Host", host});
  // As every client does with it (RFC 3986 §3.2.1, RFC 7617).
  if (!user.empty() && !has_header(headers, "authorization")) {
    std::string pair = percent_decoded(user);
    if (user.find(':') == std::string::npos) pair += ':';
    headers.emplace_back("Authorization", "Basic " + base64_encode(pair));
  }
  return true;
}

std::string percent_decoded(std::string_view text) {
  std::string plus;
  for (const char c : text) plus += c == '+' ? std::string("%2B") : std::string(1, c);
  Arena arena;
  return std::string(http::decode_query(plus, arena));  // which is of forms, where + is a space
}

bool take_request_line(std::string_view line, RecordedRequest& request) {
  static const RE2 pattern("(\\S+) (\\S+)(?: HTTP/(\\d(?:\\.\\d)?))?");
  std::string version;
  return RE2::FullMatch(piece(line), pattern, &request.method, &request.target, &version);
}

std::optional<Instant> parse_iso_time(std::string_view text) {
  static const RE2 pattern("(\\d{4})-(\\d\\d)-(\\d\\d)[T ](\\d\\d):(\\d\\d):(\\d\\d)(?:[.,](\\d{1,9})\\d*)?(Z|[+-]\\d\\d:?\\d\\d)?");
  int y = 0, h = 0, mi = 0, s = 0;
  unsigned mo = 0, d = 0;
  std::string fraction, zone;
  if (!RE2::FullMatch(piece(text), pattern, &y, &mo, &d, &h, &mi, &s, &fraction, &zone)) return std::nullopt;
  auto out = instant_of(y, mo, d, h, mi, s, offset_of(zone));
  if (!out) return std::nullopt;
  fraction.resize(9, '0');
  return *out + Duration(std::stol(fraction));
}

std::optional<Instant> parse_log_time(std::string_view text) {
  static const RE2 pattern("(\\d\\d)/([A-Z][a-z]{2})/(\\d{4}):(\\d\\d):(\\d\\d):(\\d\\d) ([+-]\\d{4})");
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  int y = 0, h = 0, mi = 0, s = 0;
  unsigned d = 0;
  std::string month, zone;
  if (!RE2::FullMatch(piece(text), pattern, &d, &month, &y, &h, &mi, &s, &zone)) return std::nullopt;
  const std::size_t at = kMonths.find(month);
  if (at == std::string_view::npos || at % 3 != 0) return std::nullopt;
  return instant_of(y, static_cast<unsigned>(at / 3 + 1), d, h, mi, s, offset_of(zone));
}

std::vector<RecordedExchange> import_traffic(const diag::SourcePtr& source, diag::Sink& sink, KnownSecrets* known) {
  const TrafficKind kind = kind_of_traffic(source->text);
  if (kind == TrafficKind::Recording) return read_recording(source, sink).exchanges;
  KnownSecrets unheard;
  Importing in{source, sink, {}, {}, known == nullptr ? unheard : *known};
  switch (kind) {
    case TrafficKind::Recording: break;
    case TrafficKind::Har: import_har(in); break;
    case TrafficKind::Postman: import_postman(in); break;
    case TrafficKind::CombinedLog:
    case TrafficKind::JsonLog: import_log(in, kind); break;
    case TrafficKind::Curl: import_curl(in); break;
  }
  if (in.out.empty() && !sink.has_errors()) in.error(0, 0, "there is no request in this file, which was read as " + std::string(name_of(kind)), "gatelab imports HAR 1.2, Postman v2.1, combined and JSON access logs, curl commands and its own recordings");
  return std::move(in.out);
}

}  // namespace gatelab::harness
