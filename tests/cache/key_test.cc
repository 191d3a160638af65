// SPDX-License-Identifier: Apache-2.0
#include "cache/key.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "cache/vary.h"
#include "support/field_lines.h"

namespace gatelab::test {
namespace {

std::string normalised(const std::string& query, const cache::QueryRules& rules) {
  Arena arena;
  const cache::Query out = cache::normalised_query({query, true}, rules, arena);
  return out.present ? "?" + std::string(out.text) : "";
}

TEST(Query, StaysAsItIsWithoutRules) {
  EXPECT_EQ(normalised("b=2&a=1&&", {}), "?b=2&a=1&&");
  EXPECT_EQ(normalised("", {}), "?");
  Arena arena;
  EXPECT_FALSE(cache::normalised_query({}, {.sort = true}, arena).present);
}

TEST(Query, IsSortedByNameWithTheOrderWithinOneNameKept) {
  const cache::QueryRules rules{.sort = true};
  EXPECT_EQ(normalised("b=2&a=1", rules), "?a=1&b=2");
  EXPECT_EQ(normalised("a=2&b&a=1&a", rules), "?a=2&a=1&a&b");
  EXPECT_EQ(normalised("%62=2&a=1&b=1", rules), "?a=1&%62=2&b=1");  // names are compared decoded
  EXPECT_EQ(normalised("&&a=1&", rules), "?a=1");
  EXPECT_EQ(normalised("", rules), "");
  std::string sent, sorted_a, sorted_b;
  for (int i = 0; i < 50; ++i) {
    sent += "b=" + std::to_string(i) + "&a=" + std::to_string(i) + "&";
    sorted_a += "a=" + std::to_string(i) + "&";
    sorted_b += "b=" + std::to_string(i) + "&";
  }
  sorted_b.pop_back();
  EXPECT_EQ(normalised(sent, rules), "?" + sorted_a + sorted_b);
}

TEST(Query, LosesWhatTheRulesDropAndKeepsWhatTheyKeep) {
  const cache::QueryRules drop{.drop = {"utm_*", "fbclid"}}, keep{.keep = {"id", "page*"}}, both{.keep = {"a*"}, .drop = {"ab"}, .sort = true};
  EXPECT_EQ(normalised("id=1&utm_source=x&fbclid=y&utm_=z&utm=1&Utm_a=2", drop), "?id=1&utm=1&Utm_a=2");
  EXPECT_EQ(normalised("utm_source=x", drop), "");
  EXPECT_EQ(normalised("utm%5Fsource=x&id=1", drop), "?id=1");
  EXPECT_EQ(normalised("x=1&id=2&page=3&page_size=4&ID=5", keep), "?id=2&page=3&page_size=4");
  EXPECT_EQ(normalised("i%64=2&x=1", keep), "?i%64=2");  // what a server reads as id is never left out
  EXPECT_EQ(normalised("ac=1&ab=2&aa=3&b=4", both), "?aa=3&ac=1");
}

// What is one parameter here and two to the server must not smuggle the second one past the key.
TEST(Query, AParameterWithASemicolonStays) {
  EXPECT_EQ(normalised("utm_x=1;callback=evil&id=1", {.drop = {"utm_*"}}), "?utm_x=1;callback=evil&id=1");
  EXPECT_EQ(normalised("x=1;id=2", {.keep = {"id"}}), "?x=1;id=2");
}

TEST(Query, WithTooManyParametersStaysAsItIs) {
  std::string many;
  for (std::size_t i = 0; i <= cache::kMaxParameters; ++i) many += "b=1&";
  EXPECT_EQ(normalised(many, {.drop = {"b"}}), "?" + many);
}

struct Parts {
  cache::KeyScope scope = cache::KeyScope::Shared;
  std::string consumer, scheme = "https", host = "api.local", path = "/a", query;
  bool has_query = false;
  std::uint16_t port = 443;
  std::string request;
  std::vector<std::string> fields;
  std::string route = "r", upstream = "u", forwarded = "/a";
  std::uint16_t ours = 8080;
};

std::string key(const Parts& p) {
  Arena arena;
  const http::Fields request = field_lines(p.request, arena);
  const cache::Target target{p.scheme, p.host, p.port, p.path, p.query, p.has_query};
  return std::string(cache::primary_key({p.scope, p.consumer, p.route, p.upstream, p.forwarded, p.ours, target, p.fields, &request}, arena));
}

TEST(Key, IsTheSameForTheSameParts) {
  EXPECT_EQ(key({}), key({}));
  EXPECT_EQ(key({.request = "X-A: 1", .fields = {"X-A"}}), key({.request = "x-a:  1\nB: 2", .fields = {"X-A"}}));
  EXPECT_EQ(key({.request = "Accept-Encoding: br, gzip", .fields = {"Accept-Encoding"}}), key({.request = "Accept-Encoding: gzip,br", .fields = {"Accept-Encoding"}}));
}

// Each of these is another resource, or another one's; some try to look like their neighbours.
TEST(Key, DiffersWhereverAnyPartDoes) {
  using enum cache::KeyScope;
  const std::vector<Parts> all{
      {},
      {.scheme = "http"},
      {.route = "ru", .upstream = ""},
      {.route = "", .upstream = "ru"},
      {.upstream = "u/a", .forwarded = ""},
      {.forwarded = "/b"},
      {.ours = 8081},
      {.host = "api.loca"},
      {.host = "api.local."},
      {.port = 444},
      {.path = "/"},
      {.path = "/a?"},
      {.path = "/a?b=1"},
      {.path = "/a-"},
      {.path = "/a2:/b"},
      {.query = "", .has_query = true},
      {.query = "b=1", .has_query = true},
      {.query = "b=1&c", .has_query = true},
      {.query = "-", .has_query = true},
      {.fields = {"X-A"}},
      {.request = "X-A:", .fields = {"X-A"}},
      {.request = "X-A: 1", .fields = {"X-A"}},
      {.request = "X-A: -", .fields = {"X-A"}},
      {.request = "X-A: 1-3:X-B1:2", .fields = {"X-A"}},
      {.request = "X-A: 1\nX-B: 2", .fields = {"X-A", "X-B"}},
      {.request = "X-A: 12", .fields = {"X-A", "X-B"}},
      {.request = "X-B: 12", .fields = {"X-A", "X-B"}},
      {.scope = Consumer},
      {.scope = Consumer, .consumer = "alpha"},
      {.scope = Consumer, .consumer = "alph"},
      {.scope = Consumer, .consumer = "alpha5:https"},
      {.scope = Consumer, .consumer = "s"},
  };
  std::set<std::string> keys;
  for (const Parts& one : all) EXPECT_TRUE(keys.insert(key(one)).second) << key(one);
}

}  // namespace
}  // namespace gatelab::test
