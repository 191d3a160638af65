// SPDX-License-Identifier: Apache-2.0
#include "proxy/head_writer.h"

#include <cassert>
#include <charconv>

#include "base/text.h"
#include "http/hop.h"

namespace gatelab::proxy {
namespace {

using http::FieldId;

// Fields that the gateway writes itself, or that speak of the client's connection only.
bool stays_here(FieldId id) noexcept {
  switch (id) {
    case FieldId::Host:
    case FieldId::Connection:
    case FieldId::KeepAlive:
    case FieldId::ProxyConnection:
    case FieldId::ProxyAuthorization:
    case FieldId::Te:
    case FieldId::TransferEncoding:
    case FieldId::Upgrade:
    case FieldId::ContentLength:
    case FieldId::Expect:
    case FieldId::Forwarded:
    case FieldId::XForwardedFor:
    case FieldId::XForwardedHost:
    case FieldId::XForwardedPort:
    case FieldId::XForwardedProto:
    case FieldId::XRequestId:
      return true;
    default:
      return false;
  }
}

}  // namespace

void HeadText::number(std::uint64_t n) noexcept {
  assert(end_ - at_ >= 20);
  at_ = std::to_chars(at_, end_, n).ptr;
}

void HeadText::content_length(std::uint64_t n) noexcept {
  text("Content-Length: ");
  number(n);
  text("\r\n");
}

std::string_view request_head(Arena& arena, const http::RequestHead& head, const Told& told) noexcept {
  const bool own_name = told.request_id_name != "X-Request-Id";
  const bool traced = !told.traceparent.empty();
  std::size_t size = head.method_text.size() + told.path.size() + head.query.size() + told_octets(told) + 128;
  for (const http::Field& f : head.fields) size += f.name.size() + f.value.size() + 4;
  HeadText out(arena, size);
  out.text(head.method_text);
  out.text(" ");
  out.text(told.path);
  if (head.has_query) {
    out.text("?");
    out.text(head.query);
  }
  out.text(" HTTP/1.1\r\n");
  out.field("Host", told.host);
  for (const http::Field& f : head.fields) {
    if (stays_here(f.id)) continue;
    if (f.id == FieldId::Other && (http::is_forwarding_field(f.name) || (own_name && iequals(f.name, told.request_id_name)))) continue;
    if (traced && f.id == FieldId::Other && (iequals(f.name, "traceparent") || iequals(f.name, "tracestate"))) continue;  // a policy's
    if (head.has_underscores && http::reads_like_another(head.fields, f.name)) continue;
    out.field(f.name, f.value);
  }
  if (head.expect_continue) out.text("Expect: 100-continue\r\n");
  // Said anew for the next hop: whatever is named there comes back through us (RFC 9110 §10.1.4).
  if (!told.websocket && head.fields.lists(FieldId::Te, "trailers")) out.text("TE: trailers\r\nConnection: TE\r\n");
  if (head.body.kind == http::Framing::Length) out.content_length(head.body.length);
  if (head.body.kind == http::Framing::Chunked) out.text("Transfer-Encoding: chunked\r\n");
  if (told.websocket) out.text("Connection: Upgrade\r\nUpgrade: websocket\r\n");
  out.field("Via", told.via);
  write_told(out, told);
  out.text("\r\n");
  return out.view();
}

std::string_view chunk_size(std::size_t size, char* out) noexcept {
  char* end = std::to_chars(out, out + 16, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return {out, static_cast<std::size_t>(end - out)};
}

std::string_view last_chunk(Arena& arena, const http::Fields* trailers) noexcept {
  if (trailers == nullptr || trailers->size() == 0) return "0\r\n\r\n";
  std::size_t size = 5;
  for (const http::Field& f : *trailers) size += f.name.size() + f.value.size() + 4;
  HeadText out(arena, size);
  out.text("0\r\n");
  for (const http::Field& f : *trailers) out.field(f.name, f.value);
  out.text("\r\n");
  return out.view();
}

}  // namespace gatelab::proxy
