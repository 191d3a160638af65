// SPDX-License-Identifier: Apache-2.0
// Recordings are read strictly: what is taken could be sent, so nothing in it can break out of its place in a message. One that
// was made with --keep-secrets has them: errors say the line and the member, and repeat neither.
#include <algorithm>
#include <initializer_list>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/text.h"
#include "harness/replay/recording.h"
#include "http/fields.h"

namespace gatelab::harness {
namespace {

using Json = nlohmann::json;

class Reader {
 public:
  Reader(const diag::SourcePtr& source, diag::Sink& sink) : source_(source), sink_(sink) {}
  Recording read();

 private:
  void line(std::string_view text, bool complete);
  void first(const Json& json);
  void body_line(const Json& json);
  void exchange_line(const Json& json);
  void error(std::string id, std::string message, std::string hint) { tell(diag::Severity::Error, std::move(id), std::move(message), std::move(hint)); }
  void tell(diag::Severity severity, std::string id, std::string message, std::string hint);
  bool only(const Json& json, std::string_view what, std::initializer_list<std::string_view> known);
  const Json* member(const Json& json, const char* name, Json::value_t kind, std::string_view what);
  std::string text(const Json& json, const char* name);
  std::int64_t number(const Json& json, const char* name);
  void headers(const Json& json, RecordedHeaders& out);
  void body(const Json& json, RecordedBody& out);
  void request(const Json& json, RecordedRequest& out);
  void answer(const Json& json, RecordedAnswer& out);
  void attempt(const Json& json, RecordedAttempt& out);

  const diag::SourcePtr& source_;
  diag::Sink& sink_;
  diag::Span span_;
  bool begun_ = false, unreadable_ = false;
  std::map<std::string, std::shared_ptr<const std::string>> bodies_;
  Recording out_;
};

constexpr std::string_view kAgain = "record it again, or take the line out";

void Reader::tell(diag::Severity severity, std::string id, std::string message, std::string hint) {
  diag::Diagnostic told{severity, std::move(id), std::move(message), span_, {}, {}, std::move(hint)};
  told.quoted = false;
  sink_.report(std::move(told));
}

Recording Reader::read() {
  const std::string_view all = source_->text;
  for (std::size_t at = 0; at < all.size() && !unreadable_;) {
    const std::size_t end = std::min(all.find('\n', at), all.size());
    std::string_view text = all.substr(at, end - at);
    if (text.ends_with('\r')) text.remove_suffix(1);
    span_ = {source_, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + text.size())};
    if (!trim_ows(text).empty()) line(text, end < all.size());
    at = end + 1;
  }
  if (!begun_ && !unreadable_) {
    span_ = {source_, 0, 0};
    error("recording-version", "the file is empty, and a recording begins with its version", "record it again");
  }
  return std::move(out_);
}

void Reader::line(std::string_view text, bool complete) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() && !complete && begun_) {
    return tell(diag::Severity::Warning, "recording-cut", "the last line is cut off and left out", "whoever wrote it was killed, or the disk was full");
  }
  if (!json.is_object()) {
    unreadable_ = !begun_;
    return error("recording-line", "the line is no JSON object", begun_ ? std::string(kAgain) : "is this a recording? `gatelab record` makes one");
  }
  if (!begun_) return first(json);
  if (json.contains("exchange")) return exchange_line(json);
  if (json.contains("body")) return body_line(json);
  error("recording-line", "the line is neither an exchange nor a body", std::string(kAgain));
}

void Reader::first(const Json& json) {
  begun_ = true;
  const auto kind = json.find("gatelab"), version = json.find("version");
  if (kind == json.end() || !kind->is_string() || *kind != "recording" || version == json.end()) {
    unreadable_ = true;
    return error("recording-version", "the first line is not that of a recording", "it is {\"gatelab\":\"recording\",\"version\":1}; what others have written is imported first");
  }
  if (!version->is_number_integer() || *version != 1) {
    unreadable_ = true;
    error("recording-version", "the recording has version " + (version->is_number() ? version->dump() : std::string("no number")) + ", and this gatelab reads 1", "record it again, or take the gatelab that wrote it");
  }
}

bool Reader::only(const Json& json, std::string_view what, std::initializer_list<std::string_view> known) {
  if (!json.is_object()) return error("recording-value", std::string(what) + " is no object", std::string(kAgain)), false;
  for (const auto& [name, value] : json.items()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string_view near = diag::nearest(name, {known.begin(), known.end()});
    const bool is_name = name.size() <= 32 && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
    error("recording-key", "unknown key " + (is_name ? "`" + name + "` " : std::string()) + "in " + std::string(what), near.empty() ? std::string(kAgain) : "did you mean `" + std::string(near) + "`?");
    return false;
  }
  return true;
}

const Json* Reader::member(const Json& json, const char* name, Json::value_t kind, std::string_view what) {
  const auto found = json.find(name);
  if (found != json.end() && found->type() == kind) return &*found;
  error("recording-value", std::string("`") + name + (found == json.end() ? "` is missing" : "` is no " + std::string(what)), std::string(kAgain));
  return nullptr;
}

std::string Reader::text(const Json& json, const char* name) {
  const Json* found = member(json, name, Json::value_t::string, "text");
  return found == nullptr ? std::string() : found->get<std::string>();
}

