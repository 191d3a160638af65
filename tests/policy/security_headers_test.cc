// SPDX-License-Identifier: Apache-2.0
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

TEST(SecurityHeaders, RefuseWhatNoBrowserWouldTake) {
  for (const char* yaml : {"[ { security-headers: { hsts: { preload: true, subdomains: false } } } ]", "[ { security-headers: { hsts: { preload: true, max_age: 30d } } } ]", "[ { security-headers: { frame_options: [a] } } ]",
                           "[ { security-headers: { referrer_policy: \"a\\nb\" } } ]", "[ { security-headers: { hide: [Host] } } ]", "[ { security-headers: { xss_protection: \"1\" } } ]"})
    EXPECT_NE(Stepped(yaml).errors, "") << yaml;
  EXPECT_EQ(Stepped("[ { security-headers: { hsts: off, frame_options: off } } ]").errors, "");
}

}  // namespace
}  // namespace gatelab::test
