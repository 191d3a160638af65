// SPDX-License-Identifier: Apache-2.0
// RFC 6455: the handshake as a table, frames against a plain reading of §5.
#include "http/websocket.h"

#include <gtest/gtest.h>

#include "http/frames.h"
#include "http/parser.h"

namespace gatelab::test {
namespace {

using namespace http::websocket;

constexpr const char* kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr const char* kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

Ask ask(const std::string& start, const std::string& fields) {
  const std::string text = start + "\r\nHost: a\r\n" + fields + "\r\n";
  Arena arena;
  http::RequestHead head(arena);
  http::RequestParser parser(head, {});
  EXPECT_EQ(parser.parse(text), http::ParseState::Done) << text;
  return asked(head);
}

std::string good(const std::string& without = "", const std::string& instead = "") {
  std::string out;
  for (const std::string line : {"Upgrade: websocket\r\n", "Connection: keep-alive, Upgrade\r\n", "Sec-WebSocket-Version: 13\r\n", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"})
    out += !without.empty() && line.starts_with(without) ? instead : line;
  return out;
}

TEST(WebsocketHandshake, RequestsAreReadAsTheStandardHasIt) {
  const std::string get = "GET /ws HTTP/1.1";
  const struct {
    std::string start, fields;
    Ask expected;
  } rows[] = {
      {get, good(), Ask::Valid},
      {get, good("Upgrade", "Upgrade: h2c, WebSocket\r\n"), Ask::Valid},
      {get, good("Connection", "Connection: UPGRADE\r\n"), Ask::Valid},
      {get, good() + "Sec-WebSocket-Protocol: chat, superchat\r\n", Ask::Valid},
      {get, good() + "Content-Length: 0\r\n", Ask::Valid},
      {get, "", Ask::None},
      {get, good("Upgrade", "Upgrade: h2c\r\n"), Ask::None},
      {"GET /ws HTTP/1.0", good(), Ask::None},
      {"POST /ws HTTP/1.1", good(), Ask::NotGet},
      {get, good() + "Content-Length: 3\r\n", Ask::HasBody},
      {get, good() + "Transfer-Encoding: chunked\r\n", Ask::HasBody},
      {get, good("Connection", ""), Ask::NoConnectionUpgrade},
      {get, good("Connection", "Connection: keep-alive\r\n"), Ask::NoConnectionUpgrade},
      {get, good("Sec-WebSocket-Version", ""), Ask::NoVersion},
      {get, good("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8\r\n"), Ask::OtherVersion},
      {get, good("Sec-WebSocket-Version", "Sec-WebSocket-Version: 13, 8\r\n"), Ask::OtherVersion},
      {get, good() + "Sec-WebSocket-Version: 13\r\n", Ask::OtherVersion},
      {get, good("Sec-WebSocket-Key", ""), Ask::BadKey},
      {get, good() + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", Ask::BadKey},
      {get, good("Sec-WebSocket-Key", "Sec-WebSocket-Key: \r\n"), Ask::BadKey},
      {get, good("Sec-WebSocket-Key", "Sec-WebSocket-Key: c2hvcnQ=\r\n"), Ask::BadKey},
      {get, good("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n"), Ask::BadKey},
      {get, good("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWX=\r\n"), Ask::BadKey},
      {get, good("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhl!HNhbXBsZSBub25jZQ==\r\n"), Ask::BadKey},
      {get, good() + "Sec-WebSocket-Protocol: a b\r\n", Ask::BadProtocol},
      {get, good() + "Sec-WebSocket-Protocol: \r\n", Ask::BadProtocol},
  };
  for (const auto& row : rows) EXPECT_EQ(ask(row.start, row.fields), row.expected) << row.start << "\n" << row.fields;
}

bool accepted(const std::string& offered, const std::string& answer) {
  const std::string request_text = "GET / HTTP/1.1\r\nHost: a\r\n" + good() + offered + "\r\n";
  Arena arena;
  http::RequestHead request(arena);
  http::RequestParser request_parser(request, {});
  EXPECT_EQ(request_parser.parse(request_text), http::ParseState::Done);
  http::ResponseHead head(arena);
  http::ResponseParser parser(head, http::Method::Get, {});
  EXPECT_EQ(parser.parse(answer), http::ParseState::Done) << answer;
  return accepts(request, head, kAccept);
}

TEST(WebsocketHandshake, AnAnswerMustFitWhatWasAsked) {
  const std::string line = "HTTP/1.1 101 Switching Protocols\r\n", upgrade = "Upgrade: WebSocket\r\nConnection: Upgrade\r\n",
                    accept = std::string("Sec-WebSocket-Accept: ") + kAccept + "\r\n", end = "\r\n";
  const struct {
    std::string offered, answer;
    bool expected;
  } rows[] = {
      {"", line + upgrade + accept + end, true},
      {"", "HTTP/1.0 101 Switching Protocols\r\n" + upgrade + accept + end, false},
      {"", line + "Connection: Upgrade\r\n" + accept + end, false},
      {"", line + "Upgrade: h2c\r\nConnection: Upgrade\r\n" + accept + end, false},
      {"", line + "Upgrade: websocket\r\n" + accept + end, false},
      {"", line + upgrade + end, false},
      {"", line + upgrade + accept + accept + end, false},
      {"", line + upgrade + "Sec-WebSocket-Accept: AAAALMBiTxaQ9kYGzzhZRbK+xOo=\r\n" + end, false},
      {"", line + upgrade + accept + "Sec-WebSocket-Protocol: chat\r\n" + end, false},
      {"Sec-WebSocket-Protocol: superchat, chat\r\n", line + upgrade + accept + "Sec-WebSocket-Protocol: chat\r\n" + end, true},
      {"Sec-WebSocket-Protocol: superchat, chat\r\n", line + upgrade + accept + "Sec-WebSocket-Protocol: Chat\r\n" + end, false},
      {"Sec-WebSocket-Protocol: a, b\r\n", line + upgrade + accept + "Sec-WebSocket-Protocol: a, b\r\n" + end, false},
      {"Sec-WebSocket-Protocol: a, b\r\n", line + upgrade + accept + end, true},
      {"", line + upgrade + accept + "Sec-WebSocket-Extensions: permessage-deflate\r\n" + end, false},
      {"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n", line + upgrade + accept + "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n" + end, true},
      {"Sec-WebSocket-Extensions: a\r\n", line + upgrade + accept + "Sec-WebSocket-Extensions: a, b\r\n" + end, false},
  };
  for (const auto& row : rows) EXPECT_EQ(accepted(row.offered, row.answer), row.expected) << row.offered << row.answer;
}

const std::array<char, 4> kMask{1, 2, 3, 4};

TEST(WebsocketFrames, HaveTheShortestLengthsOfTheStandard) {
  EXPECT_EQ(frame(Opcode::Text, "Hello", std::nullopt), std::string("\x81\x05Hello", 7));
  EXPECT_EQ(frame(Opcode::Text, "Hello", std::array<char, 4>{'\x37', '\xfa', '\x21', '\x3d'}), std::string("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11));
  EXPECT_EQ(frame(Opcode::Binary, std::string(256, 'x'), std::nullopt).substr(0, 4), std::string("\x82\x7e\x01\x00", 4));
  EXPECT_EQ(frame(Opcode::Binary, std::string(65536, 'x'), std::nullopt).substr(0, 10), std::string("\x82\x7f\0\0\0\0\0\x01\0\0", 10));
}

TEST(WebsocketFrames, ComeOutAsTheyWentInHoweverTheyAreCut) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 65'535U, 65'536U}) {
    for (const std::size_t step : {1U, 3U, 4096U, 1'000'000U}) {
      const std::string payload(size, 'x');
      const std::string octets = frame(Opcode::Text, payload, kMask, false) + frame(Opcode::Ping, "p", kMask) + frame(Opcode::Continuation, payload, kMask) + frame(Opcode::Close, close_payload(1000, "bye"), kMask);
      MessageReader reader(Sender::Client);
      FrameScanner scanner(Sender::Client);
      std::vector<Message> got;
      for (std::size_t at = 0; at < octets.size(); at += step) {
        std::string_view piece = std::string_view(octets).substr(at, step);
        scanner.follow(piece);
        Message message;
        while (reader.next(piece, message) == MessageReader::State::Message) got.push_back(message);
        ASSERT_TRUE(piece.empty());
      }
      ASSERT_EQ(got.size(), 3U) << size << " " << step;
      EXPECT_EQ(got[0].payload, "p");
      EXPECT_EQ(got[1].payload, payload + payload);
      EXPECT_EQ(got[2].code, 1000);
      EXPECT_EQ(got[2].payload, "bye");
      EXPECT_TRUE(scanner.at_boundary() && scanner.closed() && !scanner.lost());
    }
  }
}

TEST(WebsocketFrames, TheScannerKnowsHowMuchOfAPieceBelongsToTheFrameUnderWay) {
  const std::string one = frame(Opcode::Binary, std::string(300, 'x'), kMask), two = one + frame(Opcode::Text, "next", kMask);
  for (std::size_t cut = 0; cut < one.size(); ++cut) {
    FrameScanner scanner(Sender::Client);
    scanner.follow(std::string_view(two).substr(0, cut));
    EXPECT_EQ(scanner.at_boundary(), cut == 0);
    EXPECT_EQ(scanner.rest_of_frame(std::string_view(two).substr(cut)), cut == 0 ? 0 : one.size() - cut) << cut;
  }
}

TEST(WebsocketFrames, WhatTheStandardForbidsIsBroken) {
  const std::string broken[] = {
      std::string("\x83\x80", 2) + "mask",                       // reserved opcode
      std::string("\x81\x01x", 3),                               // a client's frame without a mask
      std::string("\x09\x80", 2) + "mask",                       // a fragmented control frame
      std::string("\x89\xfe\x00\x7e", 4) + "mask",               // a long one
      std::string("\x82\xfe\x00\x05", 4) + "mask",               // not the shortest length
      std::string("\x82\xff\x80\0\0\0\0\0\0\0", 10) + "mask",    // top bit set
      std::string("\x80\x80", 2) + "mask",                       // a continuation of nothing
      frame(Opcode::Text, "a", kMask, false) + frame(Opcode::Text, "b", kMask),
      frame(Opcode::Text, "\xc0\xaf", kMask),                    // overlong UTF-8
      frame(Opcode::Close, "x", kMask),                          // half a code
      frame(Opcode::Close, close_payload(1005, ""), kMask),      // a code that is never sent
  };
  for (const std::string& octets : broken) {
    MessageReader reader(Sender::Client);
    std::string_view data = octets;
    Message message;
    MessageReader::State state = MessageReader::State::Message;
    while (state == MessageReader::State::Message) state = reader.next(data, message);
    EXPECT_EQ(state, MessageReader::State::Broken) << testing::PrintToString(octets);
  }
  FrameScanner scanner(Sender::Client);
  scanner.follow(broken[0]);
  EXPECT_TRUE(scanner.lost());
  FrameScanner after_close(Sender::Client);
  after_close.follow(frame(Opcode::Close, "", kMask) + frame(Opcode::Text, "x", kMask));
  EXPECT_TRUE(after_close.lost() && after_close.closed());
}

}  // namespace
}  // namespace gatelab::test