std::int64_t Reader::number(const Json& json, const char* name) {
  const auto found = json.find(name);
  const bool fits = found != json.end() && found->is_number_integer() && (!found->is_number_unsigned() || found->get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  if (fits) return found->get<std::int64_t>();
  error("recording-value", std::string("`") + name + "` is no whole number", std::string(kAgain));
  return 0;
}

void Reader::headers(const Json& json, RecordedHeaders& out) {
  const Json* list = member(json, "headers", Json::value_t::array, "list");
  if (list == nullptr) return;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Json& pair = (*list)[i];
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string())
      return error("recording-header", "a header is no pair of texts", "write [\"Name\", \"value\"]");
    auto name = pair[0].get<std::string>(), value = pair[1].get<std::string>();
    if (!http::is_token(name)) return error("recording-header", "header number " + std::to_string(i + 1) + " has a name that no header may have", std::string(kAgain));
    if (!http::is_field_value(value)) return error("recording-header", "the value of `" + name + "` has an octet that no header may have", std::string(kAgain));
    out.emplace_back(std::move(name), std::move(value));
  }
}

void Reader::body(const Json& json, RecordedBody& out) {
  const auto digest = json.find("body");
  if (!json.contains("size")) {
    if (digest != json.end() || json.contains("left_out")) error("recording-value", "`size` is missing beside a body", std::string(kAgain));
    return;
  }
  const std::int64_t size = number(json, "size");
  if (size < 0) return error("recording-value", "`size` is less than 0", std::string(kAgain));
  out.size = static_cast<std::uint64_t>(size);
  if (digest == json.end()) {
    out.left_out = text(json, "left_out");
    return;
  }
  const auto known = digest->is_string() ? bodies_.find(digest->get<std::string>()) : bodies_.end();
  if (known == bodies_.end()) return error("recording-body", "no line before this one holds the body that `body` names", "the file was edited or rotated files were mixed up; record it again");
  out.octets = known->second;
  if (out.size != out.octets->size()) error("recording-body", "`size` is not that of the body", std::string(kAgain));
}

void Reader::request(const Json& json, RecordedRequest& out) {
  if (!only(json, "request", {"method", "target", "version", "headers", "size", "body", "left_out"})) return;
  out.method = text(json, "method");
  out.target = text(json, "target");
  out.version = text(json, "version");
  if (!http::is_token(out.method)) error("recording-value", "`method` is no method", std::string(kAgain));
  const bool visible = std::all_of(out.target.begin(), out.target.end(), [](char c) { return c > ' ' && c != 0x7f; });
  if (out.target.empty() || !visible) error("recording-value", "`target` is no target of a request", "a target has no spaces and begins with / or a scheme");
  headers(json, out.headers);
  body(json, out.body);
}

void Reader::answer(const Json& json, RecordedAnswer& out) {
  if (!only(json, "answer", {"status", "headers", "size", "body", "left_out"})) return;
  const std::int64_t status = number(json, "status");
  if (status != 0 && (status < 100 || status > 999)) return error("recording-value", "`status` is no status", "it has three digits, or is 0 where there was no answer");
  out.status = static_cast<std::uint16_t>(status);
  headers(json, out.headers);
  body(json, out.body);
}

void Reader::attempt(const Json& json, RecordedAttempt& out) {
  if (!only(json, "attempt", {"upstream", "target", "reason", "at", "took", "request", "answer"})) return;
  out.upstream = text(json, "upstream");
  out.target = text(json, "target");
  out.reason = text(json, "reason");
  out.at = Duration(number(json, "at"));
  out.took = Duration(number(json, "took"));
  if (const Json* r = member(json, "request", Json::value_t::object, "object")) request(*r, out.request);
  if (const Json* a = member(json, "answer", Json::value_t::object, "object")) answer(*a, out.answer);
}

void Reader::body_line(const Json& json) {
  if (!only(json, "body", {"body", "base64"})) return;
  const std::string digest = text(json, "body"), encoded = text(json, "base64");
  auto octets = base64_decode(encoded);
  if (!octets) return error("recording-body", "`base64` is no base64", std::string(kAgain));
  const auto shared = std::make_shared<const std::string>(std::move(*octets));
  if (body_digest(*shared) != digest) return error("recording-body", "the body is not the one that its digest says", "the line was edited; record it again");
  bodies_[digest] = shared;
}

void Reader::exchange_line(const Json& json) {
  if (!only(json, "exchange", {"exchange", "began", "took", "scheme", "request", "answer", "attempts"})) return;
  RecordedExchange e;
  const std::size_t before = sink_.errors();
  e.span = span_;
  e.id = text(json, "exchange");
  e.began = Instant{number(json, "began")};
  e.took = Duration(number(json, "took"));
  if (const Json* scheme = member(json, "scheme", Json::value_t::string, "text")) {
    e.scheme = scheme->get<std::string>();
    if (e.scheme != "http" && e.scheme != "https") error("recording-value", "`scheme` is no scheme", "it is http or https");
  }
  if (const Json* r = member(json, "request", Json::value_t::object, "object")) request(*r, e.request);
  if (const Json* a = member(json, "answer", Json::value_t::object, "object")) answer(*a, e.answer);
  if (const Json* list = member(json, "attempts", Json::value_t::array, "list"))
    for (const Json& a : *list) attempt(a, e.attempts.emplace_back());
  if (sink_.errors() == before) out_.exchanges.push_back(std::move(e));
}

}  // namespace

Recording read_recording(const diag::SourcePtr& source, diag::Sink& sink) { return Reader(source, sink).read(); }

}  // namespace gatelab::harness
