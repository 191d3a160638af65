// SPDX-License-Identifier: Apache-2.0
// Targets that are names, in a worker's life: what is shared, what a reload keeps, what is asked and looked at without a
// request.
#include <gtest/gtest.h>

#include "support/raw_world.h"

namespace gatelab::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr const char* kApi = "http://api.test:9001";

std::string named_gateway(const std::string& dns_of_a = "{}", const std::string& dns_of_b = "{}", const std::string& extra = "") {
  return "gatelab: 1\nlisteners: [ { name: main, address: 127.0.0.1:8080 } ]\nupstreams:\n  a: { url: " + std::string(kApi) + ", dns: " + dns_of_a + " }\n  b: { url: " + kApi +
         ", dns: " + dns_of_b + " }\nroutes:\n  - { name: b, match: { path: /b }, upstream: b }\n  - { name: a, match: { path: /* }, upstream: a" + extra + " }\n";
}

struct World : RawWorld {
  explicit World(const std::string& yaml = named_gateway(), Duration ttl = 60s) : RawWorld(yaml, 1, 1) {
    sim.add_name("api.test", {*parse_ip("127.0.0.1")}, ttl);
  }
  // Empty, or what came instead of an answer from the target.
  std::string get(const std::string& path = "/") {
    const std::string got = talk("GET " + path + " HTTP/1.1\r\nHost: api.test\r\n\r\n");
    return got.starts_with("HTTP/1.1 200 ") ? "" : got;
  }
  std::size_t asked() const { return sim.times_asked("api.test"); }
};

TEST(Names, UpstreamsWithOneUrlShareConnectionsAndAnswersUnlessTheyAskOtherServers) {
  World same(named_gateway("{ servers: [ 192.0.2.53 ] }", "{ servers: [ 192.0.2.53 ] }"));
  for (const char* path : {"/a", "/b", "/a"}) EXPECT_EQ(same.get(path), "");
  EXPECT_EQ(same.target_connections, 1U);
  EXPECT_EQ(same.asked(), 1U);
  World others(named_gateway("{ servers: [ 192.0.2.53 ] }", "{ servers: [ 192.0.2.54 ] }"));
  for (const char* path : {"/a", "/b", "/a"}) EXPECT_EQ(others.get(path), "");
  EXPECT_EQ(others.target_connections, 2U);
  EXPECT_EQ(others.asked(), 2U);
}

TEST(Names, AReloadKeepsConnectionsAndWhatDnsHasSaid) {
  World w;
  EXPECT_EQ(w.get(), "");
  for (int i = 0; i < 3; ++i) {
    w.reload(named_gateway("{}", "{}", i % 2 == 0 ? ", websocket: false" : ""));
    EXPECT_EQ(w.get(), "");
    EXPECT_EQ(w.get(), "");
  }
  EXPECT_EQ(w.target_connections, 1U);
  EXPECT_EQ(w.asked(), 1U);
}

TEST(Names, AReloadsOwnRulesCountAtOnce) {
  World w;
  EXPECT_EQ(w.get(), "");
  w.settle(20s);
  EXPECT_EQ(w.asked(), 1U);
  w.reload(named_gateway("{ ttl: 1s..10s }", "{ ttl: 1s..10s }"));
  w.settle();
  EXPECT_EQ(w.asked(), 2U);
}

TEST(Names, AShortTtlDoesNotMakeIdleConnectionsLookedAtMoreOften) {
  World w(named_gateway(), 1s);
  w.script({{kOk, false, false, {}, false, true}});
  EXPECT_EQ(w.get(), "");
  ASSERT_EQ(w.peers.size(), 1U);
  w.peers.front()->finish();
  w.settle(5s);
  EXPECT_GE(w.asked(), 5U);
  EXPECT_FALSE(w.peers.front()->eof) << "swept";
  w.settle(6s);
  EXPECT_TRUE(w.peers.front()->eof);
}

TEST(Names, AKeptConnectionsNameIsAskedForWhenItsTimeIsOverAndNotBefore) {
  World w(named_gateway(), 25s);
  EXPECT_EQ(w.get(), "");
  w.settle(24s);
  EXPECT_EQ(w.asked(), 1U);
  w.settle(1s);
  EXPECT_EQ(w.asked(), 2U);
  w.settle(25s);
  EXPECT_EQ(w.asked(), 3U);
}

TEST(Names, AnAnswerThatHoldsForNoTimeServesItsRequestAndIsAskedForOnceASecond) {
  World w(named_gateway("{ ttl: 0s..0s, stale: 1ms }", "{ ttl: 0s..0s, stale: 1ms }"), 0s);
  EXPECT_EQ(w.get(), "");
  w.settle(5500ms);
  EXPECT_GE(w.asked(), 5U);
  EXPECT_LE(w.asked(), 7U);
}

TEST(Names, NobodyIsAskedForANameThatNobodyIsConnectedBy) {
  World w(named_gateway(), 1s);
  w.script({{kOk, true}});
  EXPECT_EQ(w.get(), "");
  w.settle(1min);
  EXPECT_LE(w.asked(), 2U);
}

// The name's time is over while nobody is connected, and just then a connection comes that is kept.
TEST(Names, AConnectionThatCameAsANamesTimeEndedIsNotForgotten) {
  World w(named_gateway(), 15s);
  w.script({{kOk, true}, {kOk}});
  EXPECT_EQ(w.get(), "");
  w.settle(14s);
  EXPECT_EQ(w.get(), "");
  w.settle(30s);
  EXPECT_GE(w.asked(), 2U);
}

TEST(Names, ConnectionsEndWhenTheNameDoes) {
  World w(named_gateway(), 10s);
  w.script({{kOk, false, false, {}, false, true}});
  EXPECT_EQ(w.get(), "");
  ASSERT_EQ(w.peers.size(), 1U);
  w.sim.add_name("api.test", {});
  w.settle(11s);
  EXPECT_TRUE(w.peers.front()->eof);
  EXPECT_NE(w.get().find("resolve-failure"), std::string::npos);
}

}  // namespace
}  // namespace gatelab::test
