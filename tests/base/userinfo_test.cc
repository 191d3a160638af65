// SPDX-License-Identifier: Apache-2.0
#include "base/userinfo.h"

#include <gtest/gtest.h>

namespace gatelab {
namespace {

TEST(Userinfo, IsNotShown) {
  const std::pair<const char*, const char*> cases[] = {
      {"http://user:pw@host/x", "http://***@host/x"},
      {"`http://user@host` has no port", "`http://***@host` has no port"},
      {"https://u:p@a and https://v:q@b", "https://***@a and https://***@b"},
      {"http://u:a/b@host:80/x", "http://***@host:80/x"},
      {"http://u:p@ss@host", "http://***@host"},
      {"jwks_url: \"http://u:p@host/keys\"", "jwks_url: \"http://***@host/keys\""},
  };
  for (const auto& [text, shown] : cases) EXPECT_EQ(without_userinfo(text), shown);
}

TEST(Userinfo, AnAtSignElsewhereIsNone) {
  for (const char* text : {"http://host/@scope/x", "http://host:8080/?mail=a@b", "http://[::1]:80/a@b", "a@b", "http://host", "://", "http://@host"})
    EXPECT_EQ(without_userinfo(text), text);
}

}  // namespace
}  // namespace gatelab
