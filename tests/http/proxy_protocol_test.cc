// SPDX-License-Identifier: Apache-2.0
#include "http/proxy_protocol.h"

#include <gtest/gtest.h>

#include <vector>

namespace gatelab::http {
namespace {

using State = ProxyHeader::State;
using namespace std::string_literals;

const std::string kBinary = "\r\n\r\n\0\r\nQUIT\n"s;

struct Row {
  std::string octets;
  State state;
  const char* source = "";
};

TEST(ProxyHeader, ReadsBothVersionsAndRefusesTheRest) {
  const std::string v4 = "\x0a\x01\x02\x03\xc0\x00\x02\x01\x12\x67\x01\xbb"s, v6 = std::string(15, '\0') + "\x01" + std::string(15, '\0') + "\x02" + "\x00\x50\x00\x51"s;
  const std::vector<Row> rows{
      {"PROXY TCP4 10.1.2.3 192.0.2.1 4711 443\r\n", State::Done, "10.1.2.3:4711"},
      {"PROXY TCP6 2001:db8::1 ::1 4711 443\r\n", State::Done, "[2001:db8::1]:4711"},
      {"PROXY TCP6 ::ffff:10.1.2.3 ::1 4711 443\r\n", State::Done, "10.1.2.3:4711"},
      {"PROXY UNKNOWN\r\n", State::Done},
      {"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", State::Done},
      {"PROXY TCP4 10.1.2.3 192.0.2.1 4711 443\n", State::Broken},
      {"PROXY TCP4 10.1.2.3 ::1 4711 443\r\n", State::Broken},
      {"PROXY TCP4 10.1.2.3 192.0.2.1 4711\r\n", State::Broken},
      {"PROXY TCP4 10.1.2.3 192.0.2.1 4711 443 1\r\n", State::Broken},
      {"PROXY TCP4 10.1.2.3 192.0.2.1 4711 443 \r\n", State::Broken},
      {"PROXY TCP4  10.1.2.3 192.0.2.1 4711 443\r\n", State::Broken},
      {"PROXY TCP4 10.1.2.3 192.0.2.1 65536 443\r\n", State::Broken},
      {"PROXY TCP4 10.1.2.3 192.0.2.1 04711 443\r\n", State::Broken},
      {"PROXY UDP4 10.1.2.3 192.0.2.1 4711 443\r\n", State::Broken},
      {"PROXY \r\n", State::Broken},
      {"PROXY " + std::string(120, 'x'), State::Broken},
      {"PROXY TCP4 10.1", State::NeedMore},
      {"PRO", State::NeedMore},
      {"", State::NeedMore},
      {"PROPFIND / HTTP/1.1\r\n", State::Absent},
      {"GET / HTTP/1.1\r\n", State::Absent},
      {"\r\nGET / HTTP/1.1\r\n", State::Absent},
      {kBinary + "\x21\x11\x00\x0c"s + v4, State::Done, "10.1.2.3:4711"},
      {kBinary + "\x21\x21\x00\x24"s + v6, State::Done, "[::1]:80"},
      {kBinary + "\x21\x11\x00\x10"s + v4 + "\x04\x00\x01x"s, State::Done, "10.1.2.3:4711"},
      {kBinary + "\x20\x00\x00\x00"s, State::Done},
      {kBinary + "\x21\x00\x00\x00"s, State::Done},
      {kBinary + "\x21\x31\x00\x02zz"s, State::Done},
      {kBinary + "\x21\x11\x00\x04"s + v4.substr(0, 4), State::Broken},
      {kBinary + "\x11\x11\x00\x0c"s + v4, State::Broken},
      {kBinary + "\x22\x11\x00\x0c"s + v4, State::Broken},
      {kBinary + "\x21\x11\xff\xff"s, State::Broken},
      {kBinary + "\x21\x11\x00\x0c"s + v4.substr(0, 11), State::NeedMore},
      {kBinary, State::NeedMore},
  };
  for (const Row& row : rows) {
    const ProxyHeader header = parse_proxy_header(row.octets + (row.state == State::Done ? "GET / HTTP/1.1" : ""));
    EXPECT_EQ(header.state, row.state) << testing::PrintToString(row.octets);
    if (row.state != State::Done) continue;
    EXPECT_EQ(header.size, row.octets.size());
    EXPECT_EQ(header.known ? format(header.source) : "", row.source) << testing::PrintToString(row.octets);
    // However it arrives: every part of it asks for more.
    for (std::size_t n = 0; n < row.octets.size(); ++n) EXPECT_EQ(parse_proxy_header(row.octets.substr(0, n)).state, State::NeedMore) << n;
  }
}

TEST(ProxyHeader, IsReadAsItWasWritten) {
  const Address v4 = *parse_address("10.1.2.3:4711"), v6 = *parse_address("[2001:db8::1]:80"), none;
  for (const auto version : {ProxyProtocol::V1, ProxyProtocol::V2}) {
    for (const Address& source : {v4, v6, none}) {
      for (const Address& destination : {v4, v6, none}) {
        const std::string octets = write_proxy_header(version, source, destination);
        const ProxyHeader header = parse_proxy_header(octets);
        ASSERT_EQ(header.state, State::Done) << testing::PrintToString(octets);
        EXPECT_EQ(header.size, octets.size());
        const bool known = source != none && destination != none;
        EXPECT_EQ(header.known, known);
        EXPECT_EQ(header.source, known ? source : none);
        EXPECT_EQ(header.destination, known ? destination : none);
      }
    }
  }
}

}  // namespace
}  // namespace gatelab::http
