// SPDX-License-Identifier: Apache-2.0
// What hmac does to a body on its way: a target gets a whole request with the body that was signed, or no whole request.
#include <algorithm>
#include <cstdio>

#include "support/raw_world.h"
#include "support/signed_request.h"

namespace gatelab::test {
namespace {

using std::chrono::seconds;

const std::string kSecret = "an hmac secret that is long enough, 32 octets";
const std::string kPolicy = "hmac: { nonce: optional, keys: [ { id: k, algorithm: hmac-sha256, secret: \"" + kSecret + "\" } ] }";

// POST /x with that framing, signed for a body that is `promised`.
std::string head_of(const std::string& framing, const std::string& promised, crypto::RunningDigest::Kind kind = crypto::RunningDigest::Kind::Bits256) {
  const std::string head = "POST /x HTTP/1.1\r\nHost: a\r\n" + framing + content_digest(promised, kind);
  const std::string input = "(\"@method\" \"@target-uri\" \"content-digest\");created=1767225600;keyid=\"k\"";
  return head + signature_fields(input, signature_of(head, input, *crypto::SigningKey::from_secret(kSecret), crypto::Algorithm::HS256)) + "\r\n";
}

std::string chunks(const std::string& body, std::size_t each) {
  char size[24];
  std::string out;
  for (std::size_t i = 0; i < body.size(); i += each) {
    const std::string piece = body.substr(i, each);
    std::snprintf(size, sizeof size, "%zx", piece.size());
    out.append(size).append("\r\n").append(piece).append("\r\n");
  }
  return out + "0\r\n\r\n";
}

struct Sending {
  const char* name;
  std::string head;
  std::vector<std::string> pieces;
};
// Each way to send `body` with the promise of `promised`.
std::vector<Sending> ways(const std::string& body, const std::string& promised) {
  const std::string length = head_of("Content-Length: " + std::to_string(body.size()) + "\r\n", promised), chunked = head_of("Transfer-Encoding: chunked\r\n", promised);
  std::vector<std::string> octets;
  for (const char c : body) octets.emplace_back(1, c);
  std::vector<Sending> out = {
      {"a length, at once", length, {body}},
      {"a length, octet by octet", length, octets},
      {"a length, and its last octet later", length, {body.substr(0, body.size() - 1), body.substr(body.size() - 1)}},
      {"SHA-512", head_of("Content-Length: " + std::to_string(body.size()) + "\r\n", promised, crypto::RunningDigest::Kind::Bits512), {body}},
      {"one chunk", chunked, {chunks(body, body.size())}},
      {"chunks of one octet", chunked, {chunks(body, 1)}},
      {"a last chunk that comes later", chunked, {chunks(body, body.size()).substr(0, chunks(body, body.size()).size() - 5), "0\r\n\r\n"}},
  };
  out.push_back({"the head with it", length + body, {}});
  out.push_back({"the head with its chunks", chunked + chunks(body, 3), {}});
  return out;
}

std::size_t answers(const std::string& received, const std::string& status) { return received.starts_with("HTTP/1.1 " + status) && received.find("HTTP/1.1 ", 1) == std::string::npos; }

void send(RawWorld& world, RawClient& client, const Sending& way) {
  client.write(way.head);
  if (!way.pieces.empty()) world.settle(seconds(1));
  for (const std::string& piece : way.pieces) {
    client.write(piece);
    world.settle(seconds(1));
  }
  world.settle(seconds(3));
}

TEST(BodyDigestWire, TheSignedBodyArrivesHoweverItComes) {
  const std::string body = "pay alice 10";
  for (const Sending& way : ways(body, body)) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      RawWorld world(plain_gateway("", "", "[ { " + kPolicy + " } ]"), seed);
      RawClient& client = world.connect();
      send(world, client, way);
      ASSERT_EQ(world.records.size(), 1U) << way.name << client.received;
      EXPECT_TRUE(answers(client.received, "200")) << way.name << " " << seed << client.received;
      ASSERT_EQ(world.requests.size(), 1U) << way.name;
      EXPECT_EQ(world.requests[0].find("Signature"), std::string::npos);
      EXPECT_NE(world.requests[0].find("Content-Digest"), std::string::npos);
    }
  }
}

