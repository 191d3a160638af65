// SPDX-License-Identifier: Apache-2.0
// WebSockets and event streams over the wire: raw octets at both ends, the whole engine between, in simulated time.
#include <gtest/gtest.h>

#include "http/frames.h"
#include "http/parser.h"
#include "support/raw_world.h"

namespace gatelab::test {
namespace {

using namespace http::websocket;
using std::chrono::minutes;
using std::chrono::seconds;

const std::string kUpgrade = "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const std::string kAsk = kUpgrade + "\r\n";
const std::string k101 = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const std::array<char, 4> kMask{5, 6, 7, 8};

Reply opens(std::string more = "") { return {k101 + more, false, false, {}, false, true}; }
std::string text(std::string_view payload) { return frame(Opcode::Text, payload, kMask); }
std::string plain_text(std::string_view payload) { return frame(Opcode::Text, payload, std::nullopt); }
std::string body_of(const std::string& received) { return received.substr(received.find("\r\n\r\n") + 4); }

// The close frame at the end of what one side has received; code 0: there is none.
Message last_close(const std::string& octets, Sender sender) {
  MessageReader reader(sender);
  std::string_view rest = octets;
  Message message, close;
  while (reader.next(rest, message) == MessageReader::State::Message)
    if (message.opcode == Opcode::Close) close = message;
  return close;
}

// A client whose WebSocket has been opened, by the gateway and by its target.
RawClient& open_tunnel(RawWorld& world) {
  world.script({opens()});
  RawClient& client = world.connect();
  client.write(kAsk);
  world.settle();
  return client;
}

TEST(Tunnel, OpensAndRelaysBothWays) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    RawWorld world(plain_gateway(), seed);
    RawClient& client = open_tunnel(world);
    EXPECT_EQ(plain(client.received),
              "HTTP/1.1 101 Switching Protocols\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\nVia: 1.1 gatelab\nConnection: Upgrade\nUpgrade: websocket\n\n");
    ASSERT_EQ(world.requests.size(), 1U);
    EXPECT_EQ(plain(world.requests[0]),
              "GET /ws HTTP/1.1\nHost: a\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nConnection: Upgrade\nUpgrade: websocket\n"
              "Via: 1.1 gatelab\nX-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: a\nX-Forwarded-Proto: http\nX-Forwarded-Port: 8080\n\n");
    ASSERT_EQ(world.peers.size(), 1U);
    double open = 0;
    EXPECT_TRUE(world.gateway->metrics().value("gatelab_tunnels_active", {}, open));
    EXPECT_EQ(open, 1);
    client.write(text("hello"));
    world.peers[0]->write(plain_text("welcome"));
    world.settle();
    EXPECT_EQ(world.peers[0]->received, text("hello"));
    EXPECT_EQ(body_of(client.received), plain_text("welcome"));
    client.write(frame(Opcode::Close, close_payload(1000, ""), kMask));
    world.settle();
    world.peers[0]->write(frame(Opcode::Close, close_payload(1000, ""), std::nullopt));
    world.peers[0]->finish();
    world.settle();
    EXPECT_TRUE(client.eof);
    client.finish();
    world.settle();
    EXPECT_TRUE(world.peers[0]->eof);
    ASSERT_EQ(world.records.size(), 1U);
    EXPECT_EQ(world.records[0].status, 101);
    EXPECT_EQ(world.records[0].ended_reason, "tunnel-closed");
    EXPECT_EQ(world.records[0].ended_by, "client");
    EXPECT_EQ(world.records[0].request_octets, text("hello").size() + 8);
    EXPECT_EQ(world.records[0].response_octets, plain_text("welcome").size() + 4);
    EXPECT_FALSE(world.records[0].truncated);
    EXPECT_TRUE(world.gateway->metrics().value("gatelab_tunnels_active", {}, open));
    EXPECT_EQ(open, 0);
  }
}

TEST(Tunnel, LosesNothingThatCameBeforeThe101) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    RawWorld world(plain_gateway(), seed);
    world.script({opens(plain_text("first"))});
    RawClient& client = world.connect();
    client.write(kAsk + text("early") + kAsk);  // the second one is payload as well: no request
    world.settle();
    ASSERT_EQ(world.peers.size(), 1U);
    EXPECT_EQ(world.requests.size(), 1U);
    EXPECT_EQ(world.peers[0]->received, text("early") + kAsk);
    EXPECT_EQ(body_of(client.received), plain_text("first"));
  }
}

