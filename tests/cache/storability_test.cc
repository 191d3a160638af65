// SPDX-License-Identifier: Apache-2.0
#include "cache/storability.h"

#include <gtest/gtest.h>

#include <string>

#include "cache/facts.h"
#include "support/field_lines.h"

namespace gatelab::test {
namespace {

constexpr Instant kNow = Instant::from_seconds(1'767'225'600);  // 2026-01-01

struct Row {
  std::uint16_t status = 200;
  std::string response;
  std::string verdict = "stored";
  std::string request{};
  http::Method method = http::Method::Get;
  bool authenticated = false, body = false;
};

std::string verdict(const Row& row, const cache::Rules& rules = {}, cache::KeyScope scope = cache::KeyScope::Shared) {
  Arena arena;
  const http::Fields request = field_lines(row.request, arena), response = field_lines(row.response, arena);
  const cache::Control control = cache::response_control(response, rules.targets, arena);
  const cache::Exchanged exchanged{.method = row.method, .request_has_body = row.body, .authenticated = row.authenticated, .scope = scope,
                                   .asked = cache::request_directives(request), .status = row.status, .response = &response, .control = &control};
  return std::string(cache::word(cache::admit(exchanged, rules, {kNow, kNow}, arena).verdict));
}

void all_hold(std::initializer_list<Row> rows, const cache::Rules& rules = {}, cache::KeyScope scope = cache::KeyScope::Shared) {
  for (const Row& row : rows) EXPECT_EQ(verdict(row, rules, scope), row.verdict) << row.status << " " << row.response << " | " << row.request;
}

const std::string kMinute = "Cache-Control: max-age=60";

// RFC 9111 §3: the method is understood.
TEST(Storability, OnlyWhatAGetWithoutContentBroughtIsStored) {
  for (const auto method : {http::Method::Head, http::Method::Post, http::Method::Put, http::Method::Delete, http::Method::Options, http::Method::Patch,
                            http::Method::Trace, http::Method::Connect, http::Method::Other})
    EXPECT_EQ(verdict({.response = kMinute, .method = method}), "method");
  EXPECT_EQ(verdict({.response = kMinute}), "stored");
  EXPECT_EQ(verdict({.response = kMinute, .body = true}), "request-body");
}

// RFC 9111 §3 and RFC 9110 §15.2: the status is final, and not about what no key holds.
TEST(Storability, StatusesThatAreNotFinalPartialOrOfTheirRequestAreNotStored) {
  all_hold({
      {100, kMinute, "not-final"},
      {103, kMinute, "not-final"},
      {199, kMinute, "not-final"},
      {206, kMinute, "partial"},
      {206, kMinute + "\nContent-Range: bytes 0-1/2", "partial"},
      {200, kMinute + "\nContent-Range: bytes 0-1/2", "partial"},  // §3.3
      {304, kMinute, "of-its-request"},
      {401, kMinute, "of-its-request"},
      {407, kMinute, "of-its-request"},
      {412, kMinute, "of-its-request"},
      {416, kMinute, "of-its-request"},
      {417, kMinute, "of-its-request"},
      {431, kMinute, "of-its-request"},
  });
}

// RFC 9111 §3, §4.2.2; RFC 9110 §15.1
TEST(Storability, AnExplicitLifetimeOrAHeuristicStatusIsNeeded) {
  const std::string modified = "Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT";
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501}) {
    EXPECT_TRUE(cache::is_heuristically_cacheable(status));
    EXPECT_EQ(verdict({status, modified}), "stored") << status;
  }
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{201, 202, 302, 303, 307, 400, 403, 409, 429, 451, 500, 502, 503, 504, 299, 599}) {
    EXPECT_FALSE(cache::is_heuristically_cacheable(status));
    EXPECT_EQ(verdict({status, modified}), "not-cacheable") << status;
    EXPECT_EQ(verdict({status, kMinute}), "stored") << status;
    EXPECT_EQ(verdict({status, "Cache-Control: s-maxage=5"}), "stored") << status;
    EXPECT_EQ(verdict({status, "Cache-Control: public\n" + modified}), "stored") << status;
    EXPECT_EQ(verdict({status, "Expires: Thu, 01 Jan 2026 00:01:00 GMT"}), "stored") << status;
  }
}

