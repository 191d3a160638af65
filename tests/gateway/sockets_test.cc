// SPDX-License-Identifier: Apache-2.0
// What only real sockets show: edges that are told once.
#include <gtest/gtest.h>

#include <string>

#include "support/socket_world.h"

namespace gatelab::test {
namespace {

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

// 64 octets each: a read buffer of 17 KiB is then filled to the last octet at the end of a request, and no further edge tells
// of those that are still in the kernel.
TEST(Sockets, AnswerEveryPipelinedRequestWhereAReadEndsExactly) {
  constexpr std::size_t kRequests = 300;
  SocketWorld world({{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, false, {}, false}});
  std::string request = "GET /items/1 HTTP/1.1\r\nHost: a\r\nX: ";
  request += std::string(64 - request.size() - 4, 'x') + "\r\n\r\n";
  ASSERT_EQ(request.size(), 64U);
  std::string all;
  for (std::size_t i = 0; i < kRequests; ++i) all += request;
  const auto client = world.connect();
  client->write(all);
  EXPECT_TRUE(client->read_until([&client] { return count(client->received, "HTTP/1.1 200") == kRequests; }));
  EXPECT_EQ(count(client->received, "HTTP/1.1 200"), kRequests);
}

}  // namespace
}  // namespace gatelab::test
