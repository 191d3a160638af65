// SPDX-License-Identifier: Apache-2.0
// What arrives before and beside requests, octet by octet in simulated time: PROXY headers, bodies that drip.
#include <gtest/gtest.h>

#include "gateway/client_counts.h"
#include "http/proxy_protocol.h"
#include "support/raw_world.h"

namespace gatelab::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kGet = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr const char* kProxied = "proxy_protocol: required, trusted_proxies: [127.0.0.0/8]";

void drip(RawWorld& world, RawClient& client, std::string_view octets, Duration every) {
  for (const char octet : octets) {
    client.write(std::string(1, octet));
    world.sim.advance(every);
  }
}

TEST(ProxyHeaders, ArriveInWhateverPieces) {
  for (const auto version : {http::ProxyProtocol::V1, http::ProxyProtocol::V2}) {
    RawWorld world(plain_gateway("", kProxied));
    RawClient& client = world.connect();
    drip(world, client, http::write_proxy_header(version, *parse_address("203.0.113.9:4711"), *parse_address("192.0.2.1:443")), milliseconds(10));
    drip(world, client, kGet, milliseconds(10));
    ASSERT_EQ(world.records.size(), 1U);
    EXPECT_EQ(world.records[0].status, 200);
    EXPECT_EQ(format(world.records[0].client), "203.0.113.9:4711");
    EXPECT_FALSE(client.eof);
  }
}

TEST(ProxyHeaders, AreWaitedForAsLongAsAHead) {
  RawWorld world(plain_gateway("", std::string(kProxied) + ", header_timeout: 2s"));
  RawClient& client = world.connect();
  drip(world, client, "PROXY TCP4 1.", milliseconds(100));
  EXPECT_FALSE(client.eof);
  world.sim.advance(seconds(1));
  EXPECT_TRUE(client.eof || client.broken);
  ASSERT_EQ(world.records.size(), 1U);
  EXPECT_EQ(world.records[0].ended_reason, "proxy-protocol");
}

TEST(ProxyHeaders, ThatAreNoneGiveTheirOctetsBack) {
  RawWorld world(plain_gateway("", "proxy_protocol: optional, trusted_proxies: [127.0.0.0/8]"));
  RawClient& client = world.connect();
  drip(world, client, "PROPFIND /a HTTP/1.1\r\nHost: a\r\n\r\n", milliseconds(10));
  ASSERT_EQ(world.requests.size(), 1U);
  EXPECT_TRUE(world.requests[0].starts_with("PROPFIND /a HTTP/1.1\r\n"));
}

TEST(ProxyHeaders, OfAConnectionThatSaysNothingDoNotHoldUpTheEnd) {
  RawWorld world(plain_gateway("", std::string(kProxied) + ", header_timeout: 1h"));
  world.connect().write("PROXY ");
  world.sim.advance(seconds(1));
}

TEST(Bodies, ThatDripBelowTheMinimumRateAre408) {
  RawWorld world(plain_gateway("", "body_timeout: 5s, min_body_rate: 10B/s"));
  RawClient& client = world.connect();
  client.write("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
  drip(world, client, "12345", seconds(1));
  EXPECT_TRUE(client.received.empty());
  drip(world, client, "67", seconds(1));
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 408 ")) << client.received;
  ASSERT_EQ(world.records.size(), 1U);
  EXPECT_EQ(world.records[0].ended_reason, "body-timeout");
}

TEST(Bodies, AboveTheMinimumRateMayTakeTheirTime) {
  RawWorld world(plain_gateway("", "body_timeout: 5s, min_body_rate: 10B/s"));
  RawClient& client = world.connect();
  client.write("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    client.write(std::string(20, 'x'));
    world.sim.advance(seconds(2));
  }
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200 ")) << client.received;
}

TEST(ClientCounts, AreExactAndForgetWhoHasGone) {
  gateway::ClientCounts counts;
  const IpAddress a = *parse_ip("203.0.113.1"), one = *parse_ip("2001:db8::1"), same_network = *parse_ip("2001:db8::2"), other = *parse_ip("2001:db8:0:1::1");
  EXPECT_TRUE(counts.enter(a, 2));
  EXPECT_TRUE(counts.enter(a, 2));
  EXPECT_FALSE(counts.enter(a, 2));
  counts.leave(a);
  EXPECT_TRUE(counts.enter(a, 2));
  EXPECT_TRUE(counts.enter(one, 1));
  EXPECT_FALSE(counts.enter(same_network, 1));
  EXPECT_TRUE(counts.enter(other, 1));
}

}  // namespace
}  // namespace gatelab::test
