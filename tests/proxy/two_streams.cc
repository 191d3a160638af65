// SPDX-License-Identifier: Apache-2.0
#include "proxy/two_streams.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace gatelab::test {

Stream::Stream(Streams& connection, int id, io::Loop& loop, std::string head) : connection_(connection), id_(id), loop_(loop), began_(loop.now()) {
  http::RequestParser parser(head_, {});
  EXPECT_EQ(parser.parse(arena_.copy(head)), http::ParseState::Done) << head;
  whole_ = head_.body.kind == http::Framing::None;
}

void Stream::arrive(std::string octets, bool last) {
  if (!octets.empty()) pieces_.push_back(std::move(octets));
  whole_ = whole_ || last;
  arrived_.signal();
}

void Stream::go_away() {
  gone_ = true;
  arrived_.signal();
  opened_.signal();
  left_.signal();
}

void Stream::take(std::size_t octets) {
  window_ += octets;
  opened_.signal();
}

proxy::BodyPiece Stream::next_body() noexcept {
  if (!pieces_.empty()) {
    current_ = std::move(pieces_.front());
    pieces_.pop_front();
    octets_ += current_.size();
    return {proxy::BodyPiece::Kind::Data, current_, {}};
  }
  if (gone_) return {proxy::BodyPiece::Kind::Gone, {}, {}};
  return {whole_ ? proxy::BodyPiece::Kind::Done : proxy::BodyPiece::Kind::Again, {}, {}};
}

io::Task<io::Code> Stream::body_ready(io::Wait wait) {
  if (!pieces_.empty() || whole_ || gone_) co_return io::Code::Ok;
  const io::Code code = co_await arrived_.wait(loop_, wait);
  co_return code;
}

bool Stream::skip_body() noexcept {
  pieces_.clear();
  return whole_;
}

io::Task<io::Code> Stream::write_interim(std::uint16_t status, const http::Fields&) {
  frame("interim " + std::to_string(status));
  co_return io::Code::Ok;
}

void Stream::write_head(const proxy::AnswerHead& head) noexcept { pending_head_ = "head " + std::to_string(head.status); }

io::Code Stream::write_body(std::string_view data, bool last, const http::Fields*) noexcept {
  if (!pending_head_.empty()) frame(std::exchange(pending_head_, {}));
  unsent_ = data;
  ends_ = last;
  return push();
}

io::Code Stream::push() noexcept {
  while (!unsent_.empty()) {
    if (gone_ || reset_) return io::Code::Reset;
    const std::size_t n = std::min(window_, unsent_.size());
    if (n == 0) return io::Code::WouldBlock;
    if (window_ != SIZE_MAX) window_ -= n;
    frame("data " + std::string(unsent_.substr(0, n)));
    unsent_.remove_prefix(n);
  }
  if (gone_ || reset_) return io::Code::Reset;
  if (ends_) frame("end");
  return io::Code::Ok;
}

io::Task<io::Code> Stream::written() {
  io::Code code = io::Code::WouldBlock;
  while (code == io::Code::WouldBlock) {
    io::Wait wait;
    wait.deadline = loop_.now() + std::chrono::seconds(30);
    wait.cancel = &cut_;
    wait.what = "client to open its window";
    code = co_await opened_.wait(loop_, wait);
    if (code == io::Code::Ok) code = push();
  }
  co_return code;
}

void Stream::reset() noexcept {
  if (!std::exchange(reset_, true)) frame("reset");
}

io::Task<io::Code> Stream::gone(io::Wait wait) {
  while (!gone_) {
    const io::Code code = co_await left_.wait(loop_, wait);
    if (code != io::Code::Ok) co_return code;
  }
  co_return io::Code::Reset;
}

io::Task<io::Code> Stream::open_tunnel(const http::Fields&) {
  whole_ = false;
  frame("head 200");
  co_return io::Code::Ok;
}

io::Count Stream::tunnel_write(std::string_view data) noexcept {
  if (gone_ || reset_) return {io::Code::Reset, 0};
  const std::size_t n = std::min(window_, data.size());
  if (n == 0) return {io::Code::WouldBlock, 0};
  if (window_ != SIZE_MAX) window_ -= n;
  frame("data " + std::string(data.substr(0, n)));
  return {io::Code::Ok, n};
}

io::Task<io::Code> Stream::tunnel_writable(io::Wait wait) {
  if (window_ > 0 || gone_) co_return io::Code::Ok;
  const io::Code code = co_await opened_.wait(loop_, wait);
  co_return code;
}

void Stream::frame(const std::string& text) { connection_.frames.push_back(std::to_string(id_) + " " + text); }

Stream& Streams::open(std::string head, std::size_t window) {
  const int id = static_cast<int>(streams_.size()) * 2 + 1;
  Stream& stream = *streams_.emplace_back(std::make_unique<Stream>(*this, id, loop_, std::move(head)));
  stream.window_ = window;
  return stream;
}

void Streams::cut() {
  for (const auto& stream : streams_) {
    stream->gone_ = true;
    stream->cut_.cancel();
    if (stream->exchange_token_ != nullptr) stream->exchange_token_->cancel();
  }
}

std::string Streams::received(int id) const {
  const std::string prefix = std::to_string(id) + " ";
  std::string out;
  for (const std::string& f : frames) {
    if (!f.starts_with(prefix)) continue;
    const std::string what = f.substr(prefix.size());
    if (what.starts_with("head ")) out += what.substr(5) + " ";
    else if (what.starts_with("data ")) out += what.substr(5);
    else out += what == "end" ? "." : "!";
  }
  return out;
}

}  // namespace gatelab::test
