// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/request.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "harness/replay/import_parts.h"
#include "harness/replay/recorded_upstreams.h"
#include "harness/replay/redact.h"

namespace gatelab::harness {
namespace {

RecordedExchange exchange(const std::string& id, const std::string& target, std::int64_t second = 0) {
  RecordedExchange e;
  e.id = id;
  e.began = Instant::from_seconds(second);
  e.request = {"GET", target, "1.1", {{"Host", "shop.test"}}, {}};
  e.answer.status = 200;
  return e;
}

Replay replay_of(std::vector<RecordedExchange> exchanges) {
  Replay out;
  auto recording = std::make_shared<Recording>();
  recording->exchanges = std::move(exchanges);
  out.recording = std::move(recording);
  return out;
}

TEST(ReplayRequest, IsFramedAnewAndOtherwiseAsItWas) {
  RecordedRequest r{"POST", "/a?b=1", "2", {{"host", "shop.test"}, {"Connection", "keep-alive, X-Hop"}, {"Transfer-Encoding", "chunked"}, {"x-Two", "2"}, {"Expect", "100-continue"}, {"X-One", "1"}}, body_from("text")};
  EXPECT_EQ(octets_of(r, "other:1"), "POST /a?b=1 HTTP/1.1\r\nhost: shop.test\r\nx-Two: 2\r\nX-One: 1\r\nContent-Length: 4\r\n\r\ntext");
  EXPECT_EQ(octets_of({"GET", "/", "1.0", {}, {}}, "other:1"), "GET / HTTP/1.0\r\nHost: other:1\r\n\r\n");
  EXPECT_EQ(octets_of({"POST", "/", "1.1", {{"Host", "a"}, {"content-length", "0"}}, {}}, ""), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
}

TEST(ReplayRequest, SecretsStandWhereTheirMarksStood) {
  const Redactor redactor("0123456789abcdef");
  RecordedRequest r{"POST", "/a?api_key=s%2Fcret-one&b=2", "1.1", {{"X-Api-Key", "s/cret-one"}, {"Cookie", "sid=other"}}, body_from(R"({"password":"s/cret-one","n":1})")};
  const RecordedRequest before = r;
  redactor.apply(r);
  const std::string mark = r.headers[0].second.substr(10, 12);
  std::vector<bool> used;
  put_back(r, {{mark, "s/cret-one", {}}, {"0123456789ab", "x", {}}}, used);
  EXPECT_EQ(r.target, before.target);
  EXPECT_EQ(r.headers[0].second, "s/cret-one");
  EXPECT_EQ(*r.body.octets, *before.body.octets);
  EXPECT_EQ(r.body.size, before.body.size);
  EXPECT_NE(r.headers[1].second, "sid=other");
  EXPECT_EQ(used, (std::vector<bool>{true, false}));
}

TEST(ReplayRequest, TokensAreMintedFromWhatIsLeftOfThem) {
  const auto part = [](const std::string& json) { return base64url_encode(json); };
  const Redactor redactor("0123456789abcdef");
  const std::string token = part(R"({"alg":"RS256","kid":"k9"})") + "." + part(R"({"sub":"alice","email":"a@b.c"})") + "." + std::string(342, 'A');
  RecordedRequest r{"GET", "/", "1.1", {{"Authorization", "Bearer " + token}, {"X-Other", "eyJ"}, {"Cookie", "a=1; t=" + token + "; b=2"}}, {}};
  redactor.apply(r);
  std::string seen;
  EXPECT_EQ(remint(r, [&seen](const RecordedToken& t) { return seen = t.header.dump() + t.claims.dump(), "NEW"; }), 2U);
  EXPECT_EQ(seen, R"({"alg":"RS256","kid":"k9"}{"sub":"alice"})");
  EXPECT_EQ(r.headers[0].second, "Bearer NEW");
  EXPECT_TRUE(r.headers[2].second.ends_with(" t=NEW; b=<redacted:" + r.headers[2].second.substr(r.headers[2].second.size() - 13))) << r.headers[2].second;
}

TEST(ReplaySelection, IsInOrderOfTimeAndOnlyWhatIsAskedFor) {
  Replay replay = replay_of({exchange("late", "/api/b?x=1", 9), exchange("early", "/api/a", 1), exchange("other", "/page", 5)});
  const auto ids = [&replay] {
    std::string out;
    for (const RecordedExchange* e : selected(replay)) out += e->id + " ";
    return out;
  };
  EXPECT_EQ(ids(), "early other late ");
  replay.exchanges = {"late", "other"};
  EXPECT_EQ(ids(), "other late ");
}

TEST(ReplaySelection, WhatCantBeSentSaysWhy) {
  Replay replay = replay_of({});
  RecordedExchange e = exchange("1", "/");
  EXPECT_EQ(unplayable(replay, e), "");
  e.request.body.size = 7;
  e.request.body.left_out = "opaque";
  EXPECT_EQ(unplayable(replay, e), "its request's body is not in the recording: opaque");
  e = exchange("1", "/");
  e.answer.status = 101;
  EXPECT_NE(unplayable(replay, e), "");
  e = exchange("1", "/");
  e.attempts.emplace_back();
  e.attempts[0].upstream = "orders";
  e.attempts[0].answer.status = 200;
  e.attempts[0].answer.body.size = 9;
  e.attempts[0].answer.body.left_out = "too-large";
  EXPECT_EQ(unplayable(replay, e), "");
  replay.upstreams = Replay::Upstreams::Recorded;
  EXPECT_EQ(unplayable(replay, e), "the body that `orders` answered is not in the recording: too-large");
}

RecordedExchange with_attempt(const std::string& id, const std::string& upstream, const std::string& target, const std::string& sent, const std::string& answered) {
  RecordedExchange e = exchange(id, target);
  RecordedAttempt attempt;
  attempt.upstream = upstream;
  attempt.target = "t";
  attempt.request = e.request;
  attempt.request.body = body_from(sent);
  attempt.answer = {200, {{"Content-Length", "1"}, {"X-A", id}}, body_from(answered)};
  e.attempts.push_back(attempt);
  return e;
}

TEST(RecordedUpstreams, GiveEachAnswerOnceAndFollowTheBody) {
  Replay replay = replay_of({with_attempt("1", "orders", "/a?b=1", R"({"n":1})", "one"), with_attempt("2", "orders", "/a?b=1", R"({"n":2})", "two"), with_attempt("3", "gone", "/c", "", "three")});
  RecordedUpstreams upstreams({"orders", "items"});
  upstreams.add(replay);
  const std::vector<Stub> stubs = upstreams.stubs("orders");
  ASSERT_EQ(stubs.size(), 2U);  // the upstream that is no more is answered by any
  EXPECT_EQ(upstreams.stubs("items").size(), 1U);
  SeenRequest request;
  request.upstream = "orders";
  request.method = "GET";
  request.path = "/a";
  request.query = "b=1";
  request.body = R"({ "n": 2 })";
  ASSERT_TRUE(fit(stubs[0].when, request).fits);
  EXPECT_EQ(stubs[0].reply.make(request)->body, "two");
  EXPECT_EQ(stubs[0].reply.make(request)->status, 404);
  EXPECT_EQ(upstreams.take_misses(), std::vector<std::string>{"GET /a?b=1 to `orders`: the body is another than in "});
  request.body = R"({"n":1})";
  const auto one = stubs[0].reply.make(request);
  EXPECT_EQ(one->body, "one");
  EXPECT_EQ(one->headers, (std::vector<std::pair<std::string, std::string>>{{"X-A", "1"}}));
  EXPECT_EQ(stubs[0].reply.make(request)->status, 404);
  EXPECT_EQ(upstreams.take_misses(), std::vector<std::string>{"GET /a?b=1 to `orders`: all 2 recorded answers are given: it is called more often"});
  EXPECT_TRUE(upstreams.take_misses().empty());
  request.query.clear();
  EXPECT_FALSE(fit(stubs[0].when, request).fits);
}

}  // namespace
}  // namespace gatelab::harness
