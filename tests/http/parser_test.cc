// SPDX-License-Identifier: Apache-2.0
// One strict reading of heads and bodies, whatever the segmentation.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "http/parser.h"
#include "http/uri.h"

namespace gatelab::http {
namespace {

constexpr Limits kLimits{1024, 256, 10};

Rule read(const std::string& text, std::size_t step = 0) {
  Arena arena;
  RequestHead head(arena);
  RequestParser parser(head, kLimits);
  ParseState state = ParseState::NeedMore;
  for (std::size_t n = step == 0 ? text.size() : step; state == ParseState::NeedMore; n += step) {
    state = parser.parse(std::string_view(text).substr(0, std::min(n, text.size())));
    if (n >= text.size()) break;
  }
  EXPECT_NE(state, ParseState::NeedMore) << text;
  return state == ParseState::Failed ? parser.rule() : Rule::Ok;
}

TEST(RequestParser, HasOneReadingOfEveryMessage) {
  const std::string line = "GET / HTTP/1.1\r\n", host = "Host: a\r\n", end = "\r\n";
  const std::pair<std::string, Rule> cases[] = {
      {line + host + end, Rule::Ok},
      {"\r\n" + line + host + end, Rule::Ok},
      {"\r\n\r\n" + line + host + end, Rule::BadRequestLine},
      {"G@T / HTTP/1.1\r\n" + host + end, Rule::BadMethod},
      {"M-SEARCH!#$ / HTTP/1.1\r\n" + host + end, Rule::Ok},
      {" GET / HTTP/1.1\r\n" + host + end, Rule::BadMethod},
      {"GET  / HTTP/1.1\r\n" + host + end, Rule::BadRequestLine},
      {"GET /\r\n" + host + end, Rule::BadRequestLine},
      {"GET / HTTP/1.1 \r\n" + host + end, Rule::BadVersion},
      {"GET / HTTP/2.0\r\n" + host + end, Rule::UnsupportedVersion},
      {"GET / http/1.1\r\n" + host + end, Rule::BadVersion},
      {"GET a HTTP/1.1\r\n" + host + end, Rule::BadTarget},
      {"GET /\x01 HTTP/1.1\r\n" + host + end, Rule::BadTarget},
      {"GET /#f HTTP/1.1\r\n" + host + end, Rule::BadTarget},
      {"GET http://u@h/ HTTP/1.1\r\n" + host + end, Rule::BadTarget},
      {"GET http://h:80/x HTTP/1.1\r\n" + host + end, Rule::Ok},
      {"OPTIONS * HTTP/1.1\r\n" + host + end, Rule::Ok},
      {"GET * HTTP/1.1\r\n" + host + end, Rule::BadTarget},
      {"GET /" + std::string(300, 'a') + " HTTP/1.1\r\n" + host + end, Rule::TargetTooLong},
      {"GET / HTTP/1.1\n" + host + end, Rule::BareLf},
      {line + "Host: a\n\r\n", Rule::BareLf},
      {line + host + "A: b\rc\r\n" + end, Rule::BareCr},
      {line + host + "A: 1\r\n B: 2\r\n" + end, Rule::ObsFold},
      {line + host + "A : 1\r\n" + end, Rule::SpaceBeforeColon},
      {line + host + ": 1\r\n" + end, Rule::BadFieldName},
      {line + host + "A\r\n" + end, Rule::BadFieldName},
      {line + host + "A: \x01\r\n" + end, Rule::BadFieldValue},
      {line + host + "A:\t b \t\r\n" + end, Rule::Ok},
      {line + end, Rule::MissingHost},
      {"GET / HTTP/1.0\r\n" + end, Rule::Ok},
      {line + host + host + end, Rule::DuplicateHost},
      {line + "Host: a b\r\n" + end, Rule::BadHost},
      {line + "Host: a:99999\r\n" + end, Rule::BadHost},
      {line + "Host: [::1]:80\r\n" + end, Rule::Ok},
      {line + "Host:\r\n" + end, Rule::BadHost},
      {line + host + "Content-Length: 1x\r\n" + end, Rule::BadContentLength},
      {line + host + "Content-Length: +1\r\n" + end, Rule::BadContentLength},
      {line + host + "Content-Length: 1, 1\r\n" + end, Rule::BadContentLength},
      {line + host + "Content-Length: 99999999999999999999\r\n" + end, Rule::BadContentLength},
      {line + host + "Content-Length: 1\r\nContent-Length: 1\r\n" + end, Rule::BadContentLength},
      {line + host + "Content-Length: 1\r\nContent-Length: 2\r\n" + end, Rule::DifferentContentLengths},
      {line + host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n" + end, Rule::LengthAndEncoding},
      {line + host + "Transfer-Encoding: gzip, chunked\r\n" + end, Rule::UnknownTransferEncoding},
      {line + host + "Transfer-Encoding: chunked, gzip\r\n" + end, Rule::ChunkedNotLast},
      {line + host + "Transfer-Encoding:\r\n" + end, Rule::ChunkedNotLast},
      {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" + end, Rule::EncodingInHttp10},
      {line + host + "Expect: 100-continue\r\n" + end, Rule::Ok},
      {line + host + "Expect: the-best\r\n" + end, Rule::UnknownExpectation},
      {line + host + "A: " + std::string(2000, 'x') + "\r\n" + end, Rule::HeadTooLarge},
      {line + host + "A: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\n" + end, Rule::TooManyFields},
  };
  for (const auto& [text, rule] : cases) {
    EXPECT_EQ(info(read(text)).word, info(rule).word) << text;
    EXPECT_EQ(read(text, 1) == Rule::Ok, rule == Rule::Ok) << text;
    EXPECT_EQ(read(text, 7) == Rule::Ok, rule == Rule::Ok) << text;
  }
}

std::string decode(const std::string& text, std::size_t step, Rule& rule) {
  Arena arena;
  Fields trailers(arena);
  BodyDecoder decoder({Framing::Chunked, 0}, &trailers);
  std::string out;
  for (std::size_t at = 0; at < text.size() && !decoder.done();) {
    const auto piece = decoder.next(std::string_view(text).substr(at, step));
    at += piece.consumed;
    out += piece.data;
    if (piece.state == BodyDecoder::State::Failed) break;
  }
  rule = decoder.rule();
  for (const Field& f : trailers) out.append("|").append(f.name).append("=").append(f.value);
  return decoder.done() ? out : out + "…";
}

TEST(BodyDecoder, UndoesChunkedFramingInAnySegmentation) {
  const std::tuple<std::string, std::string, Rule> cases[] = {
      {"3\r\nabc\r\n0\r\n\r\n", "abc", Rule::Ok},
      {"003;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nX: 1\r\n\r\n", "abc0123456789|X=1", Rule::Ok},
      {"3\nabc", "…", Rule::BadChunkSize},
      {"g\r\n", "…", Rule::BadChunkSize},
      {"3 \r\nabc", "…", Rule::BadChunkSize},
      {"-1\r\n", "…", Rule::BadChunkSize},
      {"ffffffffffffffff\r\n", "…", Rule::ChunkTooLarge},
      {"3\r\nabcd\r\n", "abc…", Rule::BadChunkEnd},
      {"0\r\nContent-Length: 3\r\n\r\n", "…", Rule::BadTrailer},
      {"0\r\nbroken\r\n\r\n", "…", Rule::BadTrailer},
      {"0\r\nX: 1\n\r\n", "…", Rule::BareLf},
  };
  for (const auto& [text, out, rule] : cases)
    for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{5}, text.size()}) {
      Rule got = Rule::Ok;
      EXPECT_EQ(decode(text, step, got), out) << text << " by " << step;
      EXPECT_EQ(info(got).word, info(rule).word) << text << " by " << step;
    }
}

TEST(ResponseParser, KnowsWhereABodyEnds) {
  const std::tuple<const char*, Method, Framing> cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Method::Get, Framing::Length},
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Method::Head, Framing::None},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Method::Get, Framing::Chunked},
      {"HTTP/1.1 200\r\n\r\n", Method::Get, Framing::UntilClose},
      {"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", Method::Get, Framing::None},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", Method::Get, Framing::None},
  };
  for (const auto& [text, method, framing] : cases) {
    Arena arena;
    ResponseHead head(arena);
    ResponseParser parser(head, method, kLimits);
    ASSERT_EQ(parser.parse(text), ParseState::Done) << text;
    EXPECT_EQ(head.body.kind, framing) << text;
  }
}

