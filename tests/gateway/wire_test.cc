// SPDX-License-Identifier: Apache-2.0
// What goes over the wire: raw octets in, raw octets out, the whole engine between, in simulated time.
#include <gtest/gtest.h>

#include "support/raw_world.h"

namespace gatelab::test {
namespace {

using std::chrono::seconds;

constexpr const char* kGet = "GET /a?b=c HTTP/1.1\r\nHost: api.local\r\n\r\n";

TEST(Wire, ForwardsARequestAndItsAnswer) {
  RawWorld world(plain_gateway());
  EXPECT_EQ(plain(world.talk(kGet)), "HTTP/1.1 200 OK\nVia: 1.1 gatelab\nContent-Length: 2\n\nok");
  ASSERT_EQ(world.requests.size(), 1U);
  EXPECT_EQ(plain(world.requests[0]),
            "GET /a?b=c HTTP/1.1\nHost: api.local\nVia: 1.1 gatelab\nX-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: api.local\n"
            "X-Forwarded-Proto: http\nX-Forwarded-Port: 8080\n\n");
  ASSERT_EQ(world.records.size(), 1U);
  EXPECT_EQ(world.records[0].ended_reason, "completed");
  EXPECT_EQ(world.records[0].status, 200);
}

TEST(Wire, KeepsConnectionsOnBothSides) {
  RawWorld world(plain_gateway());
  RawClient& client = world.connect();
  for (int i = 0; i < 5; ++i) {
    client.write(kGet);
    world.settle();
  }
  EXPECT_EQ(world.requests.size(), 5U);
  EXPECT_EQ(world.target_connections, 1U);
  EXPECT_FALSE(client.eof);
}

TEST(Wire, AnswersPipelinedRequestsInOrder) {
  RawWorld world(plain_gateway());
  world.script({{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"}, {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"}, {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n3"}});
  const std::string got = world.talk(std::string(kGet) + kGet + kGet);
  EXPECT_LT(got.find("\r\n\r\n1"), got.find("\r\n\r\n2"));
  EXPECT_LT(got.find("\r\n\r\n2"), got.find("\r\n\r\n3"));
  EXPECT_NE(got.find("\r\n\r\n3"), std::string::npos);
}

struct Case {
  const char* name;
  std::string request;
  std::string reply;
  std::string answer;     // plain(), exact
  std::string forwarded;  // what the target's request must hold; empty: nothing reached it
};

class WireTable : public testing::TestWithParam<Case> {};

TEST_P(WireTable, GoesOverTheWireAsWritten) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    RawWorld world(plain_gateway(), seed);
    if (!GetParam().reply.empty()) world.script({{GetParam().reply, true, false, {}, false}});
    EXPECT_EQ(plain(world.talk(GetParam().request)), GetParam().answer) << "seed " << seed;
    if (GetParam().forwarded.empty()) {
      EXPECT_TRUE(world.requests.empty());
    } else {
      ASSERT_EQ(world.requests.size(), 1U);
      EXPECT_NE(plain(world.requests[0]).find(GetParam().forwarded), std::string::npos) << world.requests[0];
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Messages, WireTable,
    testing::Values(
        Case{"ChunkedAnswer", kGet, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n",
             "HTTP/1.1 200 OK\nVia: 1.1 gatelab\nTransfer-Encoding: chunked\n\n3\nabc\n0\nX-T: 1\n\n", "GET"},
        Case{"AnswerUntilClose", kGet, "HTTP/1.1 200 OK\r\n\r\nabc", "HTTP/1.1 200 OK\nVia: 1.1 gatelab\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n", "GET"},
        Case{"Head", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
             "HTTP/1.1 200 OK\nVia: 1.1 gatelab\nContent-Length: 99\n\n", "HEAD"},
        Case{"NoContent", kGet, "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\nVia: 1.1 gatelab\n\n", "GET"},
        Case{"Interim", kGet, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
             "HTTP/1.1 103 Early Hints\nLink: x\n\nHTTP/1.1 200 OK\nVia: 1.1 gatelab\nContent-Length: 0\n\n", "GET"},
        Case{"HopByHopUp", "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Hop\r\nX-Hop: 1\r\nX-Forwarded-For: 6.6.6.6\r\nX-End: 2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
             "HTTP/1.1 200 OK\nVia: 1.1 gatelab\nContent-Length: 0\n\n", "Host: a\nX-End: 2\nVia: 1.1 gatelab\nX-Forwarded-For: 127.0.0.1\n"},
        Case{"HopByHopDown", kGet, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX-End: 2\r\n\r\n",
             "HTTP/1.1 200 OK\nX-End: 2\nVia: 1.1 gatelab\nContent-Length: 0\n\n", "GET"},
        Case{"LengthBody", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
             "HTTP/1.1 201 Created\nVia: 1.1 gatelab\nContent-Length: 0\n\n", "\n\nhello"},
        Case{"Http10Client", "GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
             "HTTP/1.1 200 OK\nVia: 1.1 gatelab\nConnection: close\n\nabc", "Host: 127.0.0.1:9001\n"},
        Case{"Http10KeepAlive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
             "HTTP/1.1 200 OK\nVia: 1.1 gatelab\nContent-Length: 2\nConnection: keep-alive\n\nok", "GET / HTTP/1.1\n"},
        Case{"AbsoluteTarget", "GET http://b.local/x HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
             "HTTP/1.1 200 OK\nVia: 1.1 gatelab\nContent-Length: 0\n\n", "GET /x HTTP/1.1\nHost: b.local\n"},
        Case{"CanonicalPath", "GET /a/./b/../%63 HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
             "HTTP/1.1 200 OK\nVia: 1.1 gatelab\nContent-Length: 0\n\n", "GET /a/c HTTP/1.1\n"}),
    [](const testing::TestParamInfo<Case>& c) { return c.param.name; });

TEST(Wire, RefusesWhatIsAmbiguousAndCloses) {
  const std::pair<const char*, const char*> refused[] = {
      {"GET / HTTP/1.1\nHost: a\r\n\r\n", "bare-lf"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "duplicate-host"},
      {"GET / HTTP/1.1\r\n\r\n", "missing-host"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "length-and-encoding"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "different-content-lengths"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", "obs-fold"},
      {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "space-before-colon"},
      {"GET /%2e%2e%5c HTTP/1.1\r\nHost: a\r\n\r\n", "bad-path"},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "unsupported-version"},
  };
  for (const auto& [request, reason] : refused) {
    RawWorld world(plain_gateway());
    RawClient& client = world.connect();
    client.write(request);
    world.settle(seconds(3));
    EXPECT_NE(client.received.find(std::string("\"reason\":\"") + reason + "\""), std::string::npos) << request << client.received;
    if (std::string_view(reason) != "bad-path") {
      EXPECT_NE(client.received.find("Connection: close"), std::string::npos) << request;
      EXPECT_TRUE(client.eof) << request;
    }
    EXPECT_TRUE(world.requests.empty());
    ASSERT_EQ(world.records.size(), 1U);
    EXPECT_EQ(world.records[0].ended_reason, reason);
  }
}

TEST(Wire, StreamsAChunkedUploadAndPassesTheTargets100On) {
  RawWorld world(plain_gateway());
  RawClient& client = world.connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  world.settle();
  EXPECT_EQ(client.received, "HTTP/1.1 100 Continue\r\n\r\n");
  client.write("5\r\nhello\r\n");
  world.settle();
  client.write("0\r\nX-Sum: 1\r\n\r\n");
  world.settle();
  ASSERT_EQ(world.requests.size(), 1U);
  EXPECT_NE(world.requests[0].find("X-Sum: 1"), std::string::npos) << world.requests[0];
  EXPECT_NE(world.requests[0].find("Expect: 100-continue"), std::string::npos);
  EXPECT_NE(client.received.find("200 OK"), std::string::npos);
}

TEST(Wire, ReadsAnEarlyAnswerWhileTheBodyStillGoesUp) {
  RawWorld world(plain_gateway());
  world.script({{"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", true, false, {}, true}});
  RawClient& client = world.connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + std::string(1000, 'x'));
  world.settle(seconds(3));
  EXPECT_NE(client.received.find("HTTP/1.1 413"), std::string::npos);
  EXPECT_NE(client.received.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(client.eof || client.broken);
}

TEST(Wire, SendsAnIdempotentRequestAgainWhenAKeptConnectionTurnsOutDead) {
  RawWorld world(plain_gateway());
  RawClient& client = world.connect();
  client.write(kGet);
  world.settle();
  world.script({{"", false, true, {}, false}, {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain"}});
  client.write(kGet);
  world.settle();
  EXPECT_NE(client.received.find("again"), std::string::npos) << client.received;
  ASSERT_EQ(world.records.size(), 2U);
  ASSERT_EQ(world.records[1].attempts.size(), 2U);
  EXPECT_EQ(world.records[1].attempts[0].reason, "upstream-reset");
}

TEST(Wire, NeverSendsAPostTwice) {
  RawWorld world(plain_gateway());
  RawClient& client = world.connect();
  client.write(kGet);
  world.settle();
  world.script({{"", false, true, {}, false}});
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
  world.settle();
  EXPECT_EQ(world.requests.size(), 2U);
  EXPECT_NE(client.received.find("\"reason\":\"upstream-reset\""), std::string::npos);
}

// Between two exchanges a target has no business on the line: what it says there must not answer the next request.
TEST(Wire, DropsAKeptConnectionOnWhichAnAnswerStandsAlready) {
  RawWorld world(plain_gateway());
  RawClient& client = world.connect();
  client.write(kGet);
  world.settle();
  world.say_unasked("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
  client.write(kGet);
  world.settle();
  EXPECT_EQ(client.received.find("evil"), std::string::npos) << client.received;
  EXPECT_EQ(world.target_connections, 2U);
}

TEST(Wire, EndsALoopThroughItsOwnListener) {
  RawWorld world("gatelab: 1\nlisteners: [ { name: main, address: 127.0.0.1:8080 } ]\nupstreams: { self: { url: http://127.0.0.1:8080 } }\n"
                 "routes: [ { name: all, upstream: self } ]\n");
  const std::string got = world.talk(kGet);
  EXPECT_TRUE(got.starts_with("HTTP/1.1 508 Loop Detected")) << got;
  EXPECT_EQ(world.records.size(), 5U);
  EXPECT_EQ(world.records.front().ended_reason, "loop-detected");
  EXPECT_EQ(world.records.back().ended_reason, "completed");
}

// Other gatelabs in a row are no loop, however many.
TEST(Wire, LetsChainsOfOtherGatewaysPass) {
  RawWorld world(plain_gateway());
  const std::string got = world.talk("GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 gatelab-00000001, 1.1 gatelab-00000002, 1.1 gatelab-00000003\r\n"
                                     "Via: 1.1 gatelab-00000004, 1.1 gatelab\r\n\r\n");
  EXPECT_TRUE(got.starts_with("HTTP/1.1 200")) << got;
}

// Ten megabytes are under way when the target has said no: the answer is there to be read, whatever the client goes on with.
TEST(Wire, LingersUntilTheClientHasReadAnEarlyAnswer) {
  RawWorld world(plain_gateway());
  world.script({{"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno", true, false, {}, true}});
  RawClient& client = world.connect();
  client.pause();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n" + std::string(10'000'000, 'x'));
  world.settle(seconds(1));
  client.resume();
  world.settle();
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 413")) << client.received;
  EXPECT_TRUE(client.received.ends_with("\r\n\r\nno"));
  EXPECT_FALSE(client.broken);
}

TEST(Wire, LingersNoLongerThanItSays) {
  RawWorld world(plain_gateway());
  RawClient& client = world.connect();
  client.write("GET / HTTP/1.1\nHost: a\r\n\r\n");
  for (int second = 1; second <= 33; ++second) {
    world.settle(seconds(1));
    client.write("more");
    world.settle();
    EXPECT_FALSE(second < 30 && client.is_cut()) << "after " << second;
  }
  EXPECT_TRUE(client.is_cut());
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 400"));
}

TEST(Wire, LingersForTwoSilentSeconds) {
  for (const bool later : {false, true}) {
    RawWorld world(plain_gateway());
    RawClient& client = world.connect();
    client.write("GET / HTTP/1.1\nHost: a\r\n\r\n");
    world.settle(std::chrono::milliseconds(later ? 2100 : 1900));
    client.write("more");
    world.settle();
    EXPECT_EQ(client.is_cut(), later);
  }
}

struct Option {
  const char* name;
  std::string listener;
  const char* fields;
  const char* forwarded;  // lines that the target saw of them
  const char* status;
};
class WireOptions : public testing::TestWithParam<Option> {};

TEST_P(WireOptions, OfAListenerDoWhatTheySay) {
  const Option& o = GetParam();
  RawWorld world(plain_gateway("", o.listener));
  const std::string got = world.talk(o.fields);
  EXPECT_TRUE(got.starts_with(std::string("HTTP/1.1 ") + o.status)) << got;
  ASSERT_EQ(world.requests.size(), *o.forwarded == '\0' ? 0U : 1U);
  const std::string seen = world.requests.empty() ? "" : plain(world.requests[0]);
  EXPECT_TRUE(seen.starts_with(o.forwarded)) << seen;
}

INSTANTIATE_TEST_SUITE_P(
    Hop, WireOptions,
    testing::Values(
        Option{"KeepsUnderscores", "underscore_fields: keep", "GET / HTTP/1.1\r\nHost: a\r\nX_Any: 1\r\nX_Forwarded_For: evil\r\nX_User: evil\r\nX-User: 1\r\n\r\n",
               "GET / HTTP/1.1\nHost: a\nX_Any: 1\nX-User: 1\nVia:", "200"},
        Option{"RejectsUnderscores", "underscore_fields: reject", "GET / HTTP/1.1\r\nHost: a\r\nX_Any: 1\r\n\r\n", "", "400"},
        Option{"ForwardsTrace", "trace: forward", "TRACE / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 3\r\n\r\n", "TRACE / HTTP/1.1\nHost: a\nMax-Forwards: 2\n", "200"},
        Option{"NeverForwardsABodyOfTrace", "trace: forward", "TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", "", "400"},
        Option{"RejectsDuplicateSlashes", "duplicate_slash: reject", "GET //a HTTP/1.1\r\nHost: a\r\n\r\n", "", "400"}),
    [](const testing::TestParamInfo<Option>& c) { return c.param.name; });

struct Failing {
  const char* name;
  Reply reply;
  std::string keys;
  const char* status;
  const char* reason;
};
class WireFailures : public testing::TestWithParam<Failing> {};

TEST_P(WireFailures, BecomeAnAnswerWithItsReason) {
  RawWorld world(plain_gateway(GetParam().keys));
  world.script({GetParam().reply});
  RawClient& client = world.connect();
  client.write(kGet);
  world.settle(seconds(100));
  EXPECT_NE(client.received.find(std::string("HTTP/1.1 ") + GetParam().status), std::string::npos) << client.received;
  EXPECT_NE(client.received.find(std::string("\"reason\":\"") + GetParam().reason + "\""), std::string::npos) << client.received;
  ASSERT_EQ(world.records.size(), 1U);
  EXPECT_EQ(world.records[0].ended_by, "upstream");
}

INSTANTIATE_TEST_SUITE_P(Upstream, WireFailures,
                         testing::Values(Failing{"Close", {"", true, false, {}, false}, "", "502", "upstream-reset"},
                                         Failing{"Malformed", {"HTTP/1.1 abc\r\n\r\n", true, false, {}, false}, "", "502", "upstream-malformed"},
                                         Failing{"Upgrade", {"HTTP/1.1 101 Switching Protocols\r\n\r\n", true, false, {}, false}, "", "502", "upstream-malformed"},
                                         Failing{"Silent", {"", false, false, seconds(90), false}, "timeouts: { response: 5s }", "504", "response-timeout"},
                                         Failing{"Total", {"", false, false, seconds(90), false}, "timeouts: { total: 2s }", "504", "total-timeout"}),
                         [](const testing::TestParamInfo<Failing>& c) { return c.param.name; });

TEST(Wire, CutsAnAnswerThatBreaksOffAndSaysSoInTheRecord) {
  RawWorld world(plain_gateway());
  world.script({{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", true, false, {}, false}});
  RawClient& client = world.connect();
  client.write(kGet);
  world.settle();
  EXPECT_TRUE(client.broken);
  ASSERT_EQ(world.records.size(), 1U);
  EXPECT_TRUE(world.records[0].truncated);
  EXPECT_EQ(world.records[0].ended_reason, "truncated");
}

TEST(Wire, NoticesAClientThatResetsWhileTheUpstreamIsSilent) {
  RawWorld world(plain_gateway());
  world.script({{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, false, seconds(20), false}});
  RawClient& client = world.connect();
  client.write(kGet);
  world.settle(seconds(1));
  client.reset();
  world.settle(seconds(1));
  ASSERT_EQ(world.records.size(), 1U);
  EXPECT_EQ(world.records[0].ended_by, "client");
  EXPECT_EQ(world.records[0].ended_reason, "client-gone");
}

TEST(Wire, AnswersAClientThatHasOnlyFinishedSending) {
  RawWorld world(plain_gateway());
  world.script({{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, false, seconds(20), false}});
  RawClient& client = world.connect();
  client.write(kGet);
  world.settle(seconds(1));
  client.finish();
  world.settle(seconds(30));
  EXPECT_NE(client.received.find("200 OK"), std::string::npos);
}

TEST(Wire, LetsASlowClientHoldTheUpstreamBack) {
  RawWorld world(plain_gateway());
  const std::string body(4'000'000, 'x');
  world.script({{"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" + body, false, false, {}, false}});
  RawClient& client = world.connect();
  client.pause();
  world.settle();
  client.write(kGet);
  world.settle(seconds(1));
  EXPECT_TRUE(world.records.empty()) << "the whole answer was taken although nobody reads it";
  client.resume();
  world.settle(seconds(1));
  EXPECT_GT(client.received.size(), body.size());
  EXPECT_EQ(world.records.size(), 1U);
}

TEST(Wire, CutsAnAnswerThatItsClientDoesNotTake) {
  RawWorld world(plain_gateway("", "body_timeout: 5s"));
  world.script({{"HTTP/1.1 200 OK\r\n\r\n" + std::string(4'000'000, 'x'), true, false, {}, false}});
  RawClient& client = world.connect();
  client.pause();
  world.settle();
  client.write("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  world.settle(seconds(20));
  client.resume();
  world.settle(seconds(1));
  EXPECT_TRUE(client.broken) << "an orderly end looks like the end of an answer without a length";
  ASSERT_EQ(world.records.size(), 1U);
  EXPECT_EQ(world.records.front().ended_reason, "client-stalled");
}

TEST(Wire, TimesOutWhoNeverFinishesAHead) {
  RawWorld world(plain_gateway("", "header_timeout: 5s"));
  RawClient& client = world.connect();
  client.write("GET / HTTP/1.1\r\nHo");
  world.settle(seconds(9));
  EXPECT_NE(client.received.find("HTTP/1.1 408"), std::string::npos);
  EXPECT_TRUE(client.eof);
}

// An answer to no request would be taken for the answer to the next one.
TEST(Wire, SaysNothingToAnEmptyLineBehindARequest) {
  for (const char* behind : {"\r\n", "\r"}) {
    RawWorld world(plain_gateway("", "header_timeout: 5s"));
    RawClient& client = world.connect();
    client.write(std::string("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi") + behind);
    world.settle(seconds(30));
    EXPECT_EQ(client.received.find("408"), std::string::npos) << client.received;
    client.write(behind[1] == '\n' ? kGet : std::string("\n") + kGet);
    world.settle();
    EXPECT_EQ(world.requests.size(), 2U);
    client.write("\r\n");
    client.finish();
    world.settle();
    EXPECT_TRUE(client.eof);
    EXPECT_EQ(world.records.size(), 2U);
  }
}

TEST(Wire, RefusesABodyThatIsTooLargeHoweverItIsFramed) {
  for (const char* request : {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n01234567890123456789",
                              "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n01234567890123456789\r\n0\r\n\r\n"}) {
    RawWorld world(plain_gateway("", "max_body: 10B"));
    RawClient& client = world.connect();
    client.write(request);
    world.settle(seconds(3));
    EXPECT_NE(client.received.find("HTTP/1.1 413"), std::string::npos) << client.received;
    EXPECT_EQ(world.records.at(0).ended_reason, "body-too-large");
  }
}

TEST(Reload, LetsExchangesInFlightFinishOnTheirOwnConfiguration) {
  RawWorld world(plain_gateway());
  world.script({{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, false, seconds(5), false}});
  RawClient& client = world.connect();
  client.write(kGet);
  world.settle(seconds(1));
  world.reload("gatelab: 1\nlisteners: [ { name: main, address: 127.0.0.1:8080 } ]\nroutes: [ { name: gone, policies: [ { respond: { status: 410 } } ] } ]\n");
  world.settle(seconds(10));
  EXPECT_NE(client.received.find("200 OK"), std::string::npos);
  client.write(kGet);
  world.settle();
  EXPECT_NE(client.received.find("410 Gone"), std::string::npos);
  EXPECT_EQ(world.gateway->generation(), 2U);
}

TEST(Drain, AnswersWhatIsInFlightAndTellsTheClientToClose) {
  RawWorld world(plain_gateway());
  world.script({{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, false, seconds(5), false}});
  RawClient& client = world.connect();
  client.write(kGet);
  world.settle(seconds(1));
  bool done = false;
  world.gateway->drain(seconds(30), [&done] { done = true; });
  world.sim.run_until([&done] { return done; }, seconds(60));
  EXPECT_TRUE(done);
  EXPECT_NE(client.received.find("200 OK"), std::string::npos);
  EXPECT_NE(client.received.find("Connection: close"), std::string::npos);
}

}  // namespace
}  // namespace gatelab::test