TEST(Tunnel, WhatFollowsAnUpgradeThatWasRefusedIsNoRequest) {
  RawWorld world(plain_gateway());
  world.script({{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"}});
  RawClient& client = world.connect();
  client.write(kAsk + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
  world.settle(seconds(3));
  EXPECT_EQ(plain(client.received), "HTTP/1.1 404 Not Found\nVia: 1.1 gatelab\nContent-Length: 0\nConnection: close\n\n");
  EXPECT_EQ(world.requests.size(), 1U);
  EXPECT_TRUE(client.eof || client.broken);
}

struct Row {
  const char* name;
  std::string request, reply;
  const char* status;
  const char* reason;
  bool forwarded;
};
class Handshakes : public testing::TestWithParam<Row> {};

TEST_P(Handshakes, EndAsWritten) {
  const Row& row = GetParam();
  RawWorld world(plain_gateway());
  if (!row.reply.empty()) world.script({{row.reply, true, false, {}, false}});
  RawClient& client = world.connect();
  client.write(row.request);
  world.settle(seconds(3));
  EXPECT_TRUE(client.received.starts_with(std::string("HTTP/1.1 ") + row.status)) << client.received;
  ASSERT_EQ(world.records.size(), 1U);
  EXPECT_EQ(world.records[0].ended_reason, row.reason);
  EXPECT_EQ(world.requests.size(), row.forwarded ? 1U : 0U);
  const bool names_version = client.received.find("Sec-WebSocket-Version: 13\r\n") != std::string::npos;
  EXPECT_EQ(names_version, std::string_view(row.status) == "426");
}

std::string with(std::string message, std::string_view from, std::string_view to) { return message.replace(message.find(from), from.size(), to); }
const char* const kOk = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

INSTANTIATE_TEST_SUITE_P(
    All, Handshakes,
    testing::Values(Row{"Post", with(kAsk, "GET", "POST"), "", "400", "websocket-handshake", false},
                    Row{"NoKey", with(kAsk, "Sec-WebSocket-Key", "X-Key"), "", "400", "websocket-handshake", false},
                    Row{"ShortKey", with(kAsk, "dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="), "", "400", "websocket-handshake", false},
                    Row{"NoConnection", with(kAsk, "Connection: Upgrade", "Connection: keep-alive"), "", "400", "websocket-handshake", false},
                    Row{"Body", kUpgrade + "Content-Length: 1\r\n\r\nx", "", "400", "websocket-handshake", false},
                    Row{"Version8", with(kAsk, "13", "8"), "", "426", "websocket-version", false},
                    Row{"Http10IsPlain", with(kAsk, "HTTP/1.1", "HTTP/1.0"), kOk, "200", "completed", true},
                    Row{"OtherProtocolIsPlain", with(kAsk, "Upgrade: websocket", "Upgrade: h2c"), kOk, "200", "completed", true},
                    Row{"AnotherAnswer", kAsk, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "403", "completed", true},
                    Row{"WrongAccept", kAsk, with(k101, "s3pP", "AAAA"), "502", "upstream-malformed", true},
                    Row{"NoAccept", kAsk, with(k101, "Sec-WebSocket-Accept", "X-Accept"), "502", "upstream-malformed", true},
                    Row{"OtherProtocolAccepted", kAsk, with(k101, "Upgrade: websocket", "Upgrade: h2c"), "502", "upstream-malformed", true},
                    Row{"ProtocolNotAskedFor", kAsk, with(k101, "\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat\r\n\r\n"), "502", "upstream-malformed", true},
                    Row{"ExtensionNotOffered", kAsk, with(k101, "\r\n\r\n", "\r\nSec-WebSocket-Extensions: x\r\n\r\n"), "502", "upstream-malformed", true},
                    Row{"NotAskedFor", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", k101, "502", "upstream-malformed", true},
                    Row{"NotAskedForBecauseHttp10", with(kAsk, "HTTP/1.1", "HTTP/1.0"), k101, "502", "upstream-malformed", true}),
    [](const testing::TestParamInfo<Row>& row) { return row.param.name; });

TEST(Tunnel, ARouteMaySayNo) {
  RawWorld world("gatelab: 1\nlisteners: [ { name: main, address: 127.0.0.1:8080 } ]\nupstreams: { target: { url: http://127.0.0.1:9001 } }\n"
                 "routes: [ { name: all, upstream: target, websocket: false } ]\n");
  const std::string got = world.talk(kAsk);
  EXPECT_TRUE(got.starts_with("HTTP/1.1 403")) << got;
  EXPECT_NE(got.find("\"reason\":\"websocket-off\""), std::string::npos);
  EXPECT_TRUE(world.requests.empty());
}

TEST(Tunnel, ASlowClientHoldsTheTargetBack) {
  RawWorld world(plain_gateway());
  RawClient& client = open_tunnel(world);
  client.pause();
  client.write(text("go"));  // wakes the reader, which stops then
  world.settle();
  const std::string big = frame(Opcode::Binary, std::string(4'000'000, 'x'), std::nullopt);
  world.peers.at(0)->write(big);
  world.settle(seconds(1));
  EXPECT_LT(client.received.size(), 500'000U);
  client.write(text("still there"));  // the other direction does not wait
  world.settle();
  EXPECT_EQ(world.peers[0]->received, text("go") + text("still there"));
  client.resume();
  world.settle(seconds(1));
  EXPECT_TRUE(body_of(client.received) == big);
}

TEST(Tunnel, HalfClosesGoThrough) {
  RawWorld world(plain_gateway());
  RawClient& client = open_tunnel(world);
  client.write(text("last"));
  client.finish();
  world.settle();
  EXPECT_TRUE(world.peers.at(0)->eof);
  EXPECT_EQ(world.peers[0]->received, text("last"));
  EXPECT_TRUE(world.records.empty());
  world.peers[0]->write(plain_text("answer"));
  world.peers[0]->finish();
  world.settle();
  EXPECT_EQ(body_of(client.received), plain_text("answer"));
  EXPECT_TRUE(client.eof);
  EXPECT_EQ(world.records.at(0).ended_reason, "tunnel-closed");
  EXPECT_EQ(world.records[0].ended_by, "client");
}

TEST(Tunnel, ASideThatIsGoneIsNoticedAtTheOther) {
  for (const bool client_goes : {true, false}) {
    RawWorld world(plain_gateway());
    RawClient& client = open_tunnel(world);
    (client_goes ? client : *world.peers.at(0)).reset();
    world.settle();
    EXPECT_TRUE((client_goes ? *world.peers.at(0) : client).broken);
    ASSERT_EQ(world.records.size(), 1U);
    EXPECT_EQ(world.records[0].ended_by, client_goes ? "client" : "upstream");
    EXPECT_EQ(world.records[0].ended_reason, client_goes ? "client-gone" : "truncated");
    EXPECT_TRUE(world.records[0].truncated);
  }
}

// Browsers end a connection without TLS's close_notify, and servers with a reset: behind close frames both ways that loses nothing.
TEST(Tunnel, AConnectionThatIsCutBehindBothCloseFramesHasEndedWell) {
  for (const bool client_cuts : {true, false}) {
    RawWorld world(plain_gateway());
    RawClient& client = open_tunnel(world);
    client.write(frame(Opcode::Close, close_payload(1000, ""), kMask));
    world.settle();
    world.peers.at(0)->write(frame(Opcode::Close, close_payload(1000, ""), std::nullopt));
    world.settle();
    EXPECT_TRUE(world.records.empty());
    (client_cuts ? client : *world.peers[0]).reset();
    world.settle();
    ASSERT_EQ(world.records.size(), 1U);
    EXPECT_EQ(world.records[0].ended_reason, "tunnel-closed");
    EXPECT_EQ(world.records[0].ended_by, "client");  // who said it first
    EXPECT_FALSE(world.records[0].truncated);
    EXPECT_EQ(last_close(body_of(client.received), Sender::Server).code, 1000);
  }
}

// One close frame is half a goodbye.
TEST(Tunnel, AConnectionThatIsCutBehindOneCloseFrameIsCut) {
  RawWorld world(plain_gateway());
  RawClient& client = open_tunnel(world);
  client.write(frame(Opcode::Close, close_payload(1000, ""), kMask));
  world.settle();
  world.peers.at(0)->reset();
  world.settle();
  ASSERT_EQ(world.records.size(), 1U);
  EXPECT_EQ(world.records[0].ended_reason, "truncated");
  EXPECT_TRUE(client.broken);
}

TEST(Tunnel, LimitsEndItWithACloseFrameToBothSides) {
  const struct {
    const char* keys;
    int pings;
    const char* reason;
    std::uint16_t code;
  } rows[] = {{"timeouts: { idle: 1s, total: 2s, tunnel: { idle: 30s } }", 3, "tunnel-idle", 1001}, {"timeouts: { tunnel: { idle: 30s, total: 100s } }", 10, "tunnel-limit", 1008}};
  for (const auto& row : rows) {
    RawWorld world(plain_gateway(row.keys));
    RawClient& client = open_tunnel(world);
    for (int i = 0; i < row.pings; ++i) {
      world.settle(seconds(20));
      EXPECT_EQ(client.eof, i >= 5);
      if (!client.eof) client.write(frame(Opcode::Ping, "", kMask));
      world.settle();
    }
    world.settle(seconds(40));
    const Message down = last_close(body_of(client.received), Sender::Server), up = last_close(world.peers.at(0)->received, Sender::Client);
    EXPECT_EQ(down.code, row.code);
    EXPECT_EQ(down.payload, row.reason);
    EXPECT_EQ(up.code, row.code);
    EXPECT_TRUE(client.eof && world.peers[0]->eof);
    ASSERT_EQ(world.records.size(), 1U);
    EXPECT_EQ(world.records[0].ended_by, "gateway");
    EXPECT_EQ(world.records[0].ended_reason, row.reason);
  }
}

TEST(Tunnel, AtShutdownBothSidesAreToldBetweenTwoFrames) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RawWorld world(plain_gateway(), seed);
    RawClient& client = open_tunnel(world);
    // Half of a frame is on its way in each direction.
    const std::string down = frame(Opcode::Binary, std::string(5000, 'd'), std::nullopt), up = frame(Opcode::Binary, std::string(5000, 'u'), kMask);
    client.write(up.substr(0, seed * 200));
    world.peers.at(0)->write(down.substr(0, seed * 200));
    world.settle();
    bool done = false;
    world.gateway->drain(seconds(30), [&done] { done = true; });
    world.settle();
    EXPECT_FALSE(done);
    client.write(up.substr(seed * 200) + text("too late"));
    world.peers[0]->write(down.substr(seed * 200) + plain_text("too late"));
    world.settle();
    const std::string at_client = body_of(client.received), at_target = world.peers[0]->received;
    EXPECT_TRUE(at_client.starts_with(down)) << seed;
    EXPECT_TRUE(at_target.starts_with(up)) << seed;
    EXPECT_EQ(last_close(at_client, Sender::Server).code, 1001);
    EXPECT_EQ(last_close(at_target, Sender::Client).code, 1001);
    EXPECT_EQ(at_client.size(), down.size() + 2 + 2 + 8) << "nothing but the frame and the goodbye";
    EXPECT_FALSE(done) << "the answer to the goodbye is waited for";
    client.write(frame(Opcode::Close, close_payload(1001, ""), kMask));
    world.peers[0]->write(frame(Opcode::Close, close_payload(1001, ""), std::nullopt));
    world.settle();
    EXPECT_TRUE(done);
    EXPECT_TRUE(client.eof);
    EXPECT_EQ(world.records.at(0).ended_reason, "shutdown");
  }
}

TEST(Tunnel, AtShutdownWhoeverDoesNotAnswerIsCut) {
  RawWorld world(plain_gateway());
  RawClient& client = open_tunnel(world);
  bool done = false;
  world.gateway->drain(seconds(30), [&done] { done = true; });
  world.sim.run_until([&done] { return done; }, seconds(5));
  EXPECT_TRUE(done);
  EXPECT_EQ(last_close(body_of(client.received), Sender::Server).code, 1001);
  EXPECT_TRUE(client.eof);
}

TEST(Tunnel, StaysOverAReload) {
  RawWorld world(plain_gateway());
  RawClient& client = open_tunnel(world);
  world.reload("gatelab: 1\nlisteners: [ { name: main, address: 127.0.0.1:8080 } ]\nroutes: [ { name: gone, policies: [ { respond: { status: 410 } } ] } ]\n");
  client.write(text("still"));
  world.settle(seconds(1));
  world.peers.at(0)->write(plain_text("here"));
  world.settle();
  EXPECT_EQ(world.peers[0]->received, text("still"));
  EXPECT_EQ(body_of(client.received), plain_text("here"));
}

TEST(Tunnel, WhatIsNoWebsocketBehindThe101IsRelayedAndCut) {
  RawWorld world(plain_gateway("timeouts: { tunnel: { idle: 10s } }"));
  world.script({opens("no frames at all")});
  RawClient& client = world.connect();
  client.write(kAsk + "nor here");
  world.settle(seconds(20));
  EXPECT_EQ(body_of(client.received), "no frames at all");
  EXPECT_EQ(world.peers.at(0)->received, "nor here");
  EXPECT_TRUE(client.eof);
  EXPECT_EQ(world.records.at(0).ended_reason, "tunnel-idle");
}

constexpr const char* kGet = "GET /events HTTP/1.1\r\nHost: a\r\n\r\n";
Reply events(std::string_view first = "data: 1\n\n") {
  return {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n" + std::string(first), false, false, {}, false, true};
}

// What the chunks of an answer that still goes on hold; where they are cut is the seed's affair.
std::string content_of(const std::string& received) {
  const std::size_t head = received.find("\r\n\r\n");
  if (head == std::string::npos) return {};
  http::BodyDecoder decoder({http::Framing::Chunked, 0});
  std::string_view rest = std::string_view(received).substr(head + 4);
  std::string out;
  for (;;) {
    const auto piece = decoder.next(rest);
    rest.remove_prefix(piece.consumed);
    out += piece.data;
    if (piece.state != http::BodyDecoder::State::Data) return out;
  }
}

TEST(Events, TheFirstOneArrivesBeforeTheSecondIsMade) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    RawWorld world(plain_gateway(), seed);
    world.script({events()});
    RawClient& client = world.connect();
    client.write(kGet);
    world.settle();
    EXPECT_EQ(content_of(client.received), "data: 1\n\n") << client.received;
    world.peers.at(0)->write("data: 2\n\n");
    world.settle();
    EXPECT_EQ(content_of(client.received), "data: 1\n\ndata: 2\n\n") << client.received;
  }
}

TEST(Events, MayBeQuietForLongerThanAnAnswerMay) {
  RawWorld world(plain_gateway("timeouts: { idle: 5s, total: 20s, stream: { idle: 10m } }"));
  world.script({events()});
  RawClient& client = world.connect();
  client.write(kGet);
  for (int i = 0; i < 5; ++i) {
    world.settle(minutes(9));
    EXPECT_TRUE(world.records.empty());
    world.peers.at(0)->write("data: x\n\n");
  }
  world.settle(minutes(11));
  ASSERT_EQ(world.records.size(), 1U);
  EXPECT_EQ(world.records[0].ended_reason, "idle-timeout");
  EXPECT_TRUE(world.peers.at(0)->eof || world.peers[0]->broken);
}

TEST(Events, TheirTotalLimitIsTheirOwn) {
  RawWorld world(plain_gateway("timeouts: { total: 20s, stream: { total: 1m } }"));
  world.script({events()});
  RawClient& client = world.connect();
  client.write(kGet);
  world.settle(seconds(59));
  EXPECT_TRUE(world.records.empty());
  world.settle(seconds(2));
  EXPECT_EQ(world.records.at(0).ended_reason, "total-timeout");
}

TEST(Events, AClientThatHasGoneIsNoticedAtOnceAndTheTargetIsCut) {
  for (const bool resets : {true, false}) {
    RawWorld world(plain_gateway());
    world.script({events()});
    RawClient& client = world.connect();
    client.write(kGet);
    world.settle(seconds(1));
    resets ? client.reset() : client.finish();
    world.settle();
    ASSERT_EQ(world.records.size(), 1U);
    EXPECT_EQ(world.records[0].ended_reason, "client-gone");
    EXPECT_TRUE(world.peers.at(0)->eof || world.peers[0]->broken);
  }
}

TEST(Events, AtShutdownTheyHaveTheGraceAndAreCutThen) {
  RawWorld world(plain_gateway());
  world.script({events()});
  RawClient& client = world.connect();
  client.write(kGet);
  world.settle();
  bool done = false;
  world.gateway->drain(seconds(30), [&done] { done = true; });
  world.settle(seconds(29));
  EXPECT_FALSE(done);
  world.peers.at(0)->write("data: last\n\n");
  world.settle();
  EXPECT_TRUE(content_of(client.received).ends_with("data: last\n\n")) << client.received;
  world.settle(seconds(2));
  EXPECT_TRUE(done);
  EXPECT_TRUE(client.broken);
  EXPECT_EQ(world.records.at(0).ended_reason, "shutdown");
  EXPECT_TRUE(world.records[0].truncated);
}

}  // namespace
}  // namespace gatelab::test