TEST(BodyDigestWire, AnotherBodyNeverMakesAWholeRequest) {
  for (const std::string& body : {std::string("pay mallory 9999"), std::string("x"), std::string(100'000, 'x')}) {
    for (const Sending& way : ways(body, "pay alice 10")) {
      if (body.size() > 1000 && way.pieces.size() > 100) continue;
      for (std::uint64_t seed = 1; seed <= (body.size() > 1000 ? 2U : 5U); ++seed) {
        RawWorld world(plain_gateway("", "", "[ { " + kPolicy + " } ]"), seed);
        RawClient& client = world.connect();
        send(world, client, way);
        ASSERT_EQ(world.records.size(), 1U) << way.name << " " << seed;
        EXPECT_TRUE(answers(client.received, "400")) << way.name << " " << seed << client.received.substr(0, 100);
        EXPECT_TRUE(world.requests.empty()) << way.name << ": the target has got a whole request";
        const auto& record = world.records[0];
        EXPECT_EQ(record.ended_by, "hmac");
        EXPECT_EQ(record.ended_id, "all/hmac");
        EXPECT_EQ(record.ended_reason, "digest-mismatch");
        EXPECT_EQ(record.decisions.back().outcome, observe::Outcome::Deny);
        EXPECT_EQ(record.decisions.back().reason, "digest-mismatch");
      }
    }
  }
}

TEST(BodyDigestWire, OneOctetMoreOrLessIsAnotherBody) {
  const std::string promised = "pay alice 10";
  for (const std::string& body : {promised + "0", promised.substr(1), promised.substr(0, 11), std::string("Pay alice 10")}) {
    for (const Sending& way : ways(body, promised)) {
      RawWorld world(plain_gateway("", "", "[ { " + kPolicy + " } ]"));
      send(world, world.connect(), way);
      EXPECT_TRUE(world.requests.empty()) << way.name << body;
      EXPECT_EQ(world.records.at(0).ended_reason, "digest-mismatch") << way.name << body;
    }
  }
}

TEST(BodyDigestWire, CutsAnAnswerThatHasBegun) {
  RawWorld world(plain_gateway("", "", "[ { " + kPolicy + " } ]"));
  world.script({{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun", false, false, {}, true}});
  RawClient& client = world.connect();
  client.write(head_of("Transfer-Encoding: chunked\r\n", "pay alice 10") + "3\r\npay\r\n");
  world.settle(seconds(1));
  EXPECT_EQ(client.received.substr(0, 12), "HTTP/1.1 200");
  client.write("1\r\nx\r\n0\r\n\r\n");
  world.settle(seconds(1));
  ASSERT_EQ(world.records.size(), 1U);
  EXPECT_TRUE(world.records[0].truncated);
  EXPECT_EQ(world.records[0].ended_reason, "digest-mismatch");
  EXPECT_TRUE(client.broken || client.eof);
  EXPECT_EQ(world.target_octets.find("0\r\n\r\n"), std::string::npos);
}

TEST(BodyDigestWire, OnlyWritesDownWhatItObserves) {
  for (const std::string& policy : {"{ " + kPolicy + ", mode: observe }", "{ any-of: [ { " + kPolicy + " }, { api-key: {} } ], mode: observe }"}) {
    RawWorld world(plain_gateway("", "", "[ " + policy + " ]"));
    const std::string got = world.talk(head_of("Content-Length: 1\r\n", "pay alice 10") + "x");
    EXPECT_TRUE(answers(got, "200")) << got;
    EXPECT_EQ(world.requests.size(), 1U);
    const auto& decisions = world.records.at(0).decisions;
    EXPECT_EQ(std::count_if(decisions.begin(), decisions.end(), [](const auto& one) { return one.outcome == observe::Outcome::Observe && one.reason == "digest-mismatch"; }), 1);
  }
}

TEST(BodyDigestWire, AMemberSpeaksInTheNameOfAll) {
  RawWorld world(plain_gateway("", "", "[ { any-of: [ { api-key: {} }, { " + kPolicy + " } ] } ]"));
  const std::string got = world.talk(head_of("Content-Length: 1\r\n", "pay alice 10") + "x");
  EXPECT_TRUE(answers(got, "400")) << got;
  EXPECT_TRUE(world.requests.empty());
  EXPECT_EQ(world.records.at(0).ended_by, "any-of");
}

TEST(BodyDigestWire, TheNextRequestOnTheConnectionIsItself) {
  RawWorld world(plain_gateway("", "", "[ { " + kPolicy + " } ]"));
  RawClient& client = world.connect();
  client.write(head_of("Content-Length: 1\r\n", "y") + "x");
  world.settle(seconds(1));
  client.write(head_of("Content-Length: 1\r\n", "y") + "y");
  world.settle(seconds(3));
  EXPECT_EQ(client.received.substr(0, 12), "HTTP/1.1 400");
  EXPECT_NE(client.received.find("HTTP/1.1 200"), std::string::npos) << "the body was read to its end: the connection goes on";
  EXPECT_EQ(world.requests.size(), 1U);
}

TEST(BodyDigestWire, ASizeLimitComesFirst) {
  RawWorld world(plain_gateway("", "", "[ { size-limit: { max_body: 3B } }, { " + kPolicy + " } ]"));
  const std::string got = world.talk(head_of("Transfer-Encoding: chunked\r\n", "pay alice 10") + chunks("xxxxx", 5));
  EXPECT_TRUE(answers(got, "413")) << got;
  EXPECT_EQ(world.records.at(0).ended_by, "size-limit");
}

}  // namespace
}  // namespace gatelab::test
