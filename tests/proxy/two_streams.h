// SPDX-License-Identifier: Apache-2.0
// A client's connection that carries several requests at once, as a protocol with streams does: the other thing that can
// stand behind proxy::Inbound besides HTTP/1. What goes to the client is one list of frames, in the order in which the
// exchanges wrote them. One thread; the test plays the client.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "http/parser.h"
#include "proxy/inbound.h"

namespace gatelab::test {

class Streams;

class Stream final : public proxy::Inbound {
 public:
  Stream(Streams& connection, int id, io::Loop& loop, std::string head);

  // The client's side.
  void send(std::string octets) { arrive(std::move(octets), false); }
  void finish(std::string octets = {}) { arrive(std::move(octets), true); }
  void go_away();                  // RST_STREAM
  void take(std::size_t octets);   // opens the window for that much more of the answer's body

  http::RequestHead& head() noexcept override { return head_; }
  Address client() const noexcept override { return *parse_address("192.0.2.1:5000"); }
  Address local() const noexcept override { return *parse_address("127.0.0.1:8443"); }
  std::string_view scheme() const noexcept override { return "https"; }
  Instant began() const noexcept override { return began_; }
  Arena& arena() noexcept override { return arena_; }
  proxy::BodyPiece next_body() noexcept override;
  io::Task<io::Code> body_ready(io::Wait wait) override;
  std::uint64_t body_octets() const noexcept override { return octets_; }
  const http::Fields& trailers() const noexcept override { return trailers_; }
  bool skip_body() noexcept override;
  io::Task<io::Code> write_interim(std::uint16_t status, const http::Fields& fields) override;
  void write_head(const proxy::AnswerHead& head) noexcept override;
  io::Code write_body(std::string_view data, bool last, const http::Fields* trailers) noexcept override;
  io::Task<io::Code> written() override;
  void reset() noexcept override;
  io::Task<io::Code> gone(io::Wait wait) override;
  void on_cut(io::CancelToken* token) noexcept override { exchange_token_ = token; }
  void on_drain(io::CancelToken*) noexcept override {}  // nothing here drains
  io::Task<io::Code> open_tunnel(const http::Fields& fields) override;
  io::Count tunnel_write(std::string_view data) noexcept override;
  io::Task<io::Code> tunnel_writable(io::Wait wait) override;
  void tunnel_finish() noexcept override { frame("end"); }
  Instant body_deadline() const noexcept override { return loop_.now() + std::chrono::seconds(30); }

 private:
  friend class Streams;
  void arrive(std::string octets, bool last);
  void frame(const std::string& text);
  io::Code push() noexcept;

  Streams& connection_;
  int id_;
  io::Loop& loop_;
  std::string_view unsent_;  // of the piece being written
  bool ends_ = false;        // behind it
  Arena arena_;
  http::RequestHead head_{arena_};
  http::Fields trailers_{arena_};
  Instant began_;
  std::deque<std::string> pieces_;
  std::string current_;
  std::uint64_t octets_ = 0;
  bool whole_ = false, gone_ = false, reset_ = false;
  std::size_t window_ = SIZE_MAX;
  std::string pending_head_;
  io::Signal arrived_, opened_, left_;
  io::CancelToken cut_;
  io::CancelToken* exchange_token_ = nullptr;
};

class Streams {
 public:
  explicit Streams(io::Loop& loop) noexcept : loop_(loop) {}
  // `window`: octets of an answer's body that may go out before the client takes more.
  Stream& open(std::string head, std::size_t window = SIZE_MAX);
  // The connection is lost, and with it every stream.
  void cut();

  // "1 head 200", "3 data abc", "1 end", "3 reset".
  std::vector<std::string> frames;
  // What stream `id` has received: "200 abc." where the dot is the end.
  std::string received(int id) const;

 private:
  io::Loop& loop_;
  std::vector<std::unique_ptr<Stream>> streams_;
};

}  // namespace gatelab::test
