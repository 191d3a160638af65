// SPDX-License-Identifier: Apache-2.0
// The writing half of an HTTP/1 connection: an answer's head, its framing (RFC 9112 §6), its octets.
#include "proxy/head_writer.h"
#include "proxy/http1_connection.h"

namespace gatelab::proxy {
namespace {

std::size_t octets_of(const http::Fields& fields) noexcept {
  std::size_t size = 0;
  for (const http::Field& f : fields) size += f.name.size() + f.value.size() + 4;
  return size;
}

void status_line(HeadText& out, std::uint16_t status) noexcept {
  out.text("HTTP/1.1 ");
  out.number(status);
  out.text(" ");
  out.text(http::default_reason_phrase(status));
  out.text("\r\n");
}

}  // namespace

// Sets how the body is framed and whether the connection is kept; true if a Content-Length is to be sent.
bool Http1Connection::decide_framing(const AnswerHead& head) noexcept {
  const bool http11 = head_->version == http::Version::Http11;
  // Whoever asked for a WebSocket and did not get it may have sent frames already: they must not be read as a request.
  keep_ = !refused_ && !upgrade_ && head_->keep_alive && decoder_.done() && !services_.draining && (settings_->max_requests == 0 || served_ + 1 < settings_->max_requests);
  bodiless_out_ = head.bodiless;
  const bool known = head.framing.kind == http::Framing::Length || (head.framing.kind == http::Framing::None && !head.bodiless);
  chunked_out_ = !known && !head.bodiless && http11 && !refused_;
  if (!known && !head.bodiless && !chunked_out_) keep_ = false;
  return known;
}

void Http1Connection::write_head(const AnswerHead& head) noexcept {
  const bool length = decide_framing(head);
  HeadText out(*arena_, octets_of(*head.fields) + 192);
  status_line(out, head.status);
  for (const http::Field& f : *head.fields) out.field(f.name, f.value);
  if (length) out.content_length(head.framing.length);
  if (chunked_out_) out.text("Transfer-Encoding: chunked\r\n");
  if (!keep_) out.text("Connection: close\r\n");
  else if (head_->version == http::Version::Http10) out.text("Connection: keep-alive\r\n");
  out.text("\r\n");
  pending_head_ = out.view();
}

io::Task<io::Code> Http1Connection::write_interim(std::uint16_t status, const http::Fields& fields) {
  HeadText out(*arena_, octets_of(fields) + 64);
  status_line(out, status);
  for (const http::Field& f : fields) out.field(f.name, f.value);
  out.text("\r\n");
  out_[0] = {out.view().data(), out.view().size()};
  unsent_ = {out_.data(), 1};
  io::Code code = push();
  if (code == io::Code::WouldBlock) code = co_await written();
  co_return code;
}

io::Code Http1Connection::write_body(std::string_view data, bool last, const http::Fields* trailers) noexcept {
  std::size_t n = 0;
  const auto add = [this, &n](std::string_view s) {
    if (!s.empty()) out_[n++] = {s.data(), s.size()};
  };
  add(pending_head_);
  pending_head_ = {};
  if (!bodiless_out_) {
    const bool chunk = chunked_out_ && !data.empty();
    if (chunk) add(chunk_size(data.size(), chunk_line_));
    add(data);
    if (chunk) add("\r\n");
    if (chunked_out_ && last) add(last_chunk(*arena_, trailers));
  }
  unsent_ = {out_.data(), n};
  return push();
}

io::Code Http1Connection::push() noexcept {
  if (broken_) return io::Code::Reset;
  const io::Code code = io::write_now(*transport_, unsent_);
  if (code != io::Code::Ok && code != io::Code::WouldBlock) broken_ = true;
  return code;
}

io::Task<io::Code> Http1Connection::written() {
  io::Code code = io::Code::WouldBlock;
  while (code == io::Code::WouldBlock) {
    const io::Wait wait = client_wait(settings_->body_timeout, "client to take the answer");
    code = co_await transport_->writable(wait);
    if (code == io::Code::Ok) code = push();
    else broken_ = true;
  }
  co_return code;
}

// What the client has sent behind its head is the tunnel's first.
io::Task<io::Code> Http1Connection::open_tunnel(const http::Fields& fields) {
  HeadText out(*arena_, octets_of(fields) + 128);
  status_line(out, 101);
  for (const http::Field& f : fields) out.field(f.name, f.value);
  out.text("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  tunnel_ = true;
  keep_ = false;
  std::construct_at(&decoder_, http::BodyFraming{http::Framing::UntilClose, 0}, nullptr);
  out_[0] = {out.view().data(), out.view().size()};
  unsent_ = {out_.data(), 1};
  io::Code code = push();
  if (code == io::Code::WouldBlock) code = co_await written();
  co_return code;
}

io::Count Http1Connection::tunnel_write(std::string_view data) noexcept {
  const std::array<io::ConstBuffer, 1> buffers{{{data.data(), data.size()}}};
  return transport_->try_write(buffers);
}

io::Task<io::Code> Http1Connection::tunnel_writable(io::Wait wait) {
  const io::Code code = co_await transport_->writable(wait);
  co_return code;
}

void Http1Connection::tunnel_finish() noexcept { transport_->shutdown_write(); }

}  // namespace gatelab::proxy
