// SPDX-License-Identifier: Apache-2.0
#include "policy/cache/plan.h"
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

struct Asked {
  const char *request, *why;  // `why` empty: the cache is asked
};

TEST(Cache, IsAskedForWhatItMayAnswer) {
  for (const Asked& one : std::initializer_list<Asked>{
           {"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", ""},
           {"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n", ""},
           {"GET /a HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"a\"\r\nRange: bytes=0-1\r\n\r\n", ""},
           {"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "only GET and HEAD are answered from a cache"},
           {"OPTIONS /a HTTP/1.1\r\nHost: x\r\n\r\n", "only GET and HEAD are answered from a cache"},
           {"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n", "a request with a body is not answered from a cache"},
           {"GET /a HTTP/1.1\r\nHost: x\r\nIf-Match: \"a\"\r\n\r\n", "its precondition is the origin's to evaluate"},
           {"GET /a HTTP/1.1\r\nHost: x\r\nIf-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n", "its precondition is the origin's to evaluate"},
           {"GET /a HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: DELETE\r\n\r\n", "a field asks for another method than the key says"},
           {"GET /b HTTP/1.1\r\nHost: x\r\n\r\n", "`when` does not speak of it"},
       }) {
    Stepped policy("[ { cache: { when: { path: /a } } } ]");
    ASSERT_EQ(policy.errors, "");
    const policy::Step step = policy.step(one.request);
    EXPECT_EQ(step.verdict, policy::Verdict::Continue);
    EXPECT_EQ(policy.input->cache != nullptr, *one.why == '\0') << one.request;
    EXPECT_EQ(*one.why != '\0' ? step.detail : std::string_view(), one.why) << one.request;
  }
}

TEST(Cache, IsNotAskedWhereItOnlyObserves) {
  Stepped policy("[ { cache: {}, mode: observe } ]");
  policy.step("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(policy.input->cache, nullptr);
}

struct Owner {
  const char *shared, *consumer, *by, *principal, *fields;
  bool asked, apart, authenticated;
  const char* key;
};

TEST(Cache, SaysWhoseAnAnswerIs) {
  for (const Owner& one : std::initializer_list<Owner>{
           {"false", "", "", "", "", true, false, false, ""},
           {"false", "", "", "", "Authorization: Basic eDp5\r\n", true, false, true, ""},
           {"false", "gold", "api-key", "", "", true, true, true, "c:gold"},
           {"false", "", "jwt", "gold", "", true, true, true, "p:jwt:gold"},
           {"false", "", "forward-auth", "", "", false, false, true, ""},
           {"by-origin", "gold", "api-key", "", "", true, false, true, ""},
           {"by-origin", "", "forward-auth", "", "", true, false, true, ""},
           {"true", "gold", "api-key", "", "", true, false, true, ""},
       }) {
    Stepped policy(std::string("[ { cache: { shared: ") + one.shared + " } } ]");
    ASSERT_EQ(policy.errors, "");
    policy::Consumer consumer;
    consumer.name = one.consumer;
    policy.step(std::string("GET /a HTTP/1.1\r\nHost: x\r\n") + one.fields + "\r\n", Instant::from_seconds(1), consumer.name.empty() ? nullptr : &consumer);
    policy.input->cache = nullptr;
    policy.input->principal_by = one.by;
    policy.input->principal = one.principal;
    policy.list[0]->step(*policy.input);
    const policy::CacheUse* use = policy.input->cache;
    ASSERT_EQ(use != nullptr, one.asked) << one.shared << one.by;
    if (use == nullptr) continue;
    EXPECT_EQ(use->scope == cache::KeyScope::Consumer, one.apart) << one.shared << one.by;
    EXPECT_EQ(use->authenticated, one.authenticated) << one.shared << one.by;
    EXPECT_EQ(use->consumer, one.key);
    EXPECT_EQ(use->plan->rules.share_authenticated, std::string_view(one.shared) == "true");
  }
}

TEST(Cache, IsOneMemoryForAllPoliciesThatNameIt) {
  Stepped policy("[ { cache: { key: { query: { sort: true } } } }, { cache: {}, id: second } ]");
  ASSERT_EQ(policy.errors, "");
  EXPECT_EQ(policy.list[0]->cache_plan()->state.get(), policy.list[1]->cache_plan()->state.get());
}

// A purge by URL finds what each policy has made of its query.
TEST(Cache, IsPurgedByAUrlWhateverItsQueryHasBeenMade) {
  Stepped policy("[ { cache: { key: { query: { drop: [ utm_* ], sort: true } } } }, { cache: {}, id: second } ]");
  policy::CacheState& state = *policy.list[0]->cache_plan()->state;
  Arena arena;
  const http::Fields fields(arena);
  const auto store = [&](std::string_view url) {
    const cache::Place place{url, url};
    auto joined = state.store.join(place, {.request = &fields}, Instant::from_seconds(1), arena);
    ASSERT_EQ(joined.role, cache::Store::Role::Lead);
    cache::Facts facts;
    facts.lifetime = std::chrono::hours(1);
    ASSERT_TRUE(joined.fill.head({200, &fields}, facts, {}));
    ASSERT_TRUE(joined.fill.complete());
  };
  store("http://x:80/a?b=1&c=2");
  store("http://x:80/a?c=2&utm_x=3&b=1");
  const cache::Target target{"http", "x", 80, "/a", "c=2&utm_x=3&b=1", true};
  EXPECT_EQ(state.purge_url(target, cache::Purge::Hard, Instant::from_seconds(2)), 2U);
}

}  // namespace
}  // namespace gatelab::test
