// SPDX-License-Identifier: Apache-2.0
#include <initializer_list>

#include "cache/store_world.h"

namespace gatelab::test {
namespace {

constexpr const char* kUrls[] = {"http://a:80/", "http://a:80/x", "http://a:80/x/1", "http://a:80/xy", "http://b:80/x", "https://a:443/x"};

void fill_up(StoreWorld& w) {
  for (const char* url : kUrls) ASSERT_TRUE(w.put({url}, {.tags = {url[std::string_view(url).size() - 1] == 'x' ? "x" : "other", "all"}}));
  ASSERT_TRUE(w.put({.url = "http://a:80/x", .key = "of one consumer"}, {.tags = {"private"}}));
}

std::string left(StoreWorld& w) {
  std::string out;
  for (const char* url : kUrls) out += w.find({url}) ? '1' : '0';
  return out + (w.find({.url = "http://a:80/x", .key = "of one consumer"}) ? '1' : '0');
}

struct Row {
  char by;
  const char* what;
  std::size_t purged;
  const char* left;
};

TEST(StorePurge, TakesJustWhatItNames) {
  for (const Row& row : std::initializer_list<Row>{
           {'u', "http://a:80/x", 2, "1011110"},
           {'u', "http://a:80/", 1, "0111111"},
           {'u', "http://a:80", 0, "1111111"},
           {'p', "http://a:80/x", 4, "1000110"},
           {'p', "http://a:80/x/", 1, "1101111"},
           {'p', "http://", 6, "0000010"},
           {'p', "", 7, "0000000"},
           {'t', "x", 3, "1011001"},
           {'t', "all", 6, "0000001"},
           {'t', "private", 1, "1111110"},
           {'t', "al", 0, "1111111"},
           {'t', "", 0, "1111111"},
       })
    for (const Purge how : {Purge::Hard, Purge::Soft, Purge::Invalid}) {
      StoreWorld w;
      fill_up(w);
      const std::size_t purged = row.by == 'u'   ? w.store.purge_url(row.what, how, kNow + 10s)
                                 : row.by == 'p' ? w.store.purge_prefix(row.what, how, kNow + 10s)
                                                 : w.store.purge_tag(row.what, how, kNow + 10s);
      EXPECT_EQ(purged, row.purged) << row.by << row.what;
      EXPECT_EQ(left(w), how == Purge::Hard ? row.left : "1111111") << row.by << row.what;
    }
}

TEST(StorePurge, ASoftOneExpiresAndAnInvalidatedOneNeedsAValidation) {
  StoreWorld w;
  ASSERT_TRUE(w.put({}));
  const auto before = w.find({});
  EXPECT_EQ(w.store.purge_url("http://a:80/", Purge::Soft, kNow + 10s), 1U);
  const auto soft = w.find({});
  EXPECT_FALSE(is_fresh(soft->facts, kNow + 10s));
  EXPECT_FALSE(soft->facts.invalid);
  EXPECT_NE(soft->version, before->version);
  EXPECT_EQ(w.store.purge_url("http://a:80/", Purge::Invalid, kNow + 10s), 1U);
  EXPECT_TRUE(w.find({})->facts.invalid);
  EXPECT_EQ(soft->body, before->body);
}

TEST(StorePurge, TakesManyInSmallSteps) {
  StoreWorld w(64 << 20, 1);
  for (int i = 0; i < 3'000; ++i) ASSERT_TRUE(w.put({"http://a:80/" + std::to_string(i)}, {.tags = {i % 2 == 0 ? "even" : "odd"}}));
  EXPECT_EQ(w.store.purge_tag("even", Purge::Soft, kNow), 1'500U);
  EXPECT_EQ(w.store.purge_tag("even", Purge::Hard, kNow), 1'500U);
  EXPECT_EQ(w.store.purge_prefix("http://a:80/", Purge::Soft, kNow), 1'500U);
  EXPECT_EQ(w.store.purge_prefix("http://a:80/", Purge::Hard, kNow), 1'500U);
  EXPECT_EQ(w.store.bytes(), 0U);
}

// At which moments of a fill, and by what, a purge comes between.
TEST(StorePurge, AnAnswerThatWasAskedForBeforeIsNotStored) {
  for (const char by : {'u', 'p', 't', 'o'})
    for (const bool head_first : {false, true})
      for (const Purge how : {Purge::Hard, Purge::Soft, Purge::Invalid}) {
        StoreWorld w;
        Fill fill = w.lead({});
        const Answer answer{.tags = {"a", "b"}};
        const auto purge = [&] {
          if (by == 'u') w.store.purge_url("http://a:80/", how, kNow);
          if (by == 'p') w.store.purge_prefix("http://a", how, kNow);
          if (by == 't') w.store.purge_tag("b", how, kNow);
          if (by == 'o') w.store.purge_tag("other", how, kNow);
        };
        if (!head_first) purge();
        const bool began = w.head(fill, {}, answer);
        EXPECT_EQ(began, head_first || by == 'o') << by;
        if (!began) continue;
        fill.append("old");
        if (head_first) purge();
        fill.append("er");
        EXPECT_EQ(w.join({}).role, by == 'o' ? Role::Follow : Role::Lead) << "what comes after the purge does not wait for what was before";
        EXPECT_EQ(fill.complete(), by == 'o');
        EXPECT_EQ(w.body({}), by == 'o' ? "older" : "(none)");
      }
}

TEST(StorePurge, WhoReadsAlreadyReadsToTheEndThoughItIsPurged) {
  StoreWorld w;
  Fill fill = w.lead({});
  Follower follower = w.follow({});
  ASSERT_TRUE(w.head(fill, {}, {}));
  EXPECT_EQ(w.read(follower), "H?");
  fill.append("one");
  w.store.purge_url("http://a:80/", Purge::Hard, kNow);
  EXPECT_EQ(fill.append("two"), Fill::Kept::Passing);
  EXPECT_FALSE(fill.complete());
  EXPECT_EQ(w.read(follower), "onetwo.");
  EXPECT_FALSE(w.find({}));
}

TEST(StorePurge, MorePurgesThanAreRememberedCountAsItsOwn) {
  StoreWorld w;
  Fill tagged = w.lead({"http://a:80/tagged"}), plain = w.lead({"http://a:80/plain"});
  for (int i = 0; i < 1'025; ++i) w.store.purge_tag(std::to_string(i), Purge::Hard, kNow);
  EXPECT_FALSE(w.head(tagged, {}, {.tags = {"never purged"}}));
  EXPECT_TRUE(w.head(plain, {}, {}));
}

TEST(StorePurge, AValidationThatBeganBeforeASoftPurgeDoesNotUndoIt) {
  StoreWorld w;
  ASSERT_TRUE(w.put({}));
  const auto stale = w.find({});
  Fill fill = w.lead({}, &*stale);
  w.store.purge_url("http://a:80/", Purge::Soft, kNow + 1s);
  EXPECT_FALSE(w.with_parts({}, {}, [&](const cache::HeadParts& parts) { return fill.validated(*stale, parts, facts_at(kNow + 1s)); }));
  EXPECT_FALSE(is_fresh(w.find({})->facts, kNow + 1s));
  const cache::Place place{"http://a:80/", "key of http://a:80/"};
  EXPECT_FALSE(w.with_parts({}, {}, [&](const cache::HeadParts& parts) { return w.store.freshen(place, *stale, parts, facts_at(kNow)); }));
  EXPECT_FALSE(w.store.expire(place, *stale, kNow));
}

TEST(StorePurge, TagsThatAFreshenedHeadBringsAreThoseThatCount) {
  StoreWorld w;
  ASSERT_TRUE(w.put({}, {.tags = {"old"}}));
  const auto hit = w.find({});
  const cache::Place place{"http://a:80/", "key of http://a:80/"};
  EXPECT_TRUE(w.with_parts({}, {.tags = {"new"}}, [&](const cache::HeadParts& parts) { return w.store.freshen(place, *hit, parts, facts_at(kNow)); }));
  EXPECT_EQ(w.store.purge_tag("old", Purge::Hard, kNow), 0U);
  EXPECT_EQ(w.store.purge_tag("new", Purge::Hard, kNow), 1U);
  EXPECT_EQ(w.store.bytes(), 0U);
}

TEST(StorePurge, MoreTagsThanCanBeIndexedAreNotStored) {
  StoreWorld w;
  std::vector<std::string> names;
  for (std::size_t i = 0; i <= Store::kMaxTags; ++i) names.push_back(std::to_string(i));
  std::vector<std::string_view> tags(names.begin(), names.end());
  EXPECT_FALSE(w.put({}, {.tags = tags}));
  tags.pop_back();
  EXPECT_TRUE(w.put({"http://a:80/less"}, {.tags = tags}));
}

}  // namespace
}  // namespace gatelab::test
