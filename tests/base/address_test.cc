// SPDX-License-Identifier: Apache-2.0
#include "base/address.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace gatelab {
namespace {

TEST(IpAddresses, AreReadStrictlyAndPrintedAsRfc5952HasThem) {
  const std::pair<const char*, const char*> cases[] = {
      {"127.0.0.1", "127.0.0.1"}, {"0.0.0.0", "0.0.0.0"}, {"255.255.255.255", "255.255.255.255"}, {"::", "::"}, {"::1", "::1"}, {"1::", "1::"},
      {"2001:DB8::00ff", "2001:db8::ff"}, {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"}, {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"}, {"0:0:0:1::", "0:0:0:1::"}, {"::ffff:192.0.2.1", "::ffff:c000:201"}, {"1::2:0:0:3", "1::2:0:0:3"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
  };
  for (const auto& [text, printed] : cases) {
    const auto got = parse_ip(text);
    ASSERT_TRUE(got) << text;
    EXPECT_EQ(format(*got), printed) << text;
    EXPECT_EQ(*parse_ip(printed), *got) << text;
  }
}

TEST(IpAddresses, AreRefusedWhenThereAreTwoWaysToReadThem) {
  for (const char* text : {"", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", "1.2.3.4 ", "0x7f.0.0.1", "1.2.3.", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7:8::", "::12345", "::g", "[::1]", "::1%eth0", "1:", ":1", "::1.2.3", "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "localhost"})
    EXPECT_FALSE(parse_ip(text)) << text;
}

TEST(Addresses, NeedAPortAndBracketsAroundIpv6) {
  const std::tuple<const char*, const char*, std::uint16_t> cases[] = {
      {"127.0.0.1:8080", "127.0.0.1:8080", 8080}, {"127.0.0.1:0", "127.0.0.1:0", 0}, {"[::1]:65535", "[::1]:65535", 65535}, {"[2001:DB8::1]:80", "[2001:db8::1]:80", 80}};
  for (const auto& [text, printed, port] : cases) {
    const auto got = parse_address(text);
    ASSERT_TRUE(got) << text;
    EXPECT_EQ(format(*got), printed);
    EXPECT_EQ(got->port, port);
  }
  for (const char* text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80a", ":80", "::1:80", "[::1]", "[127.0.0.1]:80", "[::1:80", "localhost:80",
                           "127.0.0.1:99999999999999999999"})
    EXPECT_FALSE(parse_address(text)) << text;
}

TEST(IpAddresses, FitIntoTheRoomThatTheLogHasForThem) {
  const IpAddress longest = *parse_ip("1111:2222:3333:4444:5555:6666:7777:8888");
  char text[46];
  EXPECT_EQ(std::string(text, format_to(longest, text)), "1111:2222:3333:4444:5555:6666:7777:8888");
  EXPECT_EQ(format(IpAddress{}), "-");
}

}  // namespace
}  // namespace gatelab
