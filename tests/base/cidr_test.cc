// SPDX-License-Identifier: Apache-2.0
#include "base/cidr.h"

#include <gtest/gtest.h>

namespace gatelab {
namespace {

IpAddress ip(std::string_view text) { return *parse_ip(text); }

struct Row {
  const char *range, *inside, *outside;
};

TEST(Cidr, HoldsWhatItsPrefixCovers) {
  for (const Row& row : {Row{"10.0.0.0/8", "10.255.0.1", "11.0.0.0"}, Row{"192.168.4.0/22", "192.168.7.255", "192.168.8.0"}, Row{"10.1.2.3", "10.1.2.3", "10.1.2.4"},
                         Row{"128.0.0.0/1", "255.255.255.255", "127.255.255.255"}, Row{"0.0.0.0/0", "9.9.9.9", "::1"}, Row{"fd00::/8", "fdff::1", "fe00::1"},
                         Row{"2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"}, Row{"::/0", "::2", "1.2.3.4"}, Row{"10.0.0.0/8", "::ffff:10.1.1.1", "::ffff:11.1.1.1"},
                         Row{"::ffff:10.0.0.0/104", "10.1.1.1", "11.1.1.1"}, Row{"::ffff:10.1.2.3", "10.1.2.3", "10.1.2.4"}, Row{"::ffff:0:0/96", "9.9.9.9", "::1"}}) {
    const auto range = parse_cidr(row.range);
    ASSERT_TRUE(range) << row.range;
    EXPECT_TRUE(range->contains(ip(row.inside))) << row.range << " " << row.inside;
    EXPECT_FALSE(range->contains(ip(row.outside))) << row.range << " " << row.outside;
    EXPECT_EQ(*parse_cidr(format(*range)), *range);
  }
}

TEST(Cidr, CoversRangesThatLieInIt) {
  const auto covers = [](const char* outer, const char* inner) { return parse_cidr(outer)->covers(*parse_cidr(inner)); };
  EXPECT_TRUE(covers("10.0.0.0/8", "10.1.0.0/16"));
  EXPECT_TRUE(covers("10.0.0.0/8", "10.0.0.0/8"));
  EXPECT_TRUE(covers("::/0", "fd00::/8"));
  EXPECT_TRUE(covers("10.0.0.0/8", "::ffff:10.1.0.0/112"));
  EXPECT_FALSE(covers("10.1.0.0/16", "10.0.0.0/8"));
  EXPECT_FALSE(covers("10.0.0.0/8", "11.0.0.0/16"));
  EXPECT_FALSE(covers("::/0", "10.0.0.0/8"));
  EXPECT_FALSE(covers("0.0.0.0/0", "::/0"));
}

TEST(Cidr, RefusesWhatIsNoRange) {
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/08x", "10.0.0/8", "10.0.0.0/-1", "10.0.0.0/ 8", "example", "10.1.2.3/8", "::1/64", "10.0.0.0/0008"})
    EXPECT_FALSE(parse_cidr(text)) << text;
}

TEST(AddressSet, TrustsUnixPeersOnlyByName) {
  AddressSet set;
  EXPECT_TRUE(set.empty());
  EXPECT_TRUE(set.add("0.0.0.0/0"));
  EXPECT_FALSE(set.contains(IpAddress{}));
  EXPECT_TRUE(set.add("unix"));
  EXPECT_TRUE(set.contains(IpAddress{}));
  EXPECT_FALSE(set.add("unix:/x"));
}

}  // namespace
}  // namespace gatelab
