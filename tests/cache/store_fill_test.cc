// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cache/store_world.h"

namespace gatelab::test {
namespace {

TEST(StoreFill, AStampedeIsOneLeaderAndFollowers) {
  StoreWorld w;
  Fill fill = w.lead({});
  std::vector<Follower> followers;
  for (int i = 0; i < 999; ++i) followers.push_back(w.follow({}));
  for (Follower& f : followers) EXPECT_EQ(w.read(f), "?");
  ASSERT_TRUE(w.head(fill, {}, {}));
  EXPECT_EQ(w.woken, 999);
  for (Follower& f : followers) EXPECT_EQ(w.read(f), "H?");
  fill.append("one");
  fill.append("two");
  EXPECT_EQ(w.woken, 2 * 999) << "who has not read the first piece is not woken for the second";
  for (Follower& f : followers) EXPECT_EQ(w.read(f), "onetwo?");
  EXPECT_TRUE(fill.complete());
  for (Follower& f : followers) EXPECT_EQ(w.read(f), ".");
  EXPECT_EQ(w.body({}), "onetwo");
  EXPECT_EQ(w.store.counts().collapsed, 999U);
}

TEST(StoreFill, WhoComesWhileItIsReadGetsItFromTheBeginning) {
  StoreWorld w;
  Fill fill = w.lead({});
  ASSERT_TRUE(w.head(fill, {}, {}));
  fill.append("one");
  Follower late = w.follow({});
  EXPECT_EQ(w.read(late), "Hone?");
  Follower latest = w.follow({});
  EXPECT_TRUE(fill.complete());
  EXPECT_EQ(w.read(latest), "Hone.");
  EXPECT_EQ(w.read(late), ".");
  EXPECT_EQ(w.join({}).role, Role::Again) << "it is there";
}

TEST(StoreFill, ItsFirstClientReadsAsTheOthers) {
  StoreWorld w;
  Fill fill = w.lead({});
  ASSERT_TRUE(w.head(fill, {}, {}));
  Follower own = fill.follow([] {});
  fill.append("one");
  EXPECT_EQ(w.read(own), "one?");
  EXPECT_TRUE(fill.complete());
  EXPECT_EQ(w.read(own), ".");
}

TEST(StoreFill, NobodyWaitsForWhatCantBeStored) {
  StoreWorld w;
  Fill fill = w.lead({});
  std::vector<Follower> followers;
  for (int i = 0; i < 10; ++i) followers.push_back(w.follow({}));
  for (Follower& f : followers) EXPECT_EQ(w.read(f), "?");
  fill.uncacheable(kNow + 2s);
  EXPECT_EQ(w.woken, 10);
  for (Follower& f : followers) EXPECT_EQ(w.read(f), "pass");
  EXPECT_EQ(w.join({}, nullptr, true, kNow + 1s).role, Role::Pass);
  EXPECT_EQ(w.join({}, nullptr, false, kNow + 1s).role, Role::Busy);
  EXPECT_FALSE(w.find({}));
  EXPECT_EQ(w.join({}, nullptr, true, kNow + 2s).role, Role::Lead) << "it is tried again";
  EXPECT_EQ(w.store.entries(), 0U);
}

TEST(StoreFill, WhatIsStoredEndsThatNobodyWaits) {
  StoreWorld w;
  w.lead({}).uncacheable(kNow + 2s);
  Fill fill = std::move(w.join({}, nullptr, true, kNow + 3s).fill);
  ASSERT_TRUE(w.head(fill, {}, {}));
  ASSERT_TRUE(fill.complete());
  EXPECT_EQ(w.body({}), "");
  EXPECT_EQ(w.store.purge_url("http://a:80/", Purge::Hard, kNow), 1U);
  EXPECT_EQ(w.join({}, nullptr, true, kNow + 1s).role, Role::Lead);
  EXPECT_EQ(w.store.bytes(), 0U);
}

TEST(StoreFill, ALeaderThatFailsHandsOnToJustOne) {
  StoreWorld w;
  Fill fill = w.lead({});
  std::vector<Follower> followers;
  for (int i = 0; i < 5; ++i) followers.push_back(w.follow({}));
  const auto leaders = [&] { return std::count_if(followers.begin(), followers.end(), [](Follower& f) { return StoreWorld::read(f) == "lead"; }); };
  EXPECT_EQ(leaders(), 0);
  fill.failed();
  EXPECT_EQ(leaders(), 1);
  EXPECT_EQ(w.join({}).role, Role::Follow) << "others wait for the next one";
  followers.erase(followers.begin());
  EXPECT_EQ(leaders(), 1) << "who was to lead has gone, and it goes on";
  Fill next = followers.front().take_lead();
  followers.erase(followers.begin());
  EXPECT_EQ(leaders(), 0);
  ASSERT_TRUE(w.head(next, {}, {}));
  next.append("second try");
  EXPECT_TRUE(next.complete());
  for (Follower& f : followers) EXPECT_EQ(w.read(f), "Hsecond try.");
}

TEST(StoreFill, WithoutAnybodyLeftNothingIs) {
  StoreWorld w;
  for (const bool with_head : {false, true}) {
    Fill fill = w.lead({});
    if (with_head) {
      ASSERT_TRUE(w.head(fill, {}, {}));
      fill.append("part");
    }
    fill.failed();
    EXPECT_EQ(w.store.bytes(), 0U);
    EXPECT_FALSE(w.find({}));
  }
  { const Fill abandoned = w.lead({}); }
  EXPECT_EQ(w.store.bytes(), 0U);
}

// The next leader's answer may be another: what has been sent can't be taken back.
TEST(StoreFill, WhoHasSentAPartIsCutOffAndTheOthersBeginAnew) {
  StoreWorld w;
  Fill fill = w.lead({});
  Follower sending = w.follow({}), waiting = w.follow({});
  ASSERT_TRUE(w.head(fill, {}, {}));
  fill.append("first ");
  EXPECT_EQ(w.read(sending), "Hfirst ?");
  fill.failed();
  EXPECT_EQ(w.read(sending), "!");
  EXPECT_EQ(w.read(waiting), "lead");
  Fill next = waiting.take_lead();
  Follower third = w.follow({});
  ASSERT_TRUE(w.head(next, {}, {}));
  next.append("second");
  EXPECT_TRUE(next.complete());
  EXPECT_EQ(w.read(sending), "!");
  EXPECT_EQ(w.read(third), "Hsecond.");
  EXPECT_EQ(w.body({}), "second");
}

// RFC 9111 §4.1
TEST(StoreFill, WhoWaitedForAnotherVariantLooksAgain) {
  StoreWorld w;
  const Ask gzip{.lines = "Accept-Encoding: gzip"}, br{.lines = "Accept-Encoding: br"};
  Fill fill = w.lead(gzip);
  Follower same = w.follow(gzip), other = w.follow(br);
  ASSERT_TRUE(w.head(fill, gzip, {.fields = "Vary: Accept-Encoding"}));
  EXPECT_EQ(w.read(same, gzip), "H?");
  EXPECT_EQ(w.read(other, br), "again");
  Fill second = w.lead(br);
  EXPECT_EQ(w.join(br).role, Role::Follow);
  EXPECT_EQ(w.join(gzip).role, Role::Follow);
  ASSERT_TRUE(w.head(second, br, {.fields = "Vary: Accept-Encoding"}));
  EXPECT_TRUE(fill.complete());
  EXPECT_TRUE(second.complete());
  EXPECT_EQ(w.store.entries(), 2U);
}

TEST(StoreFill, WhereItIsKnownByWhatAnAnswerVariesOthersDoNotWait) {
  StoreWorld w;
  ASSERT_TRUE(w.put({.lines = "A: 1"}, {"one", "Vary: A"}));
  const Fill two = w.lead({.lines = "A: 2"}), three = w.lead({.lines = "A: 3"});
  EXPECT_EQ(w.join({.lines = "A: 2"}).role, Role::Follow);
}

TEST(StoreFill, SoManyOfOneKeyAtATime) {
  StoreWorld w;
  ASSERT_TRUE(w.put({.lines = "A: x"}, {"one", "Vary: A"}));
  std::vector<Fill> fills;
  for (std::size_t i = 0; i < Store::kMaxFills; ++i) fills.push_back(w.lead({.lines = "A: " + std::to_string(i)}));
  EXPECT_EQ(w.join({.lines = "A: more"}).role, Role::Pass);
}

TEST(StoreFill, AnAnswerThatIsTooLongByItsHeadIsNotWaitedFor) {
  StoreWorld w(80'000, 1);
  for (const Fill::Limits& limits : {Fill::Limits{10'001, 100'000, kNow + 2s}, Fill::Limits{11, 10, kNow + 2s}}) {
    StoreWorld fresh(80'000, 1);
    Fill fill = fresh.lead({});
    Follower follower = fresh.follow({});
    EXPECT_FALSE(fresh.head(fill, {}, {}, limits));
    EXPECT_EQ(fresh.read(follower), "pass");
    EXPECT_EQ(fresh.join({}).role, Role::Pass);
  }
}

TEST(StoreFill, AnAnswerThatTurnsOutTooLongIsPassedOnWithoutBeingStored) {
  StoreWorld w;
  Fill fill = w.lead({});
  Follower fast = w.follow({}), slow = w.follow({});
  ASSERT_TRUE(w.head(fill, {}, {}, {.most = 10, .pass_until = kNow + 2s}));
  EXPECT_EQ(fill.append("0123456789"), Fill::Kept::Stored);
  EXPECT_EQ(w.store.passing(), 0U);
  EXPECT_EQ(fill.append("a"), Fill::Kept::Passing);
  EXPECT_EQ(w.join({}).role, Role::Pass) << "nobody joins any more";
  EXPECT_EQ(w.read(fast), "H0123456789a?");
  EXPECT_EQ(fill.backlog(), 11U);
  EXPECT_EQ(w.store.passing(), 11U);
  int drained = 0;
  EXPECT_FALSE(fill.wait_below(5, [&] { ++drained; }));
  EXPECT_EQ(w.poll(slow).news, News::Head);
  EXPECT_EQ(drained, 0);
  EXPECT_EQ(w.poll(slow).piece.view(), "0123456789");
  EXPECT_EQ(drained, 1);
  EXPECT_EQ(fill.backlog(), 1U);
  EXPECT_TRUE(fill.wait_below(5, [] {}));
  fill.append("b");
  EXPECT_EQ(fill.cut_off_slowest(), 1U);
  EXPECT_EQ(w.read(slow), "!");
  EXPECT_EQ(fill.backlog(), 1U);
  EXPECT_FALSE(fill.complete());
  EXPECT_EQ(w.read(fast), "b.");
  EXPECT_EQ(w.store.passing(), 0U);
  EXPECT_FALSE(w.find({}));
}

TEST(StoreFill, OfWhatIsPassedOnNothingIsKeptForNobody) {
  StoreWorld w;
  Fill fill = w.lead({});
  ASSERT_TRUE(w.head(fill, {}, {}, {.most = 10}));
  {
    Follower gone = w.follow({});
    EXPECT_EQ(fill.append("longer than that"), Fill::Kept::Passing);
  }
  EXPECT_EQ(fill.backlog(), 0U);
  EXPECT_EQ(fill.append("x"), Fill::Kept::Unread);
  EXPECT_EQ(w.store.passing(), 0U);
}

TEST(StoreFill, WhoIsCutOffHoldsNothingUp) {
  StoreWorld w;
  Fill fill = w.lead({});
  Follower slow = w.follow({});
  ASSERT_TRUE(w.head(fill, {}, {}, {.most = 10}));
  EXPECT_EQ(w.poll(slow).news, News::Head);
  EXPECT_EQ(fill.append("longer than that"), Fill::Kept::Passing);
  EXPECT_EQ(fill.cut_off_slowest(), 1U);
  EXPECT_EQ(fill.append("more"), Fill::Kept::Unread);
  EXPECT_EQ(fill.backlog(), 0U);
  EXPECT_EQ(w.read(slow), "!");
}

TEST(StoreFill, WhatThereIsNoRoomForIsPassedOn) {
  StoreWorld w(100'000, 1);
  std::vector<Fill> fills;
  std::size_t passing = 0;
  for (int i = 0; i < 20; ++i) {
    fills.push_back(w.lead({"http://a:80/" + std::to_string(i)}));
    if (!w.head(fills.back(), {}, {})) continue;
    passing += fills.back().append(std::string(10'000, 'x')) != Fill::Kept::Stored ? 1U : 0U;
    EXPECT_LE(w.store.bytes(), 100'000U);
  }
  EXPECT_GT(passing, 0U);
  fills.clear();
  EXPECT_TRUE(w.put({"http://b:80/"}, {std::string(10'000, 'x')}));
}

TEST(StoreFill, AStaleEntryIsValidatedOnceAtATime) {
  StoreWorld w;
  ASSERT_TRUE(w.put({}, {"kept", "ETag: \"1\"\nX: old"}));
  const auto stale = w.find({}, kNow + 61s);
  Store::Joined first = w.join({}, &*stale, false);
  EXPECT_EQ(first.role, Role::Lead);
  EXPECT_EQ(w.join({}, &*stale, false).role, Role::Busy);
  Follower waiting = w.follow({}, &*stale);
  EXPECT_EQ(w.join({}).role, Role::Again) << "who has not seen what is there looks at it first";
  const bool replaced = w.with_parts({}, {.fields = "ETag: \"1\"\nX: new"},
                                     [&](const cache::HeadParts& parts) { return first.fill.validated(*stale, parts, facts_at(kNow + 61s)); });
  EXPECT_TRUE(replaced);
  EXPECT_EQ(w.read(waiting), "validated kept");
  const auto hit = w.find({}, kNow + 62s);
  EXPECT_TRUE(is_fresh(hit->facts, kNow + 62s));
  EXPECT_EQ(hit->body, stale->body) << "the same octets";
  Arena arena;
  http::Fields fields(arena);
  hit->head->add_to(fields);
  EXPECT_EQ(lines_of(fields), "ETag: \"1\"\nX: new");
  EXPECT_EQ(w.join({}, &*stale).role, Role::Again) << "there is a newer one";
  EXPECT_EQ(w.store.entries(), 1U);
}

TEST(StoreFill, AValidationThatBringsAnotherResponseReplacesTheOld) {
  StoreWorld w;
  ASSERT_TRUE(w.put({}, {"old"}));
  const auto stale = w.find({}, kNow + 61s);
  Fill fill = w.lead({}, &*stale);
  Follower waiting = w.follow({}, &*stale);
  EXPECT_EQ(w.body({}), "old") << "until the new one is whole";
  ASSERT_TRUE(w.head(fill, {}, {}));
  fill.append("new");
  ASSERT_TRUE(fill.complete());
  EXPECT_EQ(w.read(waiting), "Hnew.");
  EXPECT_EQ(w.body({}), "new");
  EXPECT_EQ(w.store.entries(), 1U);
}

TEST(StoreFill, WhatWasValidatedAfterItWasPutOutAnswersThoseWhoWaited) {
  StoreWorld w;
  ASSERT_TRUE(w.put({}, {"kept"}));
  const auto stale = w.find({}, kNow + 61s);
  Fill fill = w.lead({}, &*stale);
  Follower waiting = w.follow({}, &*stale);
  w.store.set_bytes(0);
  ASSERT_FALSE(w.find({}));
  EXPECT_FALSE(w.with_parts({}, {}, [&](const cache::HeadParts& parts) { return fill.validated(*stale, parts, facts_at(kNow)); }));
  EXPECT_EQ(w.read(waiting), "validated kept");
  EXPECT_EQ(w.store.bytes(), 0U);
}

}  // namespace
}  // namespace gatelab::test