TEST(CanonicalPath, IsTheSameForEveryWayToWriteIt) {
  const std::tuple<const char*, const char*, Rule> cases[] = {
      {"/a/b", "/a/b", Rule::Ok}, {"/a/./b/../c", "/a/c", Rule::Ok}, {"/../../a", "/a", Rule::Ok}, {"/%61%2D%7e", "/a-~", Rule::Ok},
      {"/a%c3%a9", "/a%C3%A9", Rule::Ok}, {"/%2e%2e/a", "/a", Rule::Ok}, {"/a/..", "/", Rule::Ok}, {"/a//b", "/a//b", Rule::Ok},
      {"/a%2fb", "", Rule::EncodedSlash}, {"/a%5cb", "", Rule::BadPath}, {"/a\\b", "", Rule::BadPath}, {"/%00", "", Rule::BadPath}, {"/%zz", "", Rule::BadPath}, {"/%4", "", Rule::BadPath},
  };
  for (const auto& [raw, path, rule] : cases) {
    Arena arena;
    const CanonicalPath got = canonical_path(raw, {}, arena);
    EXPECT_EQ(got.path, path) << raw;
    EXPECT_EQ(info(got.rule).word, info(rule).word) << raw;
  }
}

}  // namespace
}  // namespace gatelab::http
