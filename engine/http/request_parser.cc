// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "base/text.h"
#include "http/chars.h"
#include "http/lines.h"
#include "http/parser.h"
#include "http/uri.h"

namespace gatelab::http {
namespace {

// "/path?query" into its parts.
Rule origin_form(std::string_view target, RequestHead& head) noexcept {
  const std::size_t mark = target.find('?');
  head.path = target.substr(0, mark);
  head.has_query = mark != std::string_view::npos;
  head.query = head.has_query ? target.substr(mark + 1) : std::string_view();
  return all(head.query, kQuery) ? Rule::Ok : Rule::BadTarget;
}

Rule absolute_form(std::string_view target, RequestHead& head) noexcept {
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return Rule::BadTarget;
  const std::string_view name = target.substr(0, scheme);
  if (!iequals(name, "http") && !iequals(name, "https")) return Rule::BadTarget;
  const std::string_view rest = target.substr(scheme + 3);
  const std::size_t end = rest.find_first_of("/?");
  head.authority = rest.substr(0, end);
  if (!parse_authority(head.authority)) return Rule::BadTarget;
  head.form = TargetForm::Absolute;
  // RFC 9112 §3.2.4: this is how OPTIONS * travels through proxies.
  if (end == std::string_view::npos && head.method == Method::Options) head.form = TargetForm::Asterisk;
  if (end == std::string_view::npos || rest[end] == '?') {
    head.path = head.form == TargetForm::Asterisk ? std::string_view("*") : std::string_view("/");
    head.has_query = end != std::string_view::npos;
    head.query = head.has_query ? rest.substr(end + 1) : std::string_view();
    return all(head.query, kQuery) ? Rule::Ok : Rule::BadTarget;
  }
  return origin_form(rest.substr(end), head);
}

Rule parse_target(std::string_view target, RequestHead& head) noexcept {
  for (const char c : target)
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f || c == '#') return Rule::BadTarget;
  head.target = target;
  if (head.method == Method::Connect) {
    head.form = TargetForm::Authority;
    head.authority = target;
    const auto authority = parse_authority(target);
    return authority && authority->port ? Rule::Ok : Rule::BadTarget;
  }
  if (target.front() == '/') return origin_form(target, head);
  if (target == "*" && head.method == Method::Options) {
    head.form = TargetForm::Asterisk;
    head.path = target;
    return Rule::Ok;
  }
  return absolute_form(target, head);
}

// Host (RFC 9112 §3.2): exactly one in HTTP/1.1, at most one in HTTP/1.0; an absolute target's authority goes before it.
Rule check_host(RequestHead& head) noexcept {
  const Field* host = nullptr;
  for (const Field& f : head.fields) {
    if (f.id != FieldId::Host) continue;
    if (host != nullptr) return Rule::DuplicateHost;
    host = &f;
  }
  if (host == nullptr && head.version == Version::Http11) return Rule::MissingHost;
  // An absolute target's has been found good already.
  if (!head.authority.empty()) head.host = parse_authority(head.authority)->host;
  if (host == nullptr) return Rule::Ok;
  const auto authority = parse_authority(host->value);
  if (!authority) return Rule::BadHost;
  if (!head.authority.empty()) return Rule::Ok;
  head.authority = host->value;
  head.host = authority->host;
  return Rule::Ok;
}

}  // namespace

ParseState RequestParser::parse(std::string_view data) noexcept {
  for (;;) {
    std::string_view text;
    // What can't be a request is refused before its line is complete: a TLS hello has no line end.
    if (!started_ && at_ < data.size() && !is(data[at_], kToken) && data[at_] != '\r') {
      rule_ = data[at_] == '\n' ? Rule::BareLf : Rule::BadMethod;
      return ParseState::Failed;
    }
    const LineState state = next_line(data, at_, scanned_, limits_.head_octets, text, rule_);
    if (state == LineState::NeedMore) {
      if (started_ || data.size() - at_ <= limits_.target_octets + 64ULL) return ParseState::NeedMore;
      rule_ = Rule::TargetTooLong;
      return ParseState::Failed;
    }
    if (state == LineState::Failed) return ParseState::Failed;
    if (!started_ && text.empty() && !skipped_empty_) {
      skipped_empty_ = true;
      continue;
    }
    const bool end = started_ && text.empty();
    rule_ = end ? finish() : line(text);
    if (rule_ != Rule::Ok) return ParseState::Failed;
    if (end) return ParseState::Done;
  }
}

Rule RequestParser::line(std::string_view text) noexcept {
  if (started_) return field_line(text, head_.fields, limits_.fields);
  started_ = true;
  const std::size_t method_end = text.find(' ');
  if (text.find('\r') != std::string_view::npos) return Rule::BareCr;
  if (method_end == std::string_view::npos) return Rule::BadRequestLine;
  head_.method_text = text.substr(0, method_end);
  if (!is_token(head_.method_text)) return Rule::BadMethod;
  head_.method = method_of(head_.method_text);
  const std::string_view rest = text.substr(method_end + 1);
  const std::size_t target_end = rest.find(' ');
  if (target_end == std::string_view::npos || target_end == 0) return Rule::BadRequestLine;
  const std::string_view target = rest.substr(0, target_end);
  if (target.size() > limits_.target_octets) return Rule::TargetTooLong;
  const Rule version = parse_version(rest.substr(target_end + 1), head_.version);
  if (version != Rule::Ok) return version;
  return parse_target(target, head_);
}

Rule RequestParser::finish() noexcept {
  if (const Rule host = check_host(head_); host != Rule::Ok) return host;
  if (const Rule body = framing(head_.fields, head_.version, head_.body); body != Rule::Ok) return body;
  head_.keep_alive = keeps_alive(head_.fields, head_.version);
  if (!head_.fields.may_have(FieldId::Expect)) return Rule::Ok;
  for (const Field& f : head_.fields) {
    if (f.id != FieldId::Expect || head_.version == Version::Http10) continue;
    if (!iequals(f.value, "100-continue")) return Rule::UnknownExpectation;
    head_.expect_continue = head_.body.kind != Framing::None;
  }
  return Rule::Ok;
}

}  // namespace gatelab::http
