// SPDX-License-Identifier: Apache-2.0
// WebSocket messages in scenarios and stubs: written out to be sent, or matched when they have come. A scalar is a text;
// a map names its kind: text, binary (base64), json, ping, pong, close. Immutable once parsed; any thread.
#pragma once

#include <string>
#include <vector>

#include "harness/match/matcher.h"
#include "http/frames.h"

namespace gatelab::harness {

struct OutMessage {
  http::websocket::Opcode opcode = http::websocket::Opcode::Text;
  std::vector<std::string> fragments;  // one frame each; of a close: its payload
  Duration after{};                    // only of stubs: how long it waits first
};
// The keys of one message in `r`; others are the caller's. Null fragments: nothing was given, and that was reported.
OutMessage parse_message(config::Reader& r, diag::Sink& sink);
// A scalar, or a map with `after` beside the message.
OutMessage parse_message(const config::Node& node, diag::Sink& sink, const std::string& what);
// As octets of frames.
std::string frames_of(const OutMessage& message, const std::optional<std::array<char, 4>>& mask);

struct MessageMatcher {
  http::websocket::Opcode opcode = http::websocket::Opcode::Text;
  MatcherPtr payload, code;
  JsonExpectation json;
  diag::Span span;
};
std::vector<MessageMatcher> parse_message_matchers(const config::Node& node, diag::Sink& sink, const std::string& what);
std::optional<Mismatch> match_message(const MessageMatcher& expected, const http::websocket::Message& message);
// "text `hello`", "close 1001 (shutdown)": for failures.
std::string shown(const http::websocket::Message& message);

}  // namespace gatelab::harness
