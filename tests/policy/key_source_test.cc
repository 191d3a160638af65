// SPDX-License-Identifier: Apache-2.0
#include "policy/jwt/key_source.h"

#include <gtest/gtest.h>

#include "policy/jwt/token_store.h"

namespace gatelab::test {
namespace {

using policy::KeySource;
using Advice = KeySource::Advice;

// RFC 8037 §A.2.
constexpr std::string_view kEd = R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";
constexpr std::string_view kSame = R"({ "keys": [ { "kid": "a", "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" } ] })";
constexpr std::string_view kRenamed = R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"b","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";

Instant at(int seconds) { return Instant::from_seconds(10'000 + seconds); }

policy::KeyTimes times() {
  policy::KeyTimes t;
  t.refresh = std::chrono::seconds(100);
  t.cooldown = std::chrono::seconds(10);
  t.max_stale = std::chrono::seconds(1000);
  return t;
}

void fetch(KeySource& keys, int when, std::string_view failure, std::uint16_t status, std::string_view body) {
  ASSERT_TRUE(keys.begin(at(when)));
  keys.end(failure, status, body, at(when));
}

TEST(KeySource, IsFetchedWhenThereIsNothingAndWhenItIsOld) {
  KeySource keys("/keys");
  EXPECT_EQ(keys.look(at(0), times()).advice, Advice::Fetch);
  fetch(keys, 0, "", 200, kEd);
  for (const auto& [when, advice] : {std::pair{0, Advice::Use}, {79, Advice::Use}, {80, Advice::Renew}, {99, Advice::Renew}, {100, Advice::Fetch}})
    EXPECT_EQ(keys.look(at(when), times()).advice, advice) << when;
  EXPECT_EQ(keys.look(at(99), times()).keys->keys.size(), 1U);
}

TEST(KeySource, ServesOldKeysWhileFetchingFailsAndNotForEver) {
  KeySource keys("/keys");
  fetch(keys, 0, "", 200, kEd);
  fetch(keys, 85, "connect-failure", 0, "");
  EXPECT_EQ(keys.look(at(85), times()).advice, Advice::Use) << "it was tried just now";
  EXPECT_EQ(keys.look(at(86), times()).advice, Advice::Renew);
  fetch(keys, 100, "", 500, "");
  EXPECT_EQ(keys.look(at(101), times()).advice, Advice::Use);
  EXPECT_EQ(keys.look(at(102), times()).advice, Advice::Renew);
  EXPECT_NE(keys.look(at(1099), times()).keys, nullptr);
  EXPECT_EQ(keys.look(at(1100), times()).advice, Advice::Fetch);
  EXPECT_EQ(keys.look(at(1100), times()).keys, nullptr);
  fetch(keys, 1100, "", 200, "no JSON");
  EXPECT_EQ(keys.look(at(1100), times()).advice, Advice::Failed);
  EXPECT_EQ(keys.facts().failures, 3U);
}

TEST(KeySource, WaitsLongerAfterEachFailureUpToTheCooldown) {
  KeySource keys("/keys");
  int now = 0;
  for (const int pause : {1, 2, 4, 8, 10, 10}) {
    fetch(keys, now, "connect-failure", 0, "");
    EXPECT_EQ(keys.look(at(now + pause - 1), times()).advice, Advice::Failed) << now;
    now += pause;
    EXPECT_EQ(keys.look(at(now), times()).advice, Advice::Fetch) << now;
  }
}

TEST(KeySource, LooksForUnknownKeysOnceInACooldown) {
  KeySource keys("/keys");
  fetch(keys, 0, "", 200, kEd);
  int fetches = 0;
  for (int second = 0; second < 60; ++second) {
    if (!keys.seek(at(second), times())) continue;
    ++fetches;
    fetch(keys, second, "", 200, kEd);
  }
  EXPECT_EQ(fetches, 5);
}

TEST(KeySource, ChangesItsGenerationOnlyWithItsKeys) {
  KeySource keys("/keys");
  fetch(keys, 0, "", 200, kEd);
  const auto first = keys.look(at(0), times()).generation;
  fetch(keys, 1, "", 200, kSame);
  EXPECT_EQ(keys.look(at(1), times()).generation, first);
  fetch(keys, 2, "", 200, kRenamed);
  EXPECT_NE(keys.look(at(2), times()).generation, first);
}

// A reload reads files again: what was remembered of a key that has gone must not pass.
TEST(KeySource, FixedKeysAreOfOneGenerationOnlyIfTheyAreTheSame) {
  const auto generation = [](std::string_view text) { return KeySource(*crypto::parse_jwks(text)).look(at(0), times()).generation; };
  EXPECT_EQ(generation(kEd), generation(kSame));
  EXPECT_NE(generation(kEd), generation(kRenamed));
}

TEST(KeySource, IsFetchedByOneAndWakesAllWhoWait) {
  KeySource keys("/keys");
  int woken = 0;
  EXPECT_TRUE(keys.begin(at(0)));
  EXPECT_FALSE(keys.begin(at(0)));
  keys.when_ended([&woken] { ++woken; });
  keys.when_ended([&woken] { ++woken; });
  EXPECT_EQ(woken, 0);
  keys.end("", 200, kEd, at(0));
  EXPECT_EQ(woken, 2);
  keys.when_ended([&woken] { ++woken; });
  EXPECT_EQ(woken, 3) << "nothing is under way: nobody has to wait";
}

crypto::Sha256 digest(int n) {
  crypto::Sha256 d{};
  d[0] = static_cast<std::uint8_t>(n);
  d[1] = static_cast<std::uint8_t>(n >> 8);
  return d;  // all in one shard
}

TEST(TokenStore, IsBoundedAndForgetsTheOldest) {
  const auto jws = crypto::parse_compact("eyJhbGciOiJIUzI1NiJ9.e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
  ASSERT_TRUE(jws);
  const auto make = [&jws] { return std::make_shared<policy::VerifiedToken>(*jws, *crypto::Claims::parse("{}"), nullptr); };
  const std::size_t each = make()->octets();
  policy::TokenStore store(16 * 10 * each);
  for (int i = 0; i < 1000; ++i) store.put(digest(i), make());
  EXPECT_EQ(store.size(), 10U);
  EXPECT_EQ(store.find(digest(989)), nullptr);
  EXPECT_NE(store.find(digest(990)), nullptr);
  store.drop(digest(990));
  EXPECT_EQ(store.find(digest(990)), nullptr);
  for (int i = 0; i < 100'000; ++i) {
    store.put(digest(1), make());
    store.drop(digest(1));
  }
  EXPECT_EQ(store.size(), 9U);
}

}  // namespace
}  // namespace gatelab::test
