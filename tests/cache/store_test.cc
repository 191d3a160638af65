// SPDX-License-Identifier: Apache-2.0
#include "cache/store.h"

#include "base/random.h"
#include "cache/store_world.h"
#include "cache/target.h"

namespace gatelab::test {
namespace {

TEST(Store, WhatWasStoredIsFoundWithItsFieldsAndFacts) {
  StoreWorld w;
  EXPECT_FALSE(w.find({}));
  ASSERT_TRUE(w.put({}, {"hello", "ETag: \"1\"\nX-Empty:\nVary: Accept"}));
  const auto hit = w.find({});
  ASSERT_TRUE(hit);
  Arena arena;
  http::Fields fields(arena);
  hit->head->add_to(fields);
  EXPECT_EQ(lines_of(fields), "ETag: \"1\"\nX-Empty: \nVary: Accept");
  EXPECT_TRUE(fields.may_have(http::FieldId::Vary));
  EXPECT_EQ(hit->head->status(), 200);
  EXPECT_EQ(hit->facts.lifetime, 60s);
  EXPECT_EQ(text_of(*hit->body), "hello");
}

TEST(Store, ContentIsReadFromAnyOctetOn) {
  StoreWorld w;
  Fill fill = w.lead({});
  ASSERT_TRUE(w.head(fill, {}, {}));
  std::string all;
  for (int i = 0; i < 5; ++i) {
    const std::string piece(2000 + static_cast<std::size_t>(i), static_cast<char>('a' + i));
    fill.append(piece);
    all += piece;
  }
  ASSERT_TRUE(fill.complete());
  const auto body = w.find({})->body;
  ASSERT_EQ(body->size(), all.size());
  for (const std::size_t from : {0U, 1U, 1999U, 2000U, 2001U, 9000U, 10009U, 10010U}) {
    std::string rest;
    for (std::size_t at = from; at < body->size();) {
      const std::string_view piece = body->at(at);
      ASSERT_FALSE(piece.empty());
      rest += piece;
      at += piece.size();
    }
    EXPECT_EQ(rest, all.substr(from)) << from;
  }
  EXPECT_TRUE(body->at(all.size()).empty());
}

TEST(Store, ManySmallPiecesAreOne) {
  StoreWorld w;
  Fill fill = w.lead({});
  ASSERT_TRUE(w.head(fill, {}, {}));
  for (int i = 0; i < 1000; ++i) fill.append("x");
  const std::size_t before = w.store.bytes();
  ASSERT_TRUE(fill.complete());
  EXPECT_EQ(w.find({})->body->chunks().size(), 1U);
  EXPECT_LT(w.store.bytes(), before - 30'000);
}

TEST(Store, ContentWithoutOctetsIsStored) {
  StoreWorld w;
  Fill fill = w.lead({});
  ASSERT_TRUE(w.head(fill, {}, {}));
  ASSERT_TRUE(fill.complete());
  EXPECT_EQ(w.body({}), "");
}

// RFC 9111 §4.1
TEST(Store, VariantsStandBesideEachOther) {
  StoreWorld w;
  const Ask gzip{.lines = "Accept-Encoding: gzip"}, plain{}, br{.lines = "Accept-Encoding: br"};
  ASSERT_TRUE(w.put(gzip, {"zipped", "Vary: Accept-Encoding"}));
  EXPECT_EQ(w.body(plain), "(none)");
  ASSERT_TRUE(w.put(plain, {"plain", "Vary: Accept-Encoding"}));
  EXPECT_EQ(w.body(gzip), "zipped");
  EXPECT_EQ(w.body(plain), "plain");
  EXPECT_EQ(w.body(br), "(none)");
  EXPECT_EQ(w.store.entries(), 2U);
}

// One with Vary is chosen before one without (vary.h): the old one would be found again and again, and never be replaced.
TEST(Store, ANewResponseTakesThePlaceOfAllThatCouldHaveAnsweredItsRequest) {
  StoreWorld w;
  const Ask gzip{.lines = "Accept-Encoding: gzip"}, br{.lines = "Accept-Encoding: br"};
  ASSERT_TRUE(w.put(gzip, {"old", "Vary: Accept-Encoding"}));
  ASSERT_TRUE(w.put(br, {"other", "Vary: Accept-Encoding"}));
  ASSERT_TRUE(w.put(gzip, {"new", "X: y"}));
  EXPECT_EQ(w.body(gzip), "new");
  EXPECT_EQ(w.body(br), "other");
  EXPECT_EQ(w.store.entries(), 2U);
}

TEST(Store, CandidatesAreAllThatMatch) {
  StoreWorld w;
  ASSERT_TRUE(w.put({.lines = "A: 1\nB: 1"}, {"by a", "Vary: A"}));
  ASSERT_TRUE(w.put({.lines = "A: 2\nB: 2"}, {"by b", "Vary: B"}));
  Arena arena;
  EXPECT_EQ(w.store.candidates({"http://a:80/", "key of http://a:80/"}, field_lines("A: 1\nB: 2", arena), arena).size(), 2U);
  EXPECT_EQ(w.store.candidates({"http://a:80/", "key of http://a:80/"}, field_lines("A: 1\nB: 1", arena), arena).size(), 1U);
  EXPECT_EQ(w.store.candidates({"http://a:80/", "other"}, field_lines("A: 1\nB: 1", arena), arena).size(), 0U);
}

TEST(Store, OneKeyHasSoManyVariantsAndThenTheOldestGoes) {
  StoreWorld w;
  const auto ask = [](std::size_t i) { return Ask{.lines = "A: " + std::to_string(i)}; };
  for (std::size_t i = 0; i < Store::kMaxVariants + 5; ++i) ASSERT_TRUE(w.put(ask(i), {std::to_string(i), "Vary: A"}));
  EXPECT_EQ(w.store.entries(), Store::kMaxVariants);
  EXPECT_EQ(w.body(ask(4)), "(none)");
  for (std::size_t i = 5; i < Store::kMaxVariants + 5; ++i) EXPECT_EQ(w.body(ask(i)), std::to_string(i));
}

TEST(Store, WhatIsBeingSentOutlivesItsEntry) {
  StoreWorld w;
  ASSERT_TRUE(w.put({}, {"still here"}));
  const auto hit = w.find({});
  EXPECT_EQ(w.store.purge_url("http://a:80/", Purge::Hard, kNow), 1U);
  EXPECT_FALSE(w.find({}));
  EXPECT_EQ(text_of(*hit->body), "still here");
  EXPECT_EQ(w.store.bytes(), 0U) << "it is its sender's";
}

TEST(Store, NothingIsLeftOfWhatIsGone) {
  StoreWorld w;
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(w.put({"http://a:80/" + std::to_string(i)}, {.tags = {"t", "u"}}));
  EXPECT_EQ(w.store.entries(), 1000U);
  EXPECT_EQ(w.store.purge_prefix("", Purge::Hard, kNow), 1000U);
  EXPECT_EQ(w.store.bytes(), 0U);
  EXPECT_EQ(w.store.entries(), 0U);
  EXPECT_EQ(w.store.counts().bytes, 0);
}

TEST(Store, IsNeverOverItsBound) {
  for (const std::size_t shards : {1U, 4U, 64U}) {
    constexpr std::size_t kBytes = 1 << 20;
    StoreWorld w(kBytes, shards);
    Dice dice = Random(shards).fork("sizes");
    std::size_t stored = 0;
    for (int i = 0; i < 5'000; ++i) {
      stored += w.put({"http://a:80/" + std::to_string(i)}, {std::string(dice.below(30'000), 'x')}) ? 1U : 0U;
      ASSERT_LE(w.store.bytes(), kBytes);
    }
    EXPECT_EQ(stored, 5'000U) << "there is always room for one more";
    EXPECT_GT(w.store.bytes(), kBytes * 9 / 10) << shards;
    EXPECT_EQ(w.store.counts().evicted + w.store.entries(), 5'000U);
  }
}

TEST(Store, ASmallerBoundPutsOutWhatIsTooMuch) {
  StoreWorld w;
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(w.put({"http://a:80/" + std::to_string(i)}, {std::string(1000, 'x')}));
  const std::size_t before = w.store.bytes();
  w.store.set_bytes(before / 2);
  EXPECT_LE(w.store.bytes(), before / 2);
  EXPECT_GT(w.store.bytes(), before / 3);
  w.store.set_bytes(0);
  EXPECT_EQ(w.store.bytes(), 0U);
  EXPECT_EQ(w.join({}).role, Role::Pass) << "nothing can be stored: nobody waits";
}

TEST(Store, WhatIsAskedForAgainStaysLonger) {
  StoreWorld w(1 << 20, 1);
  ASSERT_TRUE(w.put({}, {std::string(1000, 'x')}));
  ASSERT_TRUE(w.find({}));
  for (int i = 0; i < 2'000; ++i) ASSERT_TRUE(w.put({"http://b:80/" + std::to_string(i)}, {std::string(1000, 'x')}));
  EXPECT_TRUE(w.find({}));
}

TEST(Store, CountsByRoute) {
  StoreWorld w;
  (void)w.find({}, kNow, 7);
  Fill fill = w.lead({}, nullptr, 7);
  const Follower follower = w.follow({});
  ASSERT_TRUE(w.head(fill, {}, {}));
  ASSERT_TRUE(fill.complete());
  (void)w.find({}, kNow, 7);
  (void)w.find({}, kNow + 61s, 7);
  w.store.purge_url("http://a:80/", Purge::Soft, kNow);
  const cache::StoreCounts c = w.store.counts(7);
  EXPECT_EQ(c.misses, 1U);
  EXPECT_EQ(c.hits, 1U);
  EXPECT_EQ(c.stale, 1U);
  EXPECT_EQ(c.stored, 1U);
  EXPECT_EQ(c.purged, 1U);
  EXPECT_EQ(c.entries, 1);
  EXPECT_GT(c.bytes, 100);
  EXPECT_EQ(w.store.counts(0).collapsed, 1U);
  EXPECT_EQ(w.store.counts(8).hits, 0U);
  (void)w.find({}, kNow, 4'000'000'000U);
  EXPECT_EQ(w.store.counts(Store::kMaxRoutes).hits + w.store.counts(Store::kMaxRoutes).stale, 1U) << "those beyond are counted as one";
}

TEST(Store, AUrlIsPurgedByItsTargetsText) {
  Arena arena;
  const auto text = [&arena](std::string_view authority, std::string_view path, std::string_view query, bool has_query) {
    return std::string(cache::to_text(*cache::make_target("https", authority, path, query, has_query, {}, arena), arena));
  };
  EXPECT_EQ(text("A.local", "/x", "", false), "https://a.local:443/x");
  EXPECT_EQ(text("a.local:8443", "/x", "", true), "https://a.local:8443/x?");
  EXPECT_EQ(text("[::1]:1", "/x", "a=b", true), "https://[::1]:1/x?a=b");
}

}  // namespace
}  // namespace gatelab::test
