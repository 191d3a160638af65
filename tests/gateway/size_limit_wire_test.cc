// SPDX-License-Identifier: Apache-2.0
// What size-limit does to a body on its way, octet by octet: refused before an answer, cut behind one, counted by the
// smallest of all limits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "support/raw_world.h"

namespace gatelab::test {
namespace {

using std::chrono::seconds;

constexpr const char* kHead = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunks(std::size_t count, std::size_t octets, const char* extension = "") {
  char size[24];
  std::snprintf(size, sizeof size, "%zx", octets);
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out.append(size).append(extension).append("\r\n").append(octets, 'x').append("\r\n");
  return out;
}

std::size_t content_in(const std::string& octets) { return static_cast<std::size_t>(std::count(octets.begin() + static_cast<std::ptrdiff_t>(std::min(octets.find("\r\n\r\n"), octets.size())), octets.end(), 'x')); }

TEST(SizeLimitWire, CountsAChunkedBodyHoweverItComes) {
  struct Row {
    const char* name;
    std::vector<std::string> writes;  // with time between them
    int status;
  };
  const std::vector<Row> rows = {
      {"exactly the limit", {std::string(kHead) + chunks(1, 10) + "0\r\n\r\n"}, 200},
      {"exactly the limit, octet by octet", {std::string(kHead) + chunks(10, 1) + "0\r\n\r\n"}, 200},
      {"one more", {std::string(kHead) + chunks(1, 11) + "0\r\n\r\n"}, 413},
      {"one more, octet by octet", {std::string(kHead) + chunks(11, 1) + "0\r\n\r\n"}, 413},
      {"one more in another write", {std::string(kHead) + chunks(1, 10), chunks(1, 1) + "0\r\n\r\n"}, 413},
      {"drop by drop", {kHead, chunks(6, 1), chunks(4, 1), chunks(1, 1), "0\r\n\r\n"}, 413},
      {"a size with zeros before it", {std::string(kHead) + "00000b\r\nxxxxxxxxxxx\r\n0\r\n\r\n"}, 413},
      {"extensions are not content", {std::string(kHead) + chunks(10, 1, ";abcdefgh=ijklmnop") + "0\r\n\r\n"}, 200},
      {"extensions hide no content", {std::string(kHead) + chunks(11, 1, ";a") + "0\r\n\r\n"}, 413},
      {"a body that never ends", {std::string(kHead) + chunks(100, 100)}, 413},
      {"a chunk that is only announced", {std::string(kHead) + "fffffff\r\nxxxxxxxxxxx"}, 413},
  };
  for (const Row& row : rows) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      RawWorld world(plain_gateway("", "", "[ { size-limit: { max_body: 10B } } ]"), seed);
      RawClient& client = world.connect();
      for (const std::string& piece : row.writes) {
        client.write(piece);
        world.settle(seconds(1));
      }
      world.settle(seconds(3));
      ASSERT_EQ(world.records.size(), 1U) << row.name << " " << seed;
      const auto& record = world.records[0];
      EXPECT_EQ(client.received.substr(0, 12), "HTTP/1.1 " + std::to_string(row.status)) << row.name << " " << seed;
      EXPECT_EQ(client.received.find("HTTP/1.1 ", 1), std::string::npos) << "answered twice";
      EXPECT_LE(content_in(world.target_octets), 10U) << row.name << " " << seed;
      if (row.status == 200) continue;
      EXPECT_TRUE(world.requests.empty()) << row.name << ": the target has got a whole request";
      EXPECT_EQ(record.ended_by, "size-limit");
      EXPECT_EQ(record.ended_id, "all/size-limit");
      EXPECT_EQ(record.ended_reason, "body-too-large");
      EXPECT_EQ(record.decisions.back().outcome, observe::Outcome::Deny);
      EXPECT_NE(client.received.find("at most 10B"), std::string::npos);
    }
  }
}

TEST(SizeLimitWire, RefusesADeclaredLengthAtOnce) {
  for (const bool expects : {false, true}) {
    RawWorld world(plain_gateway("", "", "[ { size-limit: { max_body: 10B } } ]"));
    RawClient& client = world.connect();
    client.write("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n" + std::string(expects ? "Expect: 100-continue\r\n" : "") + "\r\n");
    world.settle();
    EXPECT_EQ(client.received.substr(0, 12), "HTTP/1.1 413") << "no 100, and no octet of the body is waited for";
    EXPECT_NE(client.received.find("Connection: close"), std::string::npos);
    EXPECT_EQ(world.target_connections, 0U);
    EXPECT_EQ(world.records.at(0).ended_by, "size-limit");
    EXPECT_EQ(world.records.at(0).ended_phase, observe::Phase::Access);
  }
}

