// SPDX-License-Identifier: Apache-2.0
#include "http/chars.h"
#include "http/lines.h"
#include "http/parser.h"

namespace gatelab::http {

ParseState ResponseParser::parse(std::string_view data) noexcept {
  for (;;) {
    std::string_view text;
    if (!started_ && at_ < data.size() && data[at_] != 'H') {
      rule_ = Rule::BadStatusLine;
      return ParseState::Failed;
    }
    const LineState state = next_line(data, at_, scanned_, limits_.head_octets, text, rule_);
    if (state == LineState::NeedMore) return ParseState::NeedMore;
    if (state == LineState::Failed) return ParseState::Failed;
    const bool end = started_ && text.empty();
    rule_ = end ? finish() : line(text);
    if (rule_ != Rule::Ok) return ParseState::Failed;
    if (end) return ParseState::Done;
  }
}

Rule ResponseParser::line(std::string_view text) noexcept {
  if (started_) return field_line(text, head_.fields, limits_.fields);
  started_ = true;
  // HTTP-version SP status-code [SP [reason-phrase]]: the second space is often left out and means nothing.
  if (text.size() < 12 || text[8] != ' ' || (text.size() > 12 && text[12] != ' ')) return Rule::BadStatusLine;
  const Rule version = parse_version(text.substr(0, 8), head_.version);
  if (version != Rule::Ok) return version;
  unsigned status = 0;
  for (const char c : text.substr(9, 3)) {
    if (c < '0' || c > '9') return Rule::BadStatus;
    status = status * 10 + static_cast<unsigned>(c - '0');
  }
  if (status < 100) return Rule::BadStatus;
  head_.status = static_cast<std::uint16_t>(status);
  head_.reason_phrase = text.size() > 13 ? text.substr(13) : std::string_view();
  for (const char c : head_.reason_phrase)
    if (!is(c, kValue)) return c == '\r' ? Rule::BareCr : Rule::BadStatusLine;
  return Rule::Ok;
}

Rule ResponseParser::finish() noexcept {
  BodyFraming body{Framing::UntilClose, 0};
  if (const Rule rule = framing(head_.fields, head_.version, body); rule != Rule::Ok) return rule;
  const bool none = method_ == Method::Head || head_.status < 200 || head_.status == 204 || head_.status == 304;
  head_.body = none ? BodyFraming{} : body;
  head_.keep_alive = keeps_alive(head_.fields, head_.version) && head_.body.kind != Framing::UntilClose;
  return Rule::Ok;
}

}  // namespace gatelab::http
