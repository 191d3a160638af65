// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/hiding.h"

#include <gtest/gtest.h>

namespace gatelab::harness {
namespace {

struct Message {
  RecordedHeaders headers;
  std::string target = "/", body;
};

std::string hidden(const Hiding& hiding, std::string text) {
  hiding.hide(text);
  return text;
}

Hiding& after(Hiding& hiding, Message message) {
  hiding.take(message.headers, message.target, message.body);
  return hiding;
}

TEST(Hiding, WhatStoodInAMessageIsHiddenInWhatIsSaidOfIt) {
  Hiding hiding;
  after(hiding, {{{"X-Api-Key", "sekret-of-a-key"}, {"Accept", "text/html"}}, "/items?token=sekret%20of%20a%20query&page=3", {}});
  EXPECT_EQ(hidden(hiding, "GET /items?token=sekret%20of%20a%20query&page=3 sekret-of-a-key text/html"), "GET /items?token=%3Credacted%3E&page=3 <redacted> text/html");
  EXPECT_EQ(hidden(hiding, "of the query: sekret of a query"), "of the query: <redacted>");
  EXPECT_TRUE(hiding.took());
  hiding.forget();
  EXPECT_EQ(hidden(hiding, "sekret-of-a-key"), "sekret-of-a-key");
}

TEST(Hiding, TheLongestGoesFirstAndWhatStandsThereThenStays) {
  Hiding hiding;
  hiding.take("redacted");
  hiding.take("secret");
  hiding.take("secret-longer");
  hiding.take("longer-still");
  EXPECT_EQ(hidden(hiding, "secret-longer secret-longer-still redacted secret"), "<redacted> <redacted>-still <redacted> <redacted>");
}

// Each would make two of one if what it puts there were looked at again.
TEST(Hiding, TheSameSecretAHundredTimesIsOne) {
  Hiding hiding;
  for (int i = 0; i < 100; ++i) after(hiding, {{{"X-Token", "e"}, {"Authorization", "Bearer redacted"}}, "/", {}});
  EXPECT_EQ(hidden(hiding, "Bearer redacted, and the rest"), "Bearer <redacted>, and the rest");
}

TEST(Hiding, AShortSecretLeavesTheRestOfTheReportAlone) {
  Hiding hiding;
  Message message{{{"X-Token", "0"}}, "/", {}};
  hiding.take(message.headers, message.target, message.body);
  EXPECT_EQ(message.headers.front().second, "<redacted>");
  EXPECT_EQ(hidden(hiding, "200 in 0.1s from 127.0.0.1:9001"), "200 in 0.1s from 127.0.0.1:9001");
}

TEST(Hiding, OneThatIsKnownIsHiddenHoweverItIsWritten) {
  Hiding hiding;
  hiding.take("pass \"word\"/1");
  EXPECT_EQ(hidden(hiding, R"(pass "word"/1, "pass \"word\"/1", ?x=pass%20%22word%22%2F1)"), R"(<redacted>, "<redacted>", ?x=<redacted>)");
}

TEST(Hiding, WhatAnAnswerHadIsShownWithoutItsSecrets) {
  Hiding hiding;
  EXPECT_EQ(hiding.shown("Set-Cookie", "session=sekret-cookie; Path=/"), "session=<redacted>; Path=/");
  EXPECT_EQ(hiding.shown("", R"({"id":7,"access_token":"sekret-token"})"), R"({"id":7,"access_token":"<redacted>"})");
  EXPECT_EQ(hiding.shown("Content-Type", "text/html"), "text/html");
}

}  // namespace
}  // namespace gatelab::harness