TEST(SizeLimitWire, KeepsAConnectionWhoseBodyIsThereAlready) {
  RawWorld world(plain_gateway("", "", "[ { size-limit: { max_body: 10B } } ]"));
  RawClient& client = world.connect();
  client.write("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nxxxxxxxxxxx");
  world.settle();
  client.write("GET /y HTTP/1.1\r\nHost: a\r\n\r\n");
  world.settle();
  EXPECT_EQ(client.received.substr(0, 12), "HTTP/1.1 413");
  EXPECT_NE(client.received.find("HTTP/1.1 200"), std::string::npos);
  EXPECT_EQ(world.requests.size(), 1U);
}

TEST(SizeLimitWire, CutsAnAnswerThatHasBegun) {
  RawWorld world(plain_gateway("", "", "[ { size-limit: { max_body: 10B } } ]"));
  world.script({{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun", false, false, {}, true}});
  RawClient& client = world.connect();
  client.write(std::string(kHead) + chunks(5, 1));
  world.settle(seconds(1));
  EXPECT_EQ(client.received.substr(0, 12), "HTTP/1.1 200");
  client.write(chunks(6, 1));
  world.settle(seconds(1));
  ASSERT_EQ(world.records.size(), 1U);
  EXPECT_TRUE(world.records[0].truncated);
  EXPECT_EQ(world.records[0].ended_by, "size-limit");
  EXPECT_EQ(world.records[0].ended_reason, "body-too-large");
  EXPECT_TRUE(client.broken || client.eof);
  EXPECT_EQ(client.received.find("413"), std::string::npos);
}

TEST(SizeLimitWire, HoldsToTheSmallestOfAllLimits) {
  struct Row {
    const char* listener;
    const char* policies;
    const char* by;
    const char* id;
    std::size_t most;  // octets of content that reach the target
  };
  for (const Row& row : {Row{"max_body: 20B", "[ { size-limit: { max_body: 10B } } ]", "size-limit", "all/size-limit", 10}, Row{"max_body: 10B", "[ { size-limit: { max_body: 20B } } ]", "gateway", "", 10},
                         Row{"max_body: 10B", "[ { size-limit: { max_body: 10B } } ]", "size-limit", "all/size-limit", 10},
                         Row{"", "[ { size-limit: { max_body: 20B }, id: wide }, { size-limit: { max_body: 10B }, id: narrow } ]", "size-limit", "narrow", 10},
                         Row{"", "[ { size-limit: { max_body: 10B }, id: narrow }, { size-limit: { max_body: 20B }, id: wide } ]", "size-limit", "narrow", 10},
                         Row{"", "[ { size-limit: { max_body: 5B }, id: seen, mode: observe }, { size-limit: { max_body: 20B }, id: wide } ]", "size-limit", "wide", 20}}) {
    for (const std::string& body : {chunks(1, 100), chunks(100, 1)}) {
      RawWorld world(plain_gateway("", row.listener, row.policies));
      RawClient& client = world.connect();
      client.write(kHead + body + "0\r\n\r\n");
      world.settle(seconds(3));
      ASSERT_EQ(world.records.size(), 1U);
      EXPECT_EQ(client.received.substr(0, 12), "HTTP/1.1 413") << row.policies;
      EXPECT_EQ(world.records[0].ended_by, row.by) << row.listener << row.policies;
      EXPECT_EQ(world.records[0].ended_id, row.id) << row.listener << row.policies;
      EXPECT_LE(content_in(world.target_octets), row.most);
      EXPECT_TRUE(world.requests.empty());
    }
  }
}

TEST(SizeLimitWire, OnlyWritesDownWhatItObserves) {
  RawWorld world(plain_gateway("", "", "[ { size-limit: { max_body: 10B }, mode: observe } ]"));
  const std::string got = world.talk(kHead + chunks(100, 1) + "0\r\n\r\n");
  EXPECT_EQ(got.substr(0, 12), "HTTP/1.1 200");
  ASSERT_EQ(world.requests.size(), 1U);
  EXPECT_EQ(content_in(world.requests[0]), 100U);
  std::size_t observed = 0;
  for (const auto& decision : world.records.at(0).decisions)
    if (decision.outcome == observe::Outcome::Observe && decision.reason == "body-too-large") ++observed;
  EXPECT_EQ(observed, 1U) << "once, however many octets are too many";
}

}  // namespace
}  // namespace gatelab::test
