// SPDX-License-Identifier: Apache-2.0
// One try at a target, while it lasts: its connection, what was read of its answer, and the tasks beside it. Lives in the
// coroutine that makes the try; private to the exchange.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "http/parser.h"
#include "io/scope.h"
#include "proxy/exchange.h"

namespace gatelab::proxy {

struct Exchange::Attempt {
  Attempt(upstream::Upstream& u, upstream::Upstream::Choice& c, io::CancelToken& token, io::Loop& loop, Arena& arena) noexcept
      : upstream(u), target(*c.target), choice(c), cancel(&token), head(arena), trailers(arena), beside(loop) {}

  upstream::Upstream& upstream;
  upstream::Target& target;
  upstream::Upstream::Choice& choice;
  io::CancelToken* cancel;               // the exchange's; its own while it runs beside another
  io::TransportPtr transport;
  observe::Attempt note;
  http::ResponseHead head;
  http::Fields trailers;
  http::BodyDecoder* decoder = nullptr;  // in the arena
  Buffer block;                          // head of the answer and what came with it
  Buffer more;                           // its body beyond that
  std::size_t used = 0, filled = 0;      // of the buffer that is read from: `more` once there is one
  Instant sent;
  Instant deadline;                      // of this try; the whole exchange's once its answer has begun
  io::Scope beside;                      // the upload, the watch on the client
  bool watching = false;
  bool pumped = false;                   // the answer goes to the cache, and from there to the client
  bool stream = false;                   // events: may be quiet for long
  bool answered = false;                 // octets of an answer were read
  bool over = false;                     // of one that runs beside another: it has an answer, or none
  bool whole = false;                    // the request was handed over with the end of its body
  bool wrote = false;                    // octets of the request were taken by the transport
  std::uint8_t interims = 0;
  const observe::Reason* failure = nullptr;  // why it failed, once it has

  // What of the request is being written; the octets live in the arena or the client's buffers.
  std::array<io::ConstBuffer, 5> out;
  std::span<io::ConstBuffer> unsent;
  char chunk_line[18];

  std::string_view unread() const noexcept { return {(more ? more : block).data() + used, filled - used}; }
  // The answer came with all of its body, as most do.
  bool answered_whole() const noexcept {
    return head.body.kind == http::Framing::None || (head.body.kind == http::Framing::Length && unread().size() >= head.body.length);
  }
};

}  // namespace gatelab::proxy
