// SPDX-License-Identifier: Apache-2.0
// Heads as they go to a target, and what of an answer's head ends at this hop.
#include "proxy/head_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "http/forwarded.h"
#include "http/hop.h"
#include "http/parser.h"
#include "proxy/forwarding.h"

namespace gatelab::proxy {
namespace {

std::string_view head_to(Arena& arena, const http::RequestHead& head, std::string_view path) {
  static const http::Origin kDirect;
  Told told;
  told.path = path;
  told.host = choose_host({}, head.authority, "backend:9000");
  told.authority = told.host;
  told.scheme = told.peer_scheme = "http";
  told.request_id = "id";
  told.request_id_name = "X-Request-Id";
  told.via = "1.1 gatelab";
  told.origin = &kDirect;
  told.peer = *parse_address("192.0.2.1:5000");
  told.port = 8080;
  return request_head(arena, head, told);
}

std::string head_of(const std::string& text, std::string_view path = {}) {
  Arena arena;
  http::RequestHead head(arena);
  http::RequestParser parser(head, {});
  EXPECT_EQ(parser.parse(text), http::ParseState::Done) << text;
  EXPECT_EQ(http::end_hop(head, {}), http::Rule::Ok) << text;
  std::string out(head_to(arena, head, path.empty() ? head.path : path));
  std::string lines;
  for (const char c : out)
    if (c != '\r') lines += c;
  // What every head ends with.
  const std::size_t tail = lines.find("Via: ");
  EXPECT_NE(tail, std::string::npos) << lines;
  EXPECT_EQ(lines.substr(lines.size() - 2), "\n\n") << lines;
  return lines.substr(0, tail);
}

TEST(RequestHead, HoldsWhatTheClientSaidToTheTargetAndNothingOfThisHop) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"plain", "GET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n", "GET /a HTTP/1.1\nHost: a\nX: 1\n"},
      {"query and its mark", "GET /a? HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a? HTTP/1.1\nHost: a\n"},
      {"absolute target", "GET http://b/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /x?y HTTP/1.1\nHost: b\n"},
      {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\nHost: backend:9000\n"},
      {"Host comes first", "GET / HTTP/1.1\r\nX: 1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\nHost: a\nX: 1\n"},
      {"hop-by-hop", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nTE: trailers\r\nUpgrade: h2c\r\nProxy-Authorization: x\r\n\r\n", "GET / HTTP/1.1\nHost: a\nTE: trailers\nConnection: TE\n"},
      {"named by Connection", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x-hop, Y-Hop\r\nX-Hop: 1\r\nY-HOP: 2\r\nZ: 3\r\n\r\n", "GET / HTTP/1.1\nHost: a\nZ: 3\n"},
      {"length is protected from Connection", "POST / HTTP/1.1\r\nHost: a\r\nConnection: content-length, host\r\nContent-Length: 3\r\n\r\n", "POST / HTTP/1.1\nHost: a\nContent-Length: 3\n"},
      {"chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n"},
      {"the client's own forwarding fields", "GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=x\r\nX-Forwarded-For: x\r\nX-Forwarded-Host: x\r\nX-Forwarded-Proto: x\r\nX-Forwarded-Port: x\r\nX-Request-Id: x\r\n\r\n",
       "GET / HTTP/1.1\nHost: a\n"},
      {"Expect goes on", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", "POST / HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 1\n"},
      {"repeated fields keep their order", "GET / HTTP/1.1\r\nHost: a\r\nB: 1\r\nA: 2\r\nB: 3\r\n\r\n", "GET / HTTP/1.1\nHost: a\nB: 1\nA: 2\nB: 3\n"},
      {"any method", "M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n", "M-SEARCH / HTTP/1.1\nHost: a\n"},
  };
  for (const auto& [name, text, want] : cases) EXPECT_EQ(head_of(text), want) << name;
  EXPECT_EQ(head_of("GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", "/b"), "GET /b HTTP/1.1\nHost: a\n") << "the canonical path";
}

TEST(RequestHead, SaysWhereTheRequestCameFrom) {
  Arena arena;
  http::RequestHead head(arena);
  http::RequestParser parser(head, {});
  ASSERT_EQ(parser.parse("GET / HTTP/1.1\r\nHost: api.local\r\n\r\n"), http::ParseState::Done);
  const std::string text(head_to(arena, head, "/"));
  EXPECT_EQ(text.substr(text.find("Via")), "Via: 1.1 gatelab\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: api.local\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 8080\r\nX-Request-Id: id\r\n\r\n");
}

std::string stripped(const std::string& lines) {
  Arena arena;
  http::ResponseHead head(arena);
  http::ResponseParser parser(head, http::Method::Get, {});
  EXPECT_EQ(parser.parse(arena.copy("HTTP/1.1 200 OK\r\n" + lines + "\r\n")), http::ParseState::Done) << lines;
  http::strip_hop_by_hop(head.fields);
  std::string out;
  for (const http::Field& f : head.fields) out.append(f.name).append(": ").append(f.value).append("\r\n");
  return out;
}

TEST(AnswerHead, LosesWhatEndsAtThisHop) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"A: 1\r\nContent-Length: 3\r\nB: 2\r\n", "A: 1\r\nB: 2\r\n"},
      {"Transfer-Encoding: chunked\r\nConnection: close\r\nKeep-Alive: 1\r\nProxy-Connection: x\r\nUpgrade: x\r\nA: 1\r\n", "A: 1\r\n"},
      {"Connection: X-Hop,close\r\nX-Hop: 1\r\nx-hop: 2\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n", "Set-Cookie: a\r\nSet-Cookie: b\r\n"},
      {"Connection: A\r\nA: 1\r\nB: 2\r\nConnection: B\r\n", ""},
      {"Connection: Set-Cookie\r\nSet-Cookie: a\r\n", ""},
      {"Trailer: X\r\nTE: x\r\n", "Trailer: X\r\nTE: x\r\n"},
  };
  for (const auto& [lines, want] : cases) EXPECT_EQ(stripped(lines), want) << lines;
}

TEST(Chunks, AreFramedAsTheyAreRead) {
  char room[18];
  for (const std::size_t size : {std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{65'536}, SIZE_MAX}) {
    char want[24];
    std::snprintf(want, sizeof want, "%zx\r\n", size);
    EXPECT_EQ(chunk_size(size, room), want);
  }
  Arena arena;
  http::Fields none(arena), some(arena);
  some.add("X-Sum", "1");
  some.add("X-Two", "2");
  EXPECT_EQ(last_chunk(arena, nullptr), "0\r\n\r\n");
  EXPECT_EQ(last_chunk(arena, &none), "0\r\n\r\n");
  EXPECT_EQ(last_chunk(arena, &some), "0\r\nX-Sum: 1\r\nX-Two: 2\r\n\r\n");
}

}  // namespace
}  // namespace gatelab::proxy
