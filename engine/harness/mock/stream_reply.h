// SPDX-License-Identifier: Apache-2.0
// Replies of mocks that are no whole message: pieces with pauses between them, and WebSockets. Immutable; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/match/message.h"

namespace gatelab::harness {

// `events: [ … ]` or `chunks: [ … ]`: the first at once, each of the others `every` later.
struct Pieces {
  std::vector<std::string> texts;
  Duration every{};
  bool open = false;  // behind the last one nothing is said any more, and the connection stays
};

// `websocket: echo`, a list of messages, or { messages, echo, protocol }.
struct WebsocketReply {
  bool echo = false;
  std::string protocol;
  std::vector<OutMessage> messages;
};

// Null if `r` has neither; `type` is set to what an event stream is.
std::optional<Pieces> parse_pieces(config::Reader& r, diag::Sink& sink, std::string& type);
std::optional<WebsocketReply> parse_websocket_reply(config::Reader& r, diag::Sink& sink);

}  // namespace gatelab::harness
