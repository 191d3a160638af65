// SPDX-License-Identifier: Apache-2.0
// What compress does to bodies on their way: answers that keep flowing while they are compressed, requests that come out of
// their coding however they arrive, and that never arrive whole where they may not.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "coding/coder.h"
#include "support/raw_world.h"

namespace gatelab::test {
namespace {

using coding::Coding;
using std::chrono::seconds;

constexpr Coding kAll[] = {Coding::Gzip, Coding::Brotli, Coding::Zstd};

std::string chunks(const std::string& body, std::size_t each, bool end = true) {
  char size[24];
  std::string out;
  for (std::size_t i = 0; i < body.size(); i += each) {
    const std::string piece = body.substr(i, each);
    std::snprintf(size, sizeof size, "%zx", piece.size());
    out.append(size).append("\r\n").append(piece).append("\r\n");
  }
  return out + (end ? "0\r\n\r\n" : "");
}

// The octets of a chunked body, as far as it has come.
std::string unchunked(std::string_view message) {
  std::string out;
  for (message.remove_prefix(std::min(message.find("\r\n\r\n") + 4, message.size())); !message.empty();) {
    const std::size_t size = std::strtoul(std::string(message.substr(0, 16)).c_str(), nullptr, 16);
    message.remove_prefix(std::min(message.find("\r\n") + 2, message.size()));
    out += message.substr(0, size);
    message.remove_prefix(std::min(size + 2, message.size()));
  }
  return out;
}

std::string get(Coding coding) { return "GET /x HTTP/1.1\r\nHost: a\r\nAccept-Encoding: " + std::string(coding::name(coding)) + "\r\n\r\n"; }

std::string text(std::size_t size) {
  std::string out;
  for (int i = 0; out.size() < size; ++i) out += "row " + std::to_string(i * i) + "\n";
  out.resize(size);
  return out;
}

TEST(CompressWire, AnAnswerOfAnyFramingAndLengthArrivesWhole) {
  for (const Coding coding : kAll)
    for (const std::size_t size : {std::size_t{1'024}, std::size_t{100'000}, std::size_t{1'000'000}})
      for (const char* framing : {"length", "chunks", "close"}) {
        const std::string body = text(size);
        const std::string type = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
        Reply reply;
        if (*framing == 'l') reply.text = type + "Content-Length: " + std::to_string(size) + "\r\n\r\n" + body;
        else if (framing[1] == 'h') reply.text = type + "Transfer-Encoding: chunked\r\n\r\n" + chunks(body, 10'000);
        else reply.text = type + "\r\n" + body, reply.close = true;
        RawWorld world(plain_gateway("", "", "[ { compress: {} } ]"), 3);
        world.script({reply});
        RawClient& client = world.connect();
        client.write(get(coding));
        world.settle(seconds(3));
        const std::string name = std::string(coding::name(coding)) + " " + std::to_string(size) + " " + framing;
        EXPECT_NE(client.received.find("Content-Encoding: " + std::string(coding::name(coding)) + "\r\n"), std::string::npos) << name;
        EXPECT_EQ(client.received.find("Content-Length"), std::string::npos) << name;
        const std::string octets = unchunked(client.received);
        EXPECT_TRUE(coding::decode(coding, octets, 1 << 24) == body) << name;
        EXPECT_LT(octets.size(), size / 2) << name;
        ASSERT_EQ(world.records.size(), 1U) << name;
        EXPECT_EQ(world.records[0].response_octets, octets.size()) << name << ": octets of the answer are those that were sent";
        EXPECT_EQ(world.records[0].ended_reason, "completed") << name;
        // The connection is sound.
        client.received.clear();
        client.write(get(coding));
        world.settle(seconds(3));
        EXPECT_TRUE(coding::decode(coding, unchunked(client.received), 1 << 24) == body) << name;
      }
}

TEST(CompressWire, AClientThatReadsSlowlyGetsAllOfIt) {
  const std::string body = text(3'000'000);
  for (const Coding coding : kAll) {
    RawWorld world(plain_gateway("", "", "[ { compress: { level: { gzip: 1, br: 0, zstd: 1 } } } ]"), 5);
    world.script({{"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body}});
    RawClient& client = world.connect();
    client.pause();
    client.write(get(coding));
    world.settle(seconds(1));
    client.resume();
    world.settle(seconds(3));
    EXPECT_TRUE(coding::decode(coding, unchunked(client.received), 1 << 24) == body) << coding::name(coding);
  }
}

TEST(CompressWire, WhatTheTargetHasSentIsReadableWhileItPauses) {
  for (const Coding coding : kAll) {
    RawWorld world(plain_gateway("", "", "[ { compress: { types: [ text/event-stream ] } } ]"), 2);
    Reply reply;
    reply.text = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks("data: 1\n\ndata: 2\n\n", 9, false);
    world.script({reply});
    RawClient& client = world.connect();
    client.write(get(coding));
    world.settle(seconds(1));
    const auto decoder = coding::make_decoder(coding);
    std::string room(1'000, '\0');
    const std::string octets = unchunked(client.received);
    const coding::Moved moved = decoder->move(octets, coding::Behind::More, room);
    EXPECT_EQ(room.substr(0, moved.made), "data: 1\n\ndata: 2\n\n") << coding::name(coding);
    const std::size_t before = client.received.size();
    world.settle(seconds(10));
    EXPECT_EQ(client.received.size(), before) << "a pause costs no octets";
  }
}

TEST(CompressWire, AnAnswerThatBreaksOffIsNotMadeWhole) {
  std::size_t began = 0;  // answers of which something had gone out
  for (const Coding coding : kAll) {
    RawWorld world(plain_gateway("", "", "[ { compress: {} } ]"), 2);
    Reply reply;
    reply.text = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n" + text(50'000);
    reply.close = true;
    world.script({reply});
    RawClient& client = world.connect();
    client.write(get(coding));
    world.settle(seconds(3));
    EXPECT_FALSE(client.received.ends_with("0\r\n\r\n")) << coding::name(coding);
    // What the encoder held back is lost; what went out has no end.
    const std::string octets = unchunked(client.received);
    EXPECT_TRUE(octets.empty() || !coding::decode(coding, octets, 1 << 24)) << coding::name(coding);
    if (!octets.empty()) ++began;
    EXPECT_EQ(world.records.at(0).ended_reason, "truncated") << coding::name(coding);
  }
  EXPECT_GT(began, 0U) << "nothing went out that could have been made whole";
}

TEST(CompressWire, TrailersStayBehindTheBody) {
  RawWorld world(plain_gateway("", "", "[ { compress: { min_size: 0B } } ]"), 2);
  world.script({{"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"}});
  RawClient& client = world.connect();
  client.write(get(Coding::Gzip));
  world.settle(seconds(3));
  EXPECT_TRUE(client.received.ends_with("0\r\nX-Sum: 1\r\n\r\n")) << client.received;
}

// RFC 9530 §2, §3: nobody gets the octets that they are about.
TEST(CompressWire, DigestsOfTheAnswerThatCameAreNotAmongItsTrailers) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTrailer: Content-Digest, X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n";
  const std::string trailers = "Content-Digest: sha-256=:a:\r\nX-Sum: 1\r\nRepr-Digest: sha-256=:a:\r\ndigest: a\r\nContent-MD5: a\r\n\r\n";
  for (const bool coded : {true, false}) {
    RawWorld world(plain_gateway("", "", "[ { compress: { min_size: 0B } } ]"), 2);
    world.script({{head + trailers}});
    RawClient& client = world.connect();
    client.write(coded ? get(Coding::Gzip) : "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    world.settle(seconds(3));
    EXPECT_TRUE(client.received.ends_with("0\r\n" + (coded ? std::string("X-Sum: 1\r\n\r\n") : trailers))) << client.received;
    EXPECT_NE(client.received.find(coded ? "Trailer: X-Sum\r\n" : "Trailer: Content-Digest, X-Sum\r\n"), std::string::npos) << client.received;
  }
}

// RFC 9110 §8.6: a length would be that of the answer that the client does not get.
TEST(CompressWire, AnswersWithoutABodySayTheLengthOnlyWhereItWouldBeThatOfTheBody) {
  const std::string fields = "Content-Type: text/plain\r\nETag: \"v1\"\r\nContent-Length: 5000\r\n\r\n";
  for (const bool head : {true, false})
    for (const bool coded : {true, false}) {
      RawWorld world(plain_gateway("", "", "[ { compress: {} } ]"), 2);
      world.script({{(head ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 304 Not Modified\r\n") + fields}});
      RawClient& client = world.connect();
      client.write((head ? "HEAD" : "GET") + std::string(" /x HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"v1\"\r\n") + (coded ? "Accept-Encoding: br\r\n\r\n" : "\r\n"));
      world.settle(seconds(3));
      EXPECT_NE(client.received.find(coded ? "ETag: W/\"v1\"\r\n" : "ETag: \"v1\"\r\n"), std::string::npos) << client.received;
      EXPECT_EQ(client.received.find("Content-Length: 5000\r\n") == std::string::npos, coded) << client.received;
      EXPECT_EQ(client.received.find("Transfer-Encoding"), std::string::npos) << client.received;
      // The connection is sound.
      world.script({{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}});
      client.received.clear();
      client.write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
      world.settle(seconds(3));
      EXPECT_TRUE(client.received.ends_with("\r\n\r\nok")) << client.received;
    }
}

std::string post(Coding coding, const std::string& framing) { return "POST /x HTTP/1.1\r\nHost: a\r\nContent-Encoding: " + std::string(coding::name(coding)) + "\r\n" + framing + "\r\n"; }

TEST(CompressWire, ARequestComesOutOfItsCodingHoweverItArrives) {
  for (const Coding coding : {Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd})
    for (const std::size_t size : {std::size_t{1}, std::size_t{1'000}, std::size_t{300'000}})
      for (const char* way : {"at once", "head first", "chunked", "small chunks"}) {
        const std::string body = text(size), octets = coding::encode(coding, body), length = "Content-Length: " + std::to_string(octets.size()) + "\r\n", chunked = "Transfer-Encoding: chunked\r\n";
        RawWorld world(plain_gateway("", "", "[ { compress: { decompress: request } } ]"), 4);
        RawClient& client = world.connect();
        const std::string name = std::string(coding::name(coding)) + " " + std::to_string(size) + " " + way;
        if (way[0] == 'a') client.write(post(coding, length) + octets);
        else if (way[0] == 'c') client.write(post(coding, chunked) + chunks(octets, octets.size()));
        else if (way[0] == 's') client.write(post(coding, chunked) + chunks(octets, 7));
        else {
          client.write(post(coding, length));
          world.settle(seconds(1));
          client.write(octets.substr(0, octets.size() / 2));
          world.settle(seconds(1));
          client.write(octets.substr(octets.size() / 2));
        }
        world.settle(seconds(3));
        ASSERT_EQ(world.requests.size(), 1U) << name << client.received;
        EXPECT_EQ(world.requests[0].find("Content-Encoding"), std::string::npos) << name;
        EXPECT_NE(world.requests[0].find("Transfer-Encoding: chunked"), std::string::npos) << name;
        EXPECT_TRUE(unchunked(world.target_octets) == body) << name;
        EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200")) << name;
        EXPECT_EQ(world.records.at(0).request_octets, octets.size()) << name << ": octets of the request are those that came";
      }
}

TEST(CompressWire, DigestsOfTheRequestThatCameAreNotAmongItsTrailers) {
  const std::string trailers = "Content-Digest: sha-256=:a:\r\nX-Sum: 1\r\nRepr-Digest: sha-256=:a:\r\ndigest: a\r\nContent-MD5: a\r\n\r\n", octets = coding::encode(Coding::Gzip, text(1'000));
  for (const bool undone : {true, false})
    for (const bool at_once : {true, false}) {
      RawWorld world(plain_gateway("", "", undone ? "[ { compress: { decompress: request } } ]" : ""), 2);
      RawClient& client = world.connect();
      client.write(post(Coding::Gzip, "Trailer: X-Sum, Content-Digest\r\nTransfer-Encoding: chunked\r\n") + chunks(octets, 100, false));
      if (!at_once) world.settle(seconds(1));
      client.write("0\r\n" + trailers);
      world.settle(seconds(3));
      ASSERT_EQ(world.requests.size(), 1U) << client.received;
      EXPECT_TRUE(world.target_octets.ends_with("\r\n0\r\n" + (undone ? std::string("X-Sum: 1\r\n\r\n") : trailers))) << undone << at_once;
      EXPECT_NE(world.target_octets.find(undone ? "Trailer: X-Sum\r\n" : "Trailer: X-Sum, Content-Digest\r\n"), std::string::npos) << undone << at_once;
    }
}

TEST(CompressWire, WhatIsRefusedNeverMakesAWholeRequest) {
  struct Row {
    const char* name;
    std::string octets;
    const char *status, *reason;
  };
  const std::string good = coding::encode(Coding::Gzip, text(100'000));
  std::string changed = good;
  changed[good.size() / 2] ^= 0x55;
  for (const Row& row : {Row{"garbage", text(100'000), "400", "malformed-encoding"}, {"broken off", good.substr(0, good.size() - 3), "400", "malformed-encoding"}, {"more behind it", good + "GET / HTTP/1.1\r\n\r\n", "400", "malformed-encoding"},
                         {"changed", changed, "400", "malformed-encoding"}, {"too large", coding::encode(Coding::Gzip, text(300'000)), "413", "decompressed-too-large"},
                         {"a bomb", coding::encode(Coding::Gzip, std::string(190'000, 'x')), "413", "decompression-ratio"}})
    for (std::uint64_t seed = 1; seed <= 5; ++seed)
      for (const bool framed : {true, false}) {
        RawWorld world(plain_gateway("", "", "[ { compress: { decompress: request, max_size: 200KiB, max_ratio: 50 } } ]"), seed);
        RawClient& client = world.connect();
        client.write(framed ? post(Coding::Gzip, "Content-Length: " + std::to_string(row.octets.size()) + "\r\n") + row.octets : post(Coding::Gzip, "Transfer-Encoding: chunked\r\n") + chunks(row.octets, 1'000));
        world.settle(seconds(3));
        EXPECT_EQ(client.received.substr(9, 3), row.status) << row.name << " " << seed;
        EXPECT_TRUE(world.requests.empty()) << row.name << ": the target has got a whole request";
        ASSERT_EQ(world.records.size(), 1U) << row.name;
        EXPECT_EQ(world.records[0].ended_by, "compress") << row.name;
        EXPECT_EQ(world.records[0].ended_reason, row.reason) << row.name;
        EXPECT_LE(world.target_octets.size(), 300'000U) << row.name;
      }
}

// 2 MiB of members with nothing in them.
TEST(CompressWire, ARequestThatBringsNothingForLongIsAnEmptyBody) {
  std::string octets;
  for (const std::string member = coding::encode(Coding::Gzip, ""); octets.size() < 2 << 20;) octets += member;
  RawWorld world(plain_gateway("", "", "[ { compress: { decompress: request } } ]"), 4);
  RawClient& client = world.connect();
  client.write(post(Coding::Gzip, "Content-Length: " + std::to_string(octets.size()) + "\r\n") + octets);
  world.settle(seconds(3));
  ASSERT_EQ(world.requests.size(), 1U) << client.received;
  EXPECT_EQ(unchunked(world.target_octets), "");
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200")) << client.received;
}

TEST(CompressWire, ASecondTryGetsTheSameBody) {
  const std::string body = text(5'000), octets = coding::encode(Coding::Gzip, body);
  RawWorld world(plain_gateway("retry: { max_retries: 1, on: [503], methods: [POST], backoff: 1ms..2ms }", "", "[ { compress: { decompress: request } } ]"), 4);
  world.script({{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"}, {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}});
  RawClient& client = world.connect();
  client.write(post(Coding::Gzip, "Content-Length: " + std::to_string(octets.size()) + "\r\n") + octets);
  world.settle(seconds(3));
  ASSERT_EQ(world.requests.size(), 2U) << client.received;
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200")) << client.received;
  const std::size_t second = world.target_octets.find("POST /x", 1);
  EXPECT_TRUE(unchunked(world.target_octets.substr(0, second)) == body);
  EXPECT_TRUE(unchunked(world.target_octets.substr(second)) == body);
}

}  // namespace
}  // namespace gatelab::test
