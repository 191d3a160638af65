// SPDX-License-Identifier: Apache-2.0
// The HTTP/1 head parser: fed with any segmentation, bounded, no allocation but field slots in the arena, one reading
// of a message (RFC 9112, strict; docs/errors.md). No sockets. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/message.h"
#include "http/rule.h"

namespace gatelab::http {

struct Limits {
  std::uint32_t head_octets = 16 * 1024;  // start line and fields together, up to and with the empty line
  std::uint32_t target_octets = 8 * 1024;
  std::uint32_t fields = 100;
};

enum class ParseState : std::uint8_t { NeedMore, Done, Failed };

// State of one head that is being read. Give it the whole of what has arrived since the head's first octet, again and
// again as more arrives; finished lines are not looked at twice. `data` must begin at the same address each time,
// because the head's views point into it.
class RequestParser {
 public:
  RequestParser(RequestHead& out, const Limits& limits) noexcept : head_(out), limits_(limits) {}
  // One empty line before the request line is skipped (RFC 9112 §2.2).
  ParseState parse(std::string_view data) noexcept;
  // After Done: how many octets of `data` were the head.
  std::size_t consumed() const noexcept { return at_; }
  // After Failed.
  Rule rule() const noexcept { return rule_; }

 private:
  Rule line(std::string_view text) noexcept;
  Rule finish() noexcept;
  RequestHead& head_;
  Limits limits_;
  std::size_t at_ = 0;       // start of the line being read
  std::size_t scanned_ = 0;  // no LF before here
  bool started_ = false;
  bool skipped_empty_ = false;
  Rule rule_ = Rule::Ok;
};

class ResponseParser {
 public:
  // `request_method` decides whether there is a body (RFC 9112 §6.3): HEAD, CONNECT.
  ResponseParser(ResponseHead& out, Method request_method, const Limits& limits) noexcept
      : head_(out), method_(request_method), limits_(limits) {}
  ParseState parse(std::string_view data) noexcept;
  std::size_t consumed() const noexcept { return at_; }
  Rule rule() const noexcept { return rule_; }

 private:
  Rule line(std::string_view text) noexcept;
  Rule finish() noexcept;
  ResponseHead& head_;
  Method method_;
  Limits limits_;
  std::size_t at_ = 0;
  std::size_t scanned_ = 0;
  bool started_ = false;
  Rule rule_ = Rule::Ok;
};

// Takes a body off the wire. Chunked framing is undone; data is never copied: pieces are views into the input.
class BodyDecoder {
 public:
  // A body of nothing. Not defaulted: that would clear the line's octets each time.
  BodyDecoder() noexcept {}  // NOLINT
  // `trailers` (may be null: then they are checked and dropped) must outlive the decoder; their octets are copied into
  // its arena. Trailer section: at most 64 fields in 8 KiB; extensions: 1 KiB a chunk, 16 KiB a body.
  explicit BodyDecoder(BodyFraming framing, Fields* trailers = nullptr) noexcept;

  enum class State : std::uint8_t { NeedMore, Data, Done, Failed };
  struct Piece {
    State state;
    std::string_view data;     // when state is Data: never empty
    std::size_t consumed = 0;  // octets of the input that are dealt with, `data` included
  };
  // One step. Call with what is left of the input until NeedMore (all consumed), Done (the rest belongs to the next
  // message) or Failed. For Framing::None the first call is Done with consumed 0. UntilClose never says Done.
  Piece next(std::string_view input) noexcept;
  // The peer closed. True if the message is complete (UntilClose, or already Done).
  bool finish_at_close() noexcept;
  bool done() const noexcept { return step_ == Step::End; }
  Rule rule() const noexcept { return rule_; }

 private:
  enum class Step : std::uint8_t { Fixed, UntilClose, ChunkSize, ChunkExtension, ChunkSizeLf, ChunkData, ChunkCr, ChunkLf, TrailerLine, End, Bad };
  Piece chunked(std::string_view input) noexcept;
  Piece fail(Rule rule) noexcept;
  Rule trailer_line(std::string_view line) noexcept;

  Step step_ = Step::End;
  Rule rule_ = Rule::Ok;
  std::uint8_t digits_ = 0;
  std::uint8_t trailer_fields_ = 0;
  std::uint16_t extension_octets_ = 0;
  std::uint32_t extensions_octets_ = 0;
  std::uint64_t left_ = 0;
  Fields* trailers_ = nullptr;
  std::uint32_t line_octets_ = 0;
  std::uint32_t trailer_octets_ = 0;
  char line_[1024];  // one trailer line, which may arrive in pieces; not initialised on purpose
};

}  // namespace gatelab::http
