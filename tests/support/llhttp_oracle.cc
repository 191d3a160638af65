// SPDX-License-Identifier: Apache-2.0
#include "support/llhttp_oracle.h"

#include <llhttp.h>

#include <cstdio>
#include <utility>

#include "base/text.h"
#include "http/parser.h"

namespace gatelab::test {
namespace {

void take_fields(const http::Fields& fields, Reading& out) {
  for (const http::Field& f : fields) out.fields.emplace_back(f.name, f.value);
}

std::string hex(std::size_t n) {
  char text[24];
  std::snprintf(text, sizeof text, "%zx\r\n", n);
  return text;
}

// The body behind a head of `used` octets.
void take_body(std::string_view octets, std::size_t used, http::BodyFraming framing, Arena& arena, Reading& out) {
  http::Fields trailers(arena);
  http::BodyDecoder decoder(framing, &trailers);
  std::string chunks;
  const std::string_view head = octets.substr(0, used);
  for (;;) {
    const http::BodyDecoder::Piece piece = decoder.next(octets.substr(used));
    used += piece.consumed;
    out.body += piece.data;
    if (piece.state == http::BodyDecoder::State::Data) chunks.append(hex(piece.data.size())).append(piece.data).append("\r\n");
    if (piece.state == http::BodyDecoder::State::Data) continue;
    if (piece.state == http::BodyDecoder::State::Failed) out.end = Reading::End::Refused;
    break;
  }
  if (out.end == Reading::End::Refused) {
    out.why = http::info(decoder.rule()).word;
    return;
  }
  if (!decoder.finish_at_close()) return;
  take_fields(trailers, out);
  if (framing.kind == http::Framing::Chunked) {
    out.plain = std::string(head) + chunks + "0\r\n";
    for (const http::Field& f : trailers) out.plain.append(f.name).append(": ").append(f.value).append("\r\n");
    out.plain += "\r\n";
  }
  out.size = used;
  out.end = Reading::End::Whole;
}

template <class Parser>
bool head_read(Parser& parser, std::string_view octets, Reading& out) {
  const http::ParseState state = parser.parse(octets);
  if (state == http::ParseState::Done) return true;
  if (state == http::ParseState::Failed) {
    out.end = Reading::End::Refused;
    out.why = http::info(parser.rule()).word;
  }
  return false;
}

struct Listener {
  Reading reading;
  std::string status, url, method, name, value;
  bool head = false;
};

Listener& of(llhttp_t* p) { return *static_cast<Listener*>(p->data); }

llhttp_settings_t settings() {
  llhttp_settings_t s;
  llhttp_settings_init(&s);
  s.on_url = [](llhttp_t* p, const char* at, std::size_t n) { return of(p).url.append(at, n), 0; };
  s.on_header_field = [](llhttp_t* p, const char* at, std::size_t n) { return of(p).name.append(at, n), 0; };
  s.on_header_value = [](llhttp_t* p, const char* at, std::size_t n) { return of(p).value.append(at, n), 0; };
  s.on_header_value_complete = [](llhttp_t* p) {
    Listener& l = of(p);
    l.reading.fields.emplace_back(std::exchange(l.name, {}), trim_ows(l.value));
    l.value.clear();
    return 0;
  };
  // Which answers have no body is the caller's to know (RFC 9112 §6.3).
  s.on_headers_complete = [](llhttp_t* p) { 
    const bool bodiless = p->type == HTTP_RESPONSE && (p->status_code < 200 || p->status_code == 204 || p->status_code == 304);
    return of(p).head || bodiless ? 1 : 0;
  };
  s.on_body = [](llhttp_t* p, const char* at, std::size_t n) { return of(p).reading.body.append(at, n), 0; };
  s.on_message_complete = [](llhttp_t*) { return static_cast<int>(HPE_PAUSED); };
  return s;
}

Reading run(llhttp_type_t type, std::string_view octets, bool head) {
  static const llhttp_settings_t kSettings = settings();
  Listener listener;
  listener.head = head;
  llhttp_t parser;
  llhttp_init(&parser, type, &kSettings);
  parser.data = &listener;
  llhttp_errno_t code = llhttp_execute(&parser, octets.data(), octets.size());
  Reading& out = listener.reading;
  out.start = type == HTTP_REQUEST ? std::string(llhttp_method_name(static_cast<llhttp_method_t>(parser.method))) + " " + listener.url : std::to_string(parser.status_code);
  if (code == HPE_OK && type == HTTP_RESPONSE && llhttp_message_needs_eof(&parser) != 0 && parser.status_code != 0) {
    code = llhttp_finish(&parser);
    if (code == HPE_PAUSED) out.size = octets.size();
  } else if (code == HPE_PAUSED || code == HPE_PAUSED_UPGRADE) {
    out.size = static_cast<std::size_t>(llhttp_get_error_pos(&parser) - octets.data());
  }
  if (code == HPE_PAUSED || code == HPE_PAUSED_UPGRADE) out.end = Reading::End::Whole;
  else if (code != HPE_OK) out.end = Reading::End::Refused;
  if (out.end == Reading::End::Refused) out.why = llhttp_errno_name(code);
  return std::move(out);
}

}  // namespace

Reading our_request(std::string_view octets) {
  Reading out;
  Arena arena;
  http::RequestHead head(arena);
  http::RequestParser parser(head, {});
  if (!head_read(parser, octets, out)) return out;
  out.start = std::string(head.method_text) + " " + std::string(head.target);
  take_fields(head.fields, out);
  take_body(octets, parser.consumed(), head.body, arena, out);
  return out;
}

Reading our_response(std::string_view octets, bool head_request) {
  Reading out;
  Arena arena;
  http::ResponseHead head(arena);
  http::ResponseParser parser(head, head_request ? http::Method::Head : http::Method::Get, {});
  if (!head_read(parser, octets, out)) return out;
  out.start = std::to_string(head.status);
  take_fields(head.fields, out);
  take_body(octets, parser.consumed(), head.body, arena, out);
  return out;
}

namespace {

std::string compare(const Reading& ours, const Reading& theirs) {
  using End = Reading::End;
  if (ours.end == End::Refused) return {};
  if (ours.end == End::Unfinished) return theirs.end == End::Whole ? "llhttp sees an end where we wait for more" : "";
  if (theirs.end == End::Refused) return "llhttp refuses what we take: " + theirs.why;
  if (theirs.end == End::Unfinished) return "we see an end where llhttp waits for more";
  if (ours.start != theirs.start) return "start line: `" + ours.start + "`, says llhttp `" + theirs.start + "`";
  if (ours.body != theirs.body) return "body: `" + ours.body + "`, says llhttp `" + theirs.body + "`";
  if (ours.size != theirs.size) return "the message ends at " + std::to_string(ours.size) + ", says llhttp at " + std::to_string(theirs.size);
  if (ours.fields != theirs.fields) return "fields";
  return {};
}

// RFC 9110 §5.6.3: the space around a field's value may be tabs; llhttp knows only spaces where the value frames a body.
bool framed_with_tabs(std::string_view octets) {
  while (!octets.empty()) {
    const std::size_t end = octets.find("\r\n");
    const std::string_view line = octets.substr(0, end);
    octets.remove_prefix(end == std::string_view::npos ? octets.size() : end + 2);
    const std::string_view name = line.substr(0, line.find(':'));
    if ((iequals(name, "content-length") || iequals(name, "transfer-encoding")) && line.find('\t') != std::string_view::npos) return true;
  }
  return false;
}

std::string judge(llhttp_type_t type, std::string_view octets, bool head, const Reading& ours) {
  const std::string differs = compare(ours, run(type, octets, head));
  if (differs.empty()) return differs;
  // RFC 9110 §9.1: methods are tokens, and anyone may define more; llhttp has a list.
  if (differs.ends_with("HPE_INVALID_METHOD")) return "known: method";
  if (framed_with_tabs(octets)) return "known: tab";
  // RFC 9112 §7.1.1: extensions that are not known are ignored; llhttp takes one of them, and not every form.
  if (ours.plain.empty() || ours.plain == octets.substr(0, ours.size)) return differs;
  Reading plain = run(type, ours.plain, head);
  plain.size = ours.size;
  const std::string without = compare(ours, plain);
  return without.empty() ? "known: extension" : differs;
}

}  // namespace

std::string request_difference(std::string_view octets) { return judge(HTTP_REQUEST, octets, false, our_request(octets)); }
std::string response_difference(std::string_view octets, bool head) { return judge(HTTP_RESPONSE, octets, head, our_response(octets, head)); }

}  // namespace gatelab::test
