// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/request.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/base64.h"
#include "base/text.h"
#include "harness/match/json_text.h"
#include "harness/replay/redact.h"

namespace gatelab::harness {
namespace {

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

bool matches(const MatcherPtr& matcher, const std::string& text) { return !matcher || !matcher->match(nlohmann::json(text)); }

bool is_missing(const RecordedBody& body) { return body.octets == nullptr && body.size > 0; }

std::size_t replace_all(std::string& text, std::string_view what, std::string_view with) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()), ++n) text.replace(at, what.size(), with);
  return n;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  append_percent_encoded(out, text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~'; });
  return out;
}

std::size_t put_back(std::string& text, const Replay::Secret& secret) {
  return replace_all(text, "<redacted:" + secret.mark + ">", secret.text) + replace_all(text, "%3Credacted:" + secret.mark + "%3E", percent_encoded(secret.text));
}

}  // namespace

bool has_header(const RecordedHeaders& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [name](const auto& h) { return iequals(h.first, name); });
}

std::vector<const RecordedExchange*> selected(const Replay& replay) {
  std::vector<const RecordedExchange*> out;
  if (!replay.recording) return out;
  for (const RecordedExchange& e : replay.recording->exchanges) {
    const std::string& target = e.request.target;
    if (!matches(replay.path, target.substr(0, target.find('?'))) || !matches(replay.method, e.request.method)) continue;
    if (!replay.exchanges.empty() && std::find(replay.exchanges.begin(), replay.exchanges.end(), e.id) == replay.exchanges.end()) continue;
    out.push_back(&e);
  }
  std::stable_sort(out.begin(), out.end(), [](const RecordedExchange* a, const RecordedExchange* b) { return a->began < b->began; });
  return out;
}

std::string unplayable(const Replay& replay, const RecordedExchange& e) {
  if (e.answer.status == 101) return "it is a WebSocket or another upgrade";
  if (e.request.method == "CONNECT") return "it is a tunnel";
  if (is_missing(e.request.body)) return "its request's body is not in the recording: " + e.request.body.left_out;
  if (replay.upstreams != Replay::Upstreams::Recorded) return {};
  for (const RecordedAttempt& attempt : e.attempts)
    if (attempt.answer.status != 0 && is_missing(attempt.answer.body) && e.request.method != "HEAD") return "the body that `" + attempt.upstream + "` answered is not in the recording: " + attempt.answer.body.left_out;
  return {};
}

bool is_of_connection(std::string_view header) {
  for (const std::string_view name : {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "content-length", "te", "trailer", "upgrade", "expect", "http2-settings"})
    if (iequals(header, name)) return true;
  return false;
}

std::string octets_of(const RecordedRequest& request, const std::string& host) {
  std::string out = request.method + " " + request.target + (request.version == "1.0" ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  if (!has_header(request.headers, "host")) out += "Host: " + host + "\r\n";
  for (const auto& [name, value] : request.headers)
    if (!is_of_connection(name)) out += name + ": " + value + "\r\n";
  const std::size_t size = request.body.octets ? request.body.octets->size() : 0;
  if (size > 0 || has_header(request.headers, "content-length") || has_header(request.headers, "transfer-encoding")) out += "Content-Length: " + std::to_string(size) + "\r\n";
  out += "\r\n";
  return request.body.octets ? out + *request.body.octets : out;
}

void put_back(RecordedRequest& request, const std::vector<Replay::Secret>& secrets, std::vector<bool>& used) {
  used.resize(secrets.size(), false);
  for (std::size_t i = 0; i < secrets.size(); ++i) {
    std::size_t n = put_back(request.target, secrets[i]);
    for (auto& [name, value] : request.headers) n += put_back(value, secrets[i]);
    if (request.body.octets && request.body.octets->find("redacted:" + secrets[i].mark) != std::string::npos) {
      auto changed = std::make_shared<std::string>(*request.body.octets);
      n += put_back(*changed, secrets[i]);
      request.body.size = changed->size();
      request.body.octets = std::move(changed);
    }
    used[i] = used[i] || n > 0;
  }
}

std::string first_mark(const RecordedRequest& request) {
  static const RE2 pattern("(?:<|%3C)redacted:([0-9a-f]{12})(?:>|%3E)");
  std::string digits;
  if (RE2::PartialMatch(request.target, pattern, &digits)) return digits;
  for (const auto& [name, value] : request.headers)
    if (RE2::PartialMatch(value, pattern, &digits)) return digits;
  if (request.body.octets) RE2::PartialMatch(*request.body.octets, pattern, &digits);
  return digits;
}

std::size_t remint(RecordedRequest& request, const std::function<std::string(const RecordedToken&)>& mint) {
  static const RE2 pattern("(eyJ[A-Za-z0-9_-]+|e30)\\.(eyJ[A-Za-z0-9_-]+|e30)\\.<redacted:[0-9a-f]{12}>");
  std::size_t n = 0;
  for (auto& [name, value] : request.headers) {
    std::string out;
    re2::StringPiece rest = piece(value), groups[3];
    while (pattern.Match(rest, 0, rest.size(), RE2::UNANCHORED, groups, 3)) {
      RecordedToken token;
      for (const auto& [part, json] : {std::pair{groups[1], &token.header}, std::pair{groups[2], &token.claims}}) {
        const auto text = base64url_decode({part.data(), part.size()});
        if (text) *json = parse_json_text<nlohmann::ordered_json>(*text);
        if (!json->is_object()) *json = nlohmann::ordered_json::object();
      }
      out.append(rest.data(), groups[0].data());
      out += mint(token);
      rest.remove_prefix(static_cast<std::size_t>(groups[0].data() + groups[0].size() - rest.data()));
      ++n;
    }
    out.append(rest.data(), rest.size());
    value = std::move(out);
  }
  return n;
}

std::string shown_target(const std::string& target) {
  static const Redactor redactor("shown, and never put back");
  const std::string redacted = redactor.target(target);
  return redacted == target ? target : without_marks(redacted);
}

std::string without_marks(std::string_view text) {
  static const RE2 pattern("(<|%3C)redacted:[0-9a-f]{12}(>|%3E)");
  std::string out(text);
  if (text.find("redacted:") != std::string_view::npos) RE2::GlobalReplace(&out, pattern, "\\1redacted\\2");
  return out;
}

}  // namespace gatelab::harness
