// SPDX-License-Identifier: Apache-2.0
// WebSocket: a handshake that is called valid has what RFC 6455 asks for; the scanner agrees with a naive reading of the
// same frames wherever they are cut; messages are the same in any segmentation.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/base64.h"
#include "http/frames.h"
#include "http/parser.h"
#include "http/websocket.h"

using namespace gatelab;
using namespace gatelab::http::websocket;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// The handshake at the beginning of `text`; returns what is behind it.
std::string_view handshake(std::string_view text) {
  Arena arena;
  http::RequestHead head(arena);
  http::RequestParser parser(head, {});
  if (parser.parse(text) != http::ParseState::Done) return text;
  const Ask ask = asked(head);
  if (ask == Ask::Valid) {
    require(head.method == http::Method::Get && head.version == http::Version::Http11);
    const auto key = base64_decode(key_of(head));
    require(key && key->size() == 16);
  }
  require(describe(ask).empty() == (ask == Ask::None || ask == Ask::Valid));
  return text.substr(parser.consumed());
}

struct Frames {
  std::vector<std::size_t> ends;  // of whole frames
  bool lost = false;
};

// RFC 6455 §5.2, read off the page.
Frames naive(std::string_view data, bool masked) {
  Frames out;
  std::size_t at = 0;
  bool closed = false;
  while (at < data.size()) {
    if (closed) return out.lost = true, out;
    const auto octet = [&data](std::size_t i) { return static_cast<std::uint8_t>(data[i]); };
    if (data.size() - at < 2) break;
    const unsigned opcode = octet(at) & 15U, short_length = octet(at + 1) & 127U;
    const std::size_t extended = short_length == 126 ? 2 : short_length == 127 ? 8 : 0, head = 2 + extended + (octet(at + 1) >= 128 ? 4U : 0U);
    if (data.size() - at < head) break;
    std::uint64_t length = short_length;
    if (extended > 0) length = 0;
    for (std::size_t i = 0; i < extended; ++i) length = length * 256 + octet(at + 2 + i);
    const bool control = opcode >= 8;
    const bool bad = (opcode > 2 && opcode < 8) || opcode > 10 || (octet(at + 1) >= 128) != masked || (control && (octet(at) < 128 || short_length > 125)) ||
                     length >> 63 != 0 || (extended == 2 && length < 126) || (extended == 8 && length < 65'536);
    if (bad) return out.lost = true, out;
    if (length > data.size() - at - head) break;
    at += head + static_cast<std::size_t>(length);
    out.ends.push_back(at);
    closed = opcode == 8;
  }
  return out;
}

void scan(std::string_view data, Sender sender) {
  const Frames expected = naive(data, sender == Sender::Client);
  FrameScanner scanner(sender);
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i < data.size() && !scanner.lost(); ++i) {
    const bool between = scanner.at_boundary();
    const std::size_t rest = scanner.rest_of_frame(data.substr(i));
    require(between ? rest == 0 : rest > 0 && rest <= data.size() - i);
    FrameScanner ahead = scanner;
    ahead.follow(data.substr(i, rest));
    require(between || ahead.at_boundary() || ahead.lost() || rest == data.size() - i);
    scanner.follow(data.substr(i, 1));
    if (scanner.at_boundary()) ends.push_back(i + 1);
  }
  require(ends == expected.ends);
  require(scanner.lost() == expected.lost);
  FrameScanner whole(sender);
  whole.follow(data);
  require(whole.lost() == scanner.lost() && whole.closed() == scanner.closed());
}

std::string messages(std::string_view data, Sender sender, std::size_t step) {
  MessageReader reader(sender, 4096);
  std::string out;
  for (std::size_t at = 0; at < data.size(); at += step) {
    std::string_view piece = data.substr(at, step);
    Message message;
    for (;;) {
      const MessageReader::State state = reader.next(piece, message);
      if (state == MessageReader::State::NeedMore) break;
      if (state == MessageReader::State::Broken) return out + "!";
      out += std::to_string(static_cast<int>(message.opcode)) + ":" + std::to_string(message.code) + ":" + message.payload + "\n";
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string block(reinterpret_cast<const char*>(data), size);
  const std::string_view frames = handshake(block);
  for (const Sender sender : {Sender::Client, Sender::Server}) {
    scan(frames.substr(0, 2048), sender);
    const std::string whole = messages(frames, sender, frames.size() + 1);
    require(messages(frames, sender, 1) == whole && messages(frames, sender, 7) == whole);
  }
  return 0;
}
