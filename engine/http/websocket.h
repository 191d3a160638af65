// SPDX-License-Identifier: Apache-2.0
// The opening handshake of WebSocket over HTTP/1.1 (RFC 6455 §4), both sides of it, as values. Pure; the digest that
// Sec-WebSocket-Accept is made of belongs to another room, so that its caller passes it in. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/message.h"

namespace gatelab::http::websocket {

// What a request's Upgrade asks for.
enum class Ask : std::uint8_t {
  None,        // no WebSocket: another protocol, none, or HTTP/1.0, where Upgrade means nothing (RFC 9110 §7.8)
  Valid,       // all of RFC 6455 §4.2.1
  NotGet,
  HasBody,     // the tunnel would have to wait for the body's end
  NoConnectionUpgrade,
  BadKey,      // Sec-WebSocket-Key: exactly one, 16 octets in base64
  NoVersion,
  OtherVersion,
  BadProtocol, // Sec-WebSocket-Protocol is no list of tokens
};
Ask asked(const RequestHead& request) noexcept;
// What is wrong with it, for people; empty for None and Valid.
std::string_view describe(Ask ask) noexcept;

// Sec-WebSocket-Accept is base64(SHA-1(key + kGuid)).
inline constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
// "" if the request has none.
std::string_view key_of(const RequestHead& request) noexcept;

// Is this 101 an answer to that request (RFC 6455 §4.1, what a client checks)? `accept` is what Sec-WebSocket-Accept must
// be. Subprotocol and extensions must be some that were offered.
bool accepts(const RequestHead& request, const ResponseHead& answer, std::string_view accept) noexcept;

}  // namespace gatelab::http::websocket