// RFC 9111 §5.2.2.5 and §5.2.1.5
TEST(Storability, NoStoreOfEitherSideForbids) {
  all_hold({
      {200, "Cache-Control: no-store", "no-store"},
      {200, "Cache-Control: max-age=60, no-store, public", "no-store"},
      {200, kMinute, "request-no-store", "Cache-Control: no-store"},
      {200, kMinute, "stored", "Cache-Control: no-cache, max-age=0"},
      {200, kMinute, "stored", "Pragma: no-cache"},
  });
  cache::Rules deaf;
  deaf.obey_clients = false;
  all_hold({{200, kMinute, "stored", "Cache-Control: no-store"}, {200, "Cache-Control: no-store", "no-store"}}, deaf);
}

// RFC 9111 §5.2.2.3
TEST(Storability, MustUnderstandLetsNoStoreGoForStatusesThatAreUnderstood) {
  const std::string both = "Cache-Control: must-understand, no-store, max-age=60";
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 501, 503}) EXPECT_EQ(verdict({status, both}), "stored") << status;
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{201, 226, 299, 409, 422, 599}) EXPECT_EQ(verdict({status, both}), "not-understood") << status;
  all_hold({
      {299, "Cache-Control: must-understand, max-age=60", "not-understood"},
      {206, both, "partial"},
      {304, both, "of-its-request"},
  });
}

// RFC 9111 §5.2.2.7
TEST(Storability, PrivateForbidsButForNamedFields) {
  all_hold({
      {200, "Cache-Control: private, max-age=60", "private"},
      {200, "Cache-Control: private=\"\", max-age=60", "private"},
      {200, "Cache-Control: private, public, s-maxage=60", "private"},
      {200, "Cache-Control: private=\"x-user\", max-age=60", "stored"},
      {200, "Cache-Control: private=\"x-user\", private, max-age=60", "private"},
  });
  // Not in a consumer's own part either: what is one user's may not be the consumer's.
  all_hold({{200, "Cache-Control: private, max-age=60", "private"}}, {}, cache::KeyScope::Consumer);
}

// RFC 9111 §3.5
TEST(Storability, AnswersToAuthenticatedClientsNeedTheOriginsWord) {
  const auto authenticated = [](const std::string& response, const std::string& expected) {
    return Row{.response = response, .verdict = expected, .authenticated = true};
  };
  all_hold({
      authenticated("Cache-Control: max-age=60", "authorization"),
      authenticated("Expires: Thu, 01 Jan 2026 00:01:00 GMT", "authorization"),
      authenticated("Cache-Control: max-age=60, public", "stored"),
      authenticated("Cache-Control: s-maxage=60", "stored"),
      authenticated("Cache-Control: max-age=60, must-revalidate", "stored"),
      authenticated("Cache-Control: max-age=60, proxy-revalidate", "authorization"),
      authenticated("CDN-Cache-Control: max-age=60\nCache-Control: public", "authorization"),
      authenticated("CDN-Cache-Control: max-age=60, public", "stored"),
  });
  all_hold({authenticated("Cache-Control: max-age=60", "stored")}, {}, cache::KeyScope::Consumer);
  cache::Rules shared;
  shared.share_authenticated = true;
  all_hold({authenticated("Cache-Control: max-age=60", "stored"), authenticated("Cache-Control: max-age=60, private", "private")}, shared);
}

// RFC 9111 §7.3; the rule is ours.
TEST(Storability, SetCookieIsRefusedStrippedOrStoredByRule) {
  const std::string cookie = kMinute + "\nSet-Cookie: id=1";
  cache::Rules strip, store;
  strip.set_cookie = cache::SetCookie::Strip;
  store.set_cookie = cache::SetCookie::Store;
  EXPECT_EQ(verdict({200, cookie}), "set-cookie");
  EXPECT_EQ(verdict({200, cookie + "\nCache-Control: public"}), "set-cookie");
  EXPECT_EQ(verdict({200, cookie}, strip), "stored");
  EXPECT_EQ(verdict({200, cookie}, store), "stored");
  EXPECT_EQ(verdict({200, "Cache-Control: max-age=60, no-cache=\"Set-Cookie\"\nSet-Cookie: id=1"}), "stored");
  EXPECT_EQ(verdict({200, "Cache-Control: max-age=60, private=\"set-cookie\"\nSet-Cookie: id=1"}), "stored");
}

// RFC 9111 §4.1
TEST(Storability, WhatNoRequestWillMatchIsNotStored) {
  all_hold({
      {200, kMinute + "\nVary: *", "vary-star"},
      {200, kMinute + "\nVary: Accept\nVary: Cookie, *", "vary-star"},
      {200, kMinute + "\nVary: a b", "vary-unreadable"},
      {200, kMinute + "\nVary: Accept, Cookie", "stored"},
  });
}

