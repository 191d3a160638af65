// SPDX-License-Identifier: Apache-2.0
// One HTTP/1 client connection: reads heads, runs an exchange for each, keeps the connection or closes it. It owns the
// transport and the read buffers; while idle it holds neither buffer nor arena. Used on its worker's thread only.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "http/parser.h"
#include "io/network.h"
#include "proxy/inbound.h"
#include "proxy/preface.h"
#include "proxy/services.h"

namespace gatelab::proxy {

class Http1Connection final : public Inbound {
 public:
  Http1Connection(Services& services, std::shared_ptr<const ListenerSettings> settings, io::TransportPtr transport, const Preface& preface) noexcept;
  ~Http1Connection() override;
  Http1Connection(const Http1Connection&) = delete;
  Http1Connection& operator=(const Http1Connection&) = delete;

  // Until the connection is over. The connection must outlive the task.
  io::Task<void> serve();

  // The worker drains: an idle connection waits a last moment for a request that is on its way, then closes.
  void drain() noexcept;
  // No more patience: every wait ends, the exchange in flight is cut.
  void cut() noexcept;
  // The exchange in flight registers what else has to be cancelled by cut(). Null: nothing.
  void on_cut(io::CancelToken* token) noexcept override { exchange_token_ = token; }
  void on_drain(io::CancelToken* token) noexcept override { drain_token_ = token; }
  Http1Connection* next() const noexcept { return next_; }

  http::RequestHead& head() noexcept override { return *head_; }
  Address client() const noexcept override { return ends_.client; }
  Address local() const noexcept override { return ends_.local; }
  std::uint64_t connection() const noexcept override { return ends_.connection; }
  std::string_view scheme() const noexcept override { return settings_->tls ? "https" : "http"; }
  const crypto::TlsFacts* tls() const noexcept override { return transport_->tls(); }
  bool misdirected() const noexcept override;
  Instant began() const noexcept override { return began_; }
  Arena& arena() noexcept override { return *arena_; }
  BodyPiece next_body() noexcept override;
  io::Task<io::Code> body_ready(io::Wait wait) override;
  std::uint64_t body_octets() const noexcept override { return body_octets_; }
  const http::Fields& trailers() const noexcept override { return *trailers_; }
  bool skip_body() noexcept override;
  io::Task<io::Code> write_interim(std::uint16_t status, const http::Fields& fields) override;
  void write_head(const AnswerHead& head) noexcept override;
  io::Code write_body(std::string_view data, bool last, const http::Fields* trailers) noexcept override;
  io::Task<io::Code> written() override;
  void reset() noexcept override;
  io::Task<io::Code> gone(io::Wait wait) override;
  io::Task<io::Code> open_tunnel(const http::Fields& fields) override;
  io::Count tunnel_write(std::string_view data) noexcept override;
  io::Task<io::Code> tunnel_writable(io::Wait wait) override;
  void tunnel_finish() noexcept override;
  Instant body_deadline() const noexcept override;

 private:
  enum class HeadEnd : std::uint8_t { Complete, Broken, TimedOut, Idle, Closed, Gone, Again };
  bool begins_nothing() const noexcept;
  io::Wait idle_wait(io::CancelToken& token) noexcept;
  HeadEnd take_head() noexcept;
  io::Task<HeadEnd> rest_of_head();
  io::Task<bool> one_exchange();
  io::Code push() noexcept;
  io::Task<void> finish();
  io::Task<void> linger();
  io::Wait client_wait(Duration patience, std::string_view what) noexcept;
  void begin_message() noexcept;
  void end_message() noexcept;
  void keep_leftover() noexcept;
  void move_head() noexcept;
  bool decide_framing(const AnswerHead& head) noexcept;

  Services& services_;
  std::shared_ptr<const ListenerSettings> settings_;
  io::TransportPtr transport_;
  Ends ends_;
  Http1Connection* next_ = nullptr;
  Http1Connection* before_ = nullptr;
  io::CancelToken cut_;
  io::CancelToken* idle_token_ = nullptr;
  Instant idle_end_ = Instant::max();  // of the wait for a request; max: it has not begun
  io::CancelToken* exchange_token_ = nullptr;
  io::CancelToken* drain_token_ = nullptr;

  // Of the message that is being read.
  std::unique_ptr<Arena> arena_;
  std::optional<http::RequestHead> head_;
  std::optional<http::RequestParser> parser_;
  std::optional<http::Fields> trailers_;
  http::BodyDecoder decoder_;
  Buffer block_;           // the head stays where it was read until the exchange is over
  std::size_t used_ = 0;   // of block_: dealt with
  std::size_t filled_ = 0; // of block_: read
  Buffer more_;            // the body's octets beyond the block
  std::size_t more_used_ = 0, more_filled_ = 0;
  std::uint64_t body_octets_ = 0;
  Instant began_;

  // Of the answer that is being written.
  std::string_view pending_head_;
  std::array<io::ConstBuffer, 5> out_;
  std::span<io::ConstBuffer> unsent_;  // of out_
  char chunk_line_[18];
  bool chunked_out_ = false;
  bool bodiless_out_ = false;
  bool refused_ = false; // the head was not a request: where the next one begins is not known
  bool upgrade_ = false; // a WebSocket is asked for: what comes behind the head may not be a request
  bool tunnel_ = false;  // no messages any more
  std::uint32_t served_ = 0;  // requests before this one
  bool keep_ = true;     // after this exchange
  bool broken_ = false;  // nothing more can be written
};

}  // namespace gatelab::proxy
