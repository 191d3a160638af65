// SPDX-License-Identifier: Apache-2.0
// Bodies that a policy wants whole, over the wire: nothing of a request is at the target before all of it was looked at, however it
// arrives; nothing of an answer is with the client before it was edited; and what breaks off until then is an answer, not a cut.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "coding/coder.h"
#include "support/raw_world.h"

namespace gatelab::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kValidate = "[ { validate: { body: { schema: { type: array } } } } ]";
constexpr const char* kEdit = "[ { json: { request: { set: { /-: 2 } }, response: { remove: [ /secret ] }, max_size: 100KiB } } ]";

std::string post(const std::string& fields, const std::string& body = "") { return "POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + fields + "\r\n" + body; }
std::string length(std::size_t octets) { return "Content-Length: " + std::to_string(octets) + "\r\n"; }
std::string answer(const std::string& body) { return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + length(body.size()) + "\r\n" + body; }
std::string body_of(const std::string& message) { return message.substr(std::min(message.find("\r\n\r\n") + 4, message.size())); }

std::string unchunked(std::string_view rest) {
  std::string out;
  while (!rest.starts_with("0\r\n") && !rest.empty()) {
    const std::size_t size = std::strtoul(std::string(rest.substr(0, 18)).c_str(), nullptr, 16), at = rest.find("\r\n") + 2;
    out += rest.substr(at, size);
    rest.remove_prefix(std::min(rest.size(), at + size + 2));
  }
  return out;
}

TEST(WholeBodyWire, NothingIsAtTheTargetBeforeAllOfARequestIsThere) {
  RawWorld world(plain_gateway("", "", kValidate));
  RawClient& client = world.connect();
  client.write(post(length(5), "[1,"));
  world.settle(seconds(1));
  EXPECT_EQ(world.target_octets, "");
  client.write("2]");
  world.settle(seconds(1));
  ASSERT_EQ(world.requests.size(), 1U);
  EXPECT_EQ(body_of(world.requests[0]), "[1,2]");
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200"));
}

TEST(WholeBodyWire, ChunksArriveOneByOneAndGoUpAsOne) {
  RawWorld world(plain_gateway("", "", kValidate));
  RawClient& client = world.connect();
  client.write(post("Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n"));
  for (const char* chunk : {"1\r\n[\r\n", "2\r\n1,\r\n", "2\r\n2]\r\n"}) {
    client.write(chunk);
    world.settle(milliseconds(10));
    EXPECT_EQ(world.target_octets, "");
  }
  client.write("0\r\nX-Sum: 7\r\n\r\n");
  world.settle(seconds(1));
  ASSERT_EQ(world.requests.size(), 1U);
  EXPECT_EQ(body_of(world.requests[0]), "5\r\n[1,2]\r\n0\r\nX-Sum: 7\r\n\r\n");
}

TEST(WholeBodyWire, WhoWaitsFor100ContinueGetsItFromTheGateway) {
  for (const bool good : {true, false}) {
    RawWorld world(plain_gateway("", "", kValidate));
    RawClient& client = world.connect();
    client.write(post(length(2) + "Expect: 100-continue\r\n"));
    world.settle(milliseconds(10));
    EXPECT_EQ(client.received, "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(world.target_octets, "");
    client.write(good ? "[]" : "{}");
    world.settle(seconds(1));
    EXPECT_EQ(world.requests.size(), good ? 1U : 0U);
    EXPECT_EQ(world.target_octets.find("Expect"), std::string::npos);
    EXPECT_NE(client.received.find(good ? "HTTP/1.1 200" : "HTTP/1.1 400"), std::string::npos);
  }
  // Known to be too long: it is not asked for.
  RawWorld world(plain_gateway("", "", kEdit));
  RawClient& client = world.connect();
  client.write(post(length(200'000) + "Expect: 100-continue\r\n"));
  world.settle(seconds(1));
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 413")) << client.received;
  EXPECT_EQ(world.target_octets, "");
}

TEST(WholeBodyWire, ABodyThatDoesNotComeOrBreaksOffReachesNoTarget) {
  struct Row {
    const char* name;
    const char* reason;
    std::uint16_t status;
  };
  for (const Row& row : {Row{"stalls", "body-timeout", 408}, {"ends", "truncated-body", 400}, {"resets", "client-gone", 0}, {"breaks", "bad-chunk-size", 400}}) {
    RawWorld world(plain_gateway("", "body_timeout: 2s", kValidate));
    RawClient& client = world.connect();
    const std::string name = row.name;
    client.write(name == "breaks" ? post("Transfer-Encoding: chunked\r\n", "1\r\n[\r\nx\r\n") : post(length(5), "[1,"));
    world.settle(milliseconds(10));
    if (name == "ends") client.finish();
    if (name == "resets") client.reset();
    world.settle(seconds(5));
    ASSERT_EQ(world.records.size(), 1U) << name;
    EXPECT_EQ(world.records[0].ended_reason, row.reason) << name;
    if (row.status != 0) {
      EXPECT_TRUE(client.received.starts_with("HTTP/1.1 " + std::to_string(row.status))) << name << client.received;
    }
    EXPECT_EQ(world.target_octets, "") << name;
  }
}

TEST(WholeBodyWire, ALongBodyThatMayPassGoesUpWholeInEveryFraming) {
  const std::string body = "[" + std::string(3'000'000, ' ') + "]";
  for (const bool chunked : {false, true}) {
    RawWorld world(plain_gateway("", "", "[ { validate: { body: { schema: true }, max_size: 10KiB }, mode: observe }, { json: { request: { wrap: /a }, max_size: 50KiB, on_error: pass } } ]"), 3);
    RawClient& client = world.connect();
    client.write(chunked ? post("Transfer-Encoding: chunked\r\n", "2dc6c2\r\n" + body + "\r\n0\r\n\r\n") : post(length(body.size()), body));
    world.settle(seconds(3));
    ASSERT_EQ(world.requests.size(), 1U);
    std::string came;
    if (!chunked) {
      came = body_of(world.requests[0]);
    } else {
      for (std::string rest = body_of(world.requests[0]); !rest.starts_with("0\r\n");) {
        const std::size_t size = std::strtoul(rest.c_str(), nullptr, 16), at = rest.find("\r\n") + 2;
        came += rest.substr(at, size);
        rest.erase(0, at + size + 2);
      }
    }
    EXPECT_TRUE(came == body) << chunked << " " << came.size();
    EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200"));
  }
}

TEST(WholeBodyWire, ACodedBodyThatMayPassGoesOnThroughTheFilterBeforeIt) {
  const std::string body = "[" + std::string(300'000, ' ') + "]";
  for (const char* policies : {"[ { compress: { decompress: request, codings: [], max_ratio: 100000 } }, { json: { request: { wrap: /a }, max_size: 50KiB, on_error: pass } } ]",
                               "[ { json: { request: { wrap: /a }, max_size: 20B, on_error: pass } }, { compress: { decompress: request, codings: [], max_ratio: 100000 } } ]"}) {
    RawWorld world(plain_gateway("", "", policies), 3);
    RawClient& client = world.connect();
    const std::string coded = coding::encode(coding::Coding::Gzip, body);
    client.write(post("Content-Encoding: gzip\r\n" + length(coded.size()), coded));
    world.settle(seconds(3));
    ASSERT_EQ(world.requests.size(), 1U) << policies;
    const std::string came = unchunked(body_of(world.requests[0]));
    EXPECT_TRUE(came == body) << policies << " " << came.size();
  }
}

// Three readings of one body, of which the second ends in the middle of what the first has read.
TEST(WholeBodyWire, WhatAFilterHasNotTakenYetOutlivesTheNextReading) {
  std::string body = "[";
  // What has been read in its coding is several buffers out of it: the filter keeps a part of it for later.
  for (int i = 0; body.size() < 900'000; ++i) body += "\"lamp lamp lamp lamp " + std::to_string(i * 7919 % 100'003) + "\",";
  body += "0]";
  for (const char* policies : {"[ { validate: { body: { schema: true }, max_size: 10KiB }, mode: observe }, { compress: { decompress: request, codings: [], max_ratio: 100000 } }, { json: { request: { wrap: /a }, max_size: 20KiB, on_error: pass } }, { json: { request: { wrap: /b }, max_size: 100KiB, on_error: pass }, id: again } ]",
                               "[ { json: { request: { wrap: /a }, max_size: 1KiB, on_error: pass }, id: first }, { compress: { decompress: request, codings: [], max_ratio: 100000 } }, { json: { request: { wrap: /b }, max_size: 30KiB }, mode: observe } ]"}) {
    RawWorld world(plain_gateway("", "", policies), 3);
    RawClient& client = world.connect();
    const std::string coded = coding::encode(coding::Coding::Gzip, body);
    char size_line[24];  // not known beforehand: each policy has to read to find out
    std::snprintf(size_line, sizeof size_line, "%zx\r\n", coded.size());
    client.write(post("Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", size_line + coded + "\r\n0\r\n\r\n"));
    world.settle(seconds(3));
    ASSERT_EQ(world.requests.size(), 1U) << policies;
    const std::string came = unchunked(body_of(world.requests[0]));
    EXPECT_TRUE(came == body) << policies << " " << came.size();
  }
}

TEST(WholeBodyWire, ABodyThatWasLookedAtInItsCodingIsTakenOutOfItAndEdited) {
  RawWorld world(plain_gateway("", "", "[ { validate: { body: { schema: { type: array } } } }, { compress: { decompress: request, codings: [] } }, { json: { request: { set: { /-: 2 } } } } ]"), 3);
  RawClient& client = world.connect();
  const std::string coded = coding::encode(coding::Coding::Gzip, "[1]");
  client.write(post("Content-Encoding: gzip\r\n" + length(coded.size()), coded));
  world.settle(seconds(1));
  ASSERT_EQ(world.requests.size(), 1U) << client.received;
  EXPECT_EQ(body_of(world.requests[0]), "[1,2]");
}

TEST(WholeBodyWire, NoDigestOfWhatCameStandsBehindWhatWasTakenOutOfItsCoding) {
  RawWorld world(plain_gateway("", "", "[ { compress: { decompress: request, codings: [] } }, { json: { request: { remove: [ /none ] } } } ]"), 3);
  RawClient& client = world.connect();
  const std::string coded = coding::encode(coding::Coding::Gzip, "[1]");
  char size[24];
  std::snprintf(size, sizeof size, "%zx", coded.size());
  client.write(post("Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", std::string(size) + "\r\n" + coded + "\r\n0\r\nContent-Digest: sha-256=:a:\r\nX-Sum: 1\r\n\r\n"));
  world.settle(seconds(1));
  ASSERT_EQ(world.requests.size(), 1U) << client.received;
  EXPECT_EQ(body_of(world.requests[0]), "3\r\n[1]\r\n0\r\nX-Sum: 1\r\n\r\n");
}

TEST(WholeBodyWire, AnEditedRequestHasItsOwnLengthAndTheConnectionGoesOn) {
  RawWorld world(plain_gateway("", "", kEdit));
  RawClient& client = world.connect();
  client.write(post(length(3), "[1]"));
  world.settle(seconds(1));
  ASSERT_EQ(world.requests.size(), 1U);
  EXPECT_EQ(body_of(world.requests[0]), "[1,2]");
  EXPECT_NE(world.requests[0].find("Content-Length: 5\r\n"), std::string::npos);
  client.received.clear();
  // The connection is sound, and a pipelined request is read behind the body.
  client.write(post(length(3), "[3]") + post(length(2), "[]"));
  world.settle(seconds(1));
  ASSERT_EQ(world.requests.size(), 3U);
  EXPECT_EQ(body_of(world.requests[1]), "[3,2]");
  EXPECT_EQ(body_of(world.requests[2]), "[2]");
}

TEST(WholeBodyWire, AnotherTryGetsTheSameBodyWhateverTheRetryBuffer) {
  const std::string body = "[" + std::string(60'000, ' ') + "1]";
  RawWorld world(plain_gateway("retry: { max_retries: 1, on: [ 503 ], methods: [ POST ], buffer: 1KiB, backoff: 1ms..1ms }", "", kValidate), 3);
  world.script({{"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"}, {answer("{}")}});
  RawClient& client = world.connect();
  client.write(post(length(body.size()), body));
  world.settle(seconds(3));
  ASSERT_EQ(world.requests.size(), 2U);
  EXPECT_TRUE(body_of(world.requests[0]) == body && body_of(world.requests[1]) == body);
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200"));
}

TEST(WholeBodyWire, NothingOfAnAnswerIsWithTheClientBeforeAllOfItIsThere) {
  const std::string body = "{\"secret\":1,\"a\":[1.0]}";
  RawWorld world(plain_gateway("", "", kEdit));
  world.script({{.text = answer(body).substr(0, answer(body).size() - 3), .raw = true}});
  RawClient& client = world.connect();
  client.write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  world.settle(seconds(1));
  EXPECT_EQ(client.received, "");
  ASSERT_EQ(world.peers.size(), 1U);
  world.peers[0]->write("0]}");
  world.settle(seconds(1));
  EXPECT_EQ(body_of(client.received), "{\"a\":[1.0]}");
  EXPECT_NE(client.received.find("Content-Length: 11\r\n"), std::string::npos);
  ASSERT_EQ(world.records.size(), 1U);
  EXPECT_EQ(world.records[0].response_octets, 11U);
  EXPECT_EQ(world.records[0].ended_reason, "completed");
}

TEST(WholeBodyWire, WhatBreaksOffOrStallsUntilThenIsAnAnswerOfTheGateways) {
  for (const bool stalls : {false, true}) {
    RawWorld world(plain_gateway("timeouts: { idle: 2s }", "", kEdit));
    world.script({{.text = answer("{\"secret\":1}").substr(0, 80), .close = !stalls, .raw = stalls}});
    RawClient& client = world.connect();
    client.write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    world.settle(seconds(5));
    EXPECT_TRUE(client.received.starts_with(stalls ? "HTTP/1.1 504" : "HTTP/1.1 502")) << client.received;
    ASSERT_EQ(world.records.size(), 1U);
    EXPECT_EQ(world.records[0].ended_reason, stalls ? "idle-timeout" : "upstream-reset");
    EXPECT_FALSE(world.records[0].truncated);
    // The client's connection is sound.
    client.received.clear();
    world.script({{answer("{\"a\":1}")}});
    client.write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    world.settle(seconds(1));
    EXPECT_EQ(body_of(client.received), "{\"a\":1}");
  }
}

TEST(WholeBodyWire, ALongAnswerIsRefusedOnceItIsTooLong) {
  const std::string body = "[" + std::string(3'000'000, ' ') + "]";
  RawWorld world(plain_gateway("", "", kEdit), 3);
  world.script({{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body, true}});
  RawClient& client = world.connect();
  client.write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  world.settle(seconds(3));
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 502")) << client.received.substr(0, 200);
  ASSERT_EQ(world.records.size(), 1U);
  EXPECT_EQ(world.records[0].ended_by, "json");
  EXPECT_EQ(world.records[0].ended_reason, "answer-too-large");
}

TEST(WholeBodyWire, AnEditedAnswerOfAnyFramingArrivesWholeAtASlowClient) {
  const std::string body = "{\"secret\":1,\"a\":\"" + std::string(90'000, 'x') + "\"}", becomes = "{\"a\":\"" + std::string(90'000, 'x') + "\"}";
  for (const char* policies : {kEdit, "[ { compress: { codings: [ gzip ] } }, { json: { response: { remove: [ /secret ] } } } ]"}) {
    RawWorld world(plain_gateway("", "", policies), 3);
    world.script({{answer(body)}});
    RawClient& client = world.connect();
    client.pause();
    client.write("GET /x HTTP/1.0\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
    world.settle(seconds(1));
    client.resume();
    world.settle(seconds(3));
    const bool coded = client.received.find("Content-Encoding: gzip") != std::string::npos;
    EXPECT_EQ(coded, policies != kEdit);
    const std::string came = body_of(client.received);
    EXPECT_TRUE((coded ? coding::decode(coding::Coding::Gzip, came, 1 << 20).value_or("") : came) == becomes);
    EXPECT_TRUE(client.eof);
  }
}

}  // namespace
}  // namespace gatelab::test
