// SPDX-License-Identifier: Apache-2.0
// The client as an exchange sees it: one request and its answer, whatever protocol carries them (design §4). HTTP/1 has
// one at a time on a connection; a protocol with streams has many. One thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/address.h"
#include "base/arena.h"
#include "crypto/tls_engine.h"
#include "http/message.h"
#include "http/rule.h"
#include "io/loop.h"
#include "io/task.h"

namespace gatelab::proxy {

// What next_body() found.
struct BodyPiece {
  enum class Kind : std::uint8_t {
    Data,      // `data`, valid until the next call
    Done,      // the body is complete
    Again,     // nothing more has arrived: co_await body_ready()
    Broken,    // `rule` says how the framing is broken
    TooLarge,  // more octets than the listener allows
    Gone,      // the client went away before the body's end
  };
  Kind kind = Kind::Done;
  std::string_view data;
  http::Rule rule = http::Rule::Ok;
};

// A final answer's head. `fields` holds no Content-Length, Transfer-Encoding or Connection: the framing says it.
struct AnswerHead {
  std::uint16_t status = 200;
  const http::Fields* fields = nullptr;
  http::BodyFraming framing;  // of the body as it is known; Chunked and UntilClose both mean: length not known
  bool bodiless = false;      // an answer to HEAD, or a 204 or 304: no octets follow, whatever the framing says
};

class Inbound {
 public:
  virtual ~Inbound() = default;

  virtual http::RequestHead& head() noexcept = 0;
  // Who connected: the peer, or whom its PROXY header names.
  virtual Address client() const noexcept = 0;
  // The number of its connection; 0: there is none.
  virtual std::uint64_t connection() const noexcept { return 0; }
  // Where to.
  virtual Address local() const noexcept = 0;
  virtual std::string_view scheme() const noexcept = 0;
  // What TLS has agreed on with the client; null without TLS.
  virtual const crypto::TlsFacts* tls() const noexcept { return nullptr; }
  // The request is for a host whose certificate is not the one that this connection was opened for.
  virtual bool misdirected() const noexcept { return false; }
  // io_now at the request's first octet.
  virtual Instant began() const noexcept = 0;
  // Lives until the exchange has been logged.
  virtual Arena& arena() noexcept = 0;

  // The request's body. next_body() never waits; octets counted are those of the content.
  virtual BodyPiece next_body() noexcept = 0;
  virtual io::Task<io::Code> body_ready(io::Wait wait) = 0;
  virtual std::uint64_t body_octets() const noexcept = 0;
  // After Done of a chunked body; may be empty.
  virtual const http::Fields& trailers() const noexcept = 0;
  // The body is not wanted: true if what is left of it could be skipped without waiting.
  virtual bool skip_body() noexcept = 0;

  // A 1xx answer, sent at once. Code::Ok, or how it failed.
  virtual io::Task<io::Code> write_interim(std::uint16_t status, const http::Fields& fields) = 0;
  // Queues the head: it goes out together with the first octets of the body.
  virtual void write_head(const AnswerHead& head) noexcept = 0;
  // Queues `data` behind what is queued and writes what the transport takes now. `last` ends the message. `trailers` may be
  // null. WouldBlock: co_await written() before the next call; `data` must live until then. Mostly it takes all at once,
  // and no coroutine is made.
  virtual io::Code write_body(std::string_view data, bool last, const http::Fields* trailers) noexcept = 0;
  // Returns when everything queued has been taken by the transport, or how that failed.
  virtual io::Task<io::Code> written() = 0;
  // The answer can't be completed: the client must see that (a closed connection, a reset stream).
  virtual void reset() noexcept = 0;
  // Ends with Reset when the client has gone, with Eof when it has finished sending, with Ok when neither can be told any
  // more, else with the wait's code.
  // Not while body_ready() waits.
  virtual io::Task<io::Code> gone(io::Wait wait) = 0;
  // What else has to be cancelled when the connection is cut; null when there is nothing. Outlives its registration.
  virtual void on_cut(io::CancelToken* token) noexcept = 0;
  // Cancelled as well when the gateway begins to drain: for what would go on for ever. Null: nothing.
  virtual void on_drain(io::CancelToken* token) noexcept = 0;

  // A tunnel. The answer that opens it: HTTP/1.1 says 101, a CONNECT with a :protocol would say 200 (RFC 8441). From then
  // on next_body() gives the client's octets as they come, Done at its last, and the answer is what tunnel_write() takes.
  virtual io::Task<io::Code> open_tunnel(const http::Fields& fields) = 0;
  virtual io::Count tunnel_write(std::string_view data) noexcept = 0;
  virtual io::Task<io::Code> tunnel_writable(io::Wait wait) = 0;
  virtual void tunnel_finish() noexcept = 0;

  // Until when the next octet of the request's body is waited for.
  virtual Instant body_deadline() const noexcept = 0;
};

}  // namespace gatelab::proxy