// RFC 9111 §3: "not usually useful to store".
TEST(Storability, WhatIsNeverOfUseIsNotStored) {
  all_hold({
      {200, "", "never-usable"},
      {200, "X: y", "never-usable"},
      {200, "Cache-Control: max-age=0", "never-usable"},
      {200, "Cache-Control: max-age=60\nAge: 60", "never-usable"},
      {200, "Cache-Control: max-age=0\nETag: \"a\"", "stored"},
      {200, "ETag: \"a\"", "stored"},
      {200, "Cache-Control: no-cache", "never-usable"},
      {200, "Cache-Control: no-cache, max-age=60, stale-if-error=60", "never-usable"},
      {200, "Cache-Control: no-cache\nETag: \"a\"", "stored"},
      {200, "Cache-Control: max-age=0, stale-if-error=60", "stored"},
      {200, "Cache-Control: max-age=0, stale-while-revalidate=60", "stored"},
      {200, "Cache-Control: max-age=0, stale-while-revalidate=60, must-revalidate", "never-usable"},
      {200, "Expires: 0", "never-usable"},
  });
}

TEST(Storability, StatusesWithATtlOfTheirOwnAreCacheable) {
  cache::Rules rules;
  rules.status_ttl = {{503, std::chrono::seconds(5)}, {404, std::chrono::seconds(10)}, {401, std::chrono::seconds(10)}};
  all_hold({{503, "", "stored"}, {404, "", "stored"}, {502, "", "not-cacheable"}, {401, "", "of-its-request"}, {503, "Cache-Control: no-store", "no-store"}}, rules);
}

TEST(Storability, EveryVerdictHasAWordOfItsOwn) {
  std::string all;
  for (int i = 0; i <= static_cast<int>(cache::Storable::NeverUsable); ++i) {
    const std::string one = " " + std::string(cache::word(static_cast<cache::Storable>(i))) + " ";
    EXPECT_EQ(all.find(one), std::string::npos) << one;
    all += one;
  }
}

std::string kept(const std::string& response, const cache::Rules& rules = {}) {
  Arena arena;
  const http::Fields fields = field_lines(response, arena);
  return lines_of(cache::stored_fields(fields, cache::response_control(fields, rules.targets, arena), rules, kNow, arena));
}

// RFC 9111 §3.1
TEST(StoredFields, AreAllThatCameButForTheExceptions) {
  const std::string date = "Date: Thu, 01 Jan 2026 00:00:00 GMT";
  EXPECT_EQ(kept(date + "\nX-Unknown: 1\nX-Unknown: 2\nCache-Status: Other;hit\nWarning: 110"), date + "\nX-Unknown: 1\nX-Unknown: 2\nCache-Status: Other;hit\nWarning: 110");
  EXPECT_EQ(kept(date + "\nAge: 5\nContent-Length: 3\nProxy-Authenticate: Basic\nproxy-authentication-info: x\nProxy-Authorization: y\nTrailer: X\nA: b"), date + "\nA: b");
  EXPECT_EQ(kept(date + "\nCache-Control: no-cache=\"x-a\", private=\"x-b, x-c\"\nX-A: 1\nx-b: 2\nX-C: 3\nX-D: 4"),
            date + "\nCache-Control: no-cache=\"x-a\", private=\"x-b, x-c\"\nX-D: 4");
}

TEST(StoredFields, HaveACookieOnlyIfTheRulesSaySo) {
  cache::Rules rules;
  const std::string response = "Date: Thu, 01 Jan 2026 00:00:00 GMT\nSet-Cookie: a\nSet-Cookie: b";
  EXPECT_EQ(kept(response).find("Set-Cookie"), std::string::npos);
  rules.set_cookie = cache::SetCookie::Strip;
  EXPECT_EQ(kept(response, rules).find("Set-Cookie"), std::string::npos);
  rules.set_cookie = cache::SetCookie::Store;
  EXPECT_EQ(kept(response, rules), response);
}

// RFC 9110 §6.6.1
TEST(StoredFields, GetADateIfTheyHaveNone) { EXPECT_EQ(kept("A: b"), "A: b\nDate: Thu, 01 Jan 2026 00:00:00 GMT"); }

}  // namespace
}  // namespace gatelab::test
