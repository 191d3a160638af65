// SPDX-License-Identifier: Apache-2.0
// Who the client is, by what proxies say: trusted or not, in one line or several, well written or garbage.
#include "http/forwarded.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gatelab::http {
namespace {

using Lines = std::vector<std::pair<const char*, const char*>>;

struct Row {
  const char* name;
  Lines fields;
  const char* client;
  const char* hops = "";
  const char* scheme = "";
  const char* authority = "";
  int port = 0;
  ForwardedStyle style = ForwardedStyle::XForwarded;
  const char* peer = "10.0.0.1";
};

constexpr auto kRfc = ForwardedStyle::Rfc7239;

std::string text_of(std::span<const Address> hops) {
  std::string out;
  for (const Address& hop : hops) out += (out.empty() ? "" : " ") + format(hop.ip);
  return out;
}

TEST(Origin, IsTheRightmostHopThatIsNotTrusted) {
  AddressSet trusted;
  ASSERT_TRUE(trusted.add("10.0.0.0/8"));
  ASSERT_TRUE(trusted.add("fd00::/8"));
  const std::vector<Row> rows{
      {"nothing said", {}, "10.0.0.1"},
      {"one client", {{"X-Forwarded-For", "203.0.113.9"}}, "203.0.113.9", "203.0.113.9"},
      {"spoofed before the client", {{"X-Forwarded-For", "1.1.1.1, 203.0.113.9"}}, "203.0.113.9", "203.0.113.9"},
      {"two trusted proxies", {{"X-Forwarded-For", "1.1.1.1, 203.0.113.9, 10.2.2.2"}}, "203.0.113.9", "203.0.113.9 10.2.2.2"},
      {"all trusted", {{"X-Forwarded-For", "10.9.9.9, 10.2.2.2"}}, "10.9.9.9", "10.9.9.9 10.2.2.2"},
      {"several lines are one list", {{"X-Forwarded-For", "1.1.1.1"}, {"X-Forwarded-For", "203.0.113.9,10.2.2.2"}}, "203.0.113.9", "203.0.113.9 10.2.2.2"},
      {"a port", {{"X-Forwarded-For", "203.0.113.9:4711"}}, "203.0.113.9", "203.0.113.9"},
      {"IPv6 with and without brackets", {{"X-Forwarded-For", "[2001:db8::1]:80, fd00::2"}}, "2001:db8::1", "2001:db8::1 fd00::2"},
      {"a mapped address", {{"X-Forwarded-For", "::ffff:203.0.113.9"}}, "203.0.113.9", "203.0.113.9"},
      {"an open quote swallows nobody", {{"X-Forwarded-For", "\", 203.0.113.9"}}, "203.0.113.9", "203.0.113.9"},
      {"Forwarded, an open quote swallows nobody", {{"Forwarded", "for=\", for=203.0.113.9"}}, "203.0.113.9", "203.0.113.9", "", "", 0, kRfc},
      {"Forwarded, an escaped quote swallows nobody", {{"Forwarded", "for=\"a\\\", for=\"203.0.113.9\""}}, "203.0.113.9", "203.0.113.9", "", "", 0, kRfc},
      {"garbage ends the walk", {{"X-Forwarded-For", "203.0.113.9, nonsense"}}, "10.0.0.1"},
      {"unknown ends the walk", {{"X-Forwarded-For", "203.0.113.9, unknown, 10.2.2.2"}}, "10.2.2.2", "10.2.2.2"},
      {"empty elements are none", {{"X-Forwarded-For", ", ,203.0.113.9,,"}}, "203.0.113.9", "203.0.113.9"},
      {"an untrusted peer says nothing", {{"X-Forwarded-For", "1.1.1.1"}, {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "evil"}}, "198.51.100.1", "", "", "", 0, ForwardedStyle::XForwarded, "198.51.100.1"},
      {"the other family is not read", {{"Forwarded", "for=1.1.1.1"}, {"X-Forwarded-For", "203.0.113.9"}}, "203.0.113.9", "203.0.113.9"},
      {"scheme, host and port", {{"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-Proto", "HTTPS"}, {"X-Forwarded-Host", "shop.example:8443"}, {"X-Forwarded-Port", "8443"}}, "203.0.113.9", "203.0.113.9", "https", "shop.example:8443", 8443},
      {"garbage in them", {{"X-Forwarded-Proto", "gopher"}, {"X-Forwarded-Host", "a b"}, {"X-Forwarded-Port", "99999"}}, "10.0.0.1"},
      {"a list follows the client's place", {{"X-Forwarded-For", "203.0.113.9, 10.2.2.2"}, {"X-Forwarded-Proto", "http, https, http"}}, "203.0.113.9", "203.0.113.9 10.2.2.2", "https"},
      {"values left of the client are the client's", {{"X-Forwarded-For", "1.1.1.1, 203.0.113.9"}, {"X-Forwarded-Proto", "https, http"}, {"X-Forwarded-Host", "evil, good"}}, "203.0.113.9", "203.0.113.9", "http", "good"},
      {"Forwarded", {{"Forwarded", "for=203.0.113.9;proto=https;host=shop.example"}}, "203.0.113.9", "203.0.113.9", "https", "shop.example", 0, kRfc},
      {"Forwarded, quoted IPv6, by, spaces", {{"Forwarded", "For=\"[2001:db8::1]:4711\" ; by=10.0.0.1;proto=http, for=10.2.2.2"}}, "2001:db8::1", "2001:db8::1 10.2.2.2", "http", "", 0, kRfc},
      {"Forwarded, spoofed", {{"Forwarded", "for=1.1.1.1;host=evil"}, {"Forwarded", "for=203.0.113.9;host=good"}}, "203.0.113.9", "203.0.113.9", "", "good", 0, kRfc},
      {"Forwarded, hidden node", {{"Forwarded", "for=_secret;proto=https"}}, "10.0.0.1", "", "https", "", 0, kRfc},
      {"Forwarded, for twice", {{"Forwarded", "for=1.1.1.1;for=2.2.2.2"}}, "10.0.0.1", "", "", "", 0, kRfc},
      {"Forwarded, an open quote", {{"Forwarded", "for=\"1.1.1.1"}}, "10.0.0.1", "", "", "", 0, kRfc},
      {"Forwarded, X-Forwarded-For is not read", {{"X-Forwarded-For", "1.1.1.1"}}, "10.0.0.1", "", "", "", 0, kRfc},
  };
  for (const Row& row : rows) {
    Arena arena;
    Fields fields(arena);
    for (const auto& [name, value] : row.fields) fields.add(name, value);
    const Origin origin = find_origin(fields, {*parse_ip(row.peer), 1234}, trusted, row.style);
    EXPECT_EQ(format(origin.client.ip), row.client) << row.name;
    EXPECT_EQ(text_of(origin.hops), row.hops) << row.name;
    EXPECT_EQ(origin.scheme, row.scheme) << row.name;
    EXPECT_EQ(origin.authority, row.authority) << row.name;
    EXPECT_EQ(origin.port, row.port) << row.name;
  }
}

TEST(Node, IsAnAddressWithAnOptionalPort) {
  for (const char* text : {"1.2.3.4", "1.2.3.4:0", "1.2.3.4:65535", "::1", "[::1]", "[::1]:8", "::ffff:1.2.3.4"}) EXPECT_TRUE(parse_node(text)) << text;
  for (const char* text : {"", "unknown", "_x", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:x", "[::1", "[::1]x", "[::1]:", "[1.2.3.4]", "a.b.c.d", "1.2.3", "1.2.3.4 5", "fe80::1%eth0", "1.2.3.4:-1", "1.2.3.4, 5"})
    EXPECT_FALSE(parse_node(text)) << text;
}

TEST(ForwardingFields, AreKnownInEverySpelling) {
  for (const char* name : {"X-Forwarded-For", "x_forwarded_for", "X-Forwarded-Whatever", "X-FORWARDED", "Forwarded", "X-Real-IP", "x_real_ip", "X-Original-URL", "X-Rewrite-Url", "True-Client-IP"})
    EXPECT_TRUE(is_forwarding_field(name)) << name;
  for (const char* name : {"", "X", "X-Forward", "X-Realm", "Forwarded-To", "Fetch", "Traceparent", "X-Request-Id"}) EXPECT_FALSE(is_forwarding_field(name)) << name;
}

}  // namespace
}  // namespace gatelab::http
