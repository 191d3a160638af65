// SPDX-License-Identifier: Apache-2.0
#include "cache/directives.h"

#include <gtest/gtest.h>

#include <string>

#include "base/units.h"
#include "cache/seconds.h"
#include "support/field_lines.h"

namespace gatelab::test {
namespace {

std::string said(const char* name, const std::optional<Duration>& value) {
  if (!value) return "";
  return " " + std::string(name) + "=" + (*value == Duration::max() ? "any" : std::to_string(cache::floor_seconds(*value)));
}
std::string said(const char* name, bool value) { return value ? " " + std::string(name) : ""; }

std::string text_of(const cache::ResponseDirectives& d) {
  const std::string out = said("max-age", d.max_age) + said("s-maxage", d.s_maxage) + said("swr", d.stale_while_revalidate) + said("sie", d.stale_if_error) +
                          said("no-store", d.no_store) + said("no-cache", d.no_cache) + said("private", d.is_private) + said("public", d.is_public) +
                          said("must-revalidate", d.must_revalidate) + said("proxy-revalidate", d.proxy_revalidate) + said("must-understand", d.must_understand) +
                          said("no-transform", d.no_transform) + said("immutable", d.immutable) +
                          (d.no_cache_fields.empty() ? "" : " no-cache:" + std::to_string(d.no_cache_fields.size())) +
                          (d.private_fields.empty() ? "" : " private:" + std::to_string(d.private_fields.size()));
  return out.empty() ? out : out.substr(1);
}

std::string text_of(const cache::RequestDirectives& d) {
  const std::string out = said("max-age", d.max_age) + said("max-stale", d.max_stale) + said("min-fresh", d.min_fresh) + said("sie", d.stale_if_error) +
                          said("no-cache", d.no_cache) + said("no-store", d.no_store) + said("no-transform", d.no_transform) + said("only-if-cached", d.only_if_cached);
  return out.empty() ? out : out.substr(1);
}

struct Row {
  std::string lines, expected;
};

std::string response(const std::string& lines) {
  Arena arena;
  const http::Fields fields = field_lines(lines, arena);
  return text_of(cache::response_directives(fields));
}
std::string request(const std::string& lines) {
  Arena arena;
  const http::Fields fields = field_lines(lines, arena);
  return text_of(cache::request_directives(fields));
}

// RFC 9111 §5.2: tokens without case, both syntaxes of an argument, several lines are one list.
TEST(CacheControl, ReadsEveryResponseDirectiveInBothSyntaxes) {
  for (const Row& row : {
           Row{"", ""},
           Row{"Cache-Control:", ""},
           Row{"Cache-Control: max-age=60", "max-age=60"},
           Row{"Cache-Control: MAX-AGE=60, Public", "max-age=60 public"},
           Row{"Cache-Control: max-age=\"60\"", "max-age=60"},
           Row{"Cache-Control: s-maxage=5,max-age=1", "max-age=1 s-maxage=5"},
           Row{"Cache-Control: max-age=600, stale-while-revalidate=30, stale-if-error=1200", "max-age=600 swr=30 sie=1200"},
           Row{"Cache-Control: no-store", "no-store"},
           Row{"Cache-Control: no-cache, private", "no-cache private"},
           Row{"Cache-Control: public, must-revalidate, proxy-revalidate, must-understand, no-transform, immutable",
               "public must-revalidate proxy-revalidate must-understand no-transform immutable"},
           Row{"Cache-Control: max-age=1\nX: y\nCache-Control: public", "max-age=1 public"},
           Row{"Cache-Control: ,, max-age=1 , , ,public,", "max-age=1 public"},
           Row{"Cache-Control: \tmax-age=1\t ,\tpublic", "max-age=1 public"},
           Row{"Pragma: no-cache", ""},  // §5.4: says nothing in a response
       })
    EXPECT_EQ(response(row.lines), row.expected) << row.lines;
}

// RFC 9111 §1.2.2: more than fits is 2^31; §4.2.1: what can't be read is stale.
TEST(CacheControl, NumbersOverflowToForeverAndUnreadableOnesAreStale) {
  for (const Row& row : {
           Row{"Cache-Control: max-age=0", "max-age=0"},
           Row{"Cache-Control: max-age=007", "max-age=7"},
           Row{"Cache-Control: max-age=2147483647", "max-age=2147483647"},
           Row{"Cache-Control: max-age=2147483648", "max-age=2147483648"},
           Row{"Cache-Control: max-age=2147483649", "max-age=2147483648"},
           Row{"Cache-Control: max-age=99999999999999999999999999999999", "max-age=2147483648"},
           Row{"Cache-Control: max-age", "max-age=0"},
           Row{"Cache-Control: max-age=", "max-age=0"},
           Row{"Cache-Control: max-age=\"\"", "max-age=0"},
           Row{"Cache-Control: max-age=-1", "max-age=0"},
           Row{"Cache-Control: max-age=+1", "max-age=0"},
           Row{"Cache-Control: max-age=1.5", "max-age=0"},
           Row{"Cache-Control: max-age=1e3", "max-age=0"},
           Row{"Cache-Control: max-age=0x10", "max-age=0"},
           Row{"Cache-Control: max-age=60s", "max-age=0"},
           Row{"Cache-Control: max-age=\"6\\0\"", "max-age=0"},
           Row{"Cache-Control: max-age=\" 60\"", "max-age=0"},
           Row{"Cache-Control: max-age=60\"", "max-age=0"},
           Row{"Cache-Control: max-age='60'", "max-age=0"},
           Row{"Cache-Control: max-age = 60", "max-age=0"},
           Row{"Cache-Control: max-age =60", "max-age=0"},
           Row{"Cache-Control: s-maxage=x, max-age=60", "max-age=60 s-maxage=0"},
           Row{"Cache-Control: stale-while-revalidate=x, stale-if-error=", "swr=0 sie=0"},
       })
    EXPECT_EQ(response(row.lines), row.expected) << row.lines;
}

// RFC 9111 §4.2.1: the first or stale; here equal ones are one, and different ones stale.
TEST(CacheControl, OneNumberSaidInTwoWaysIsStale) {
  for (const Row& row : {
           Row{"Cache-Control: max-age=60, max-age=60", "max-age=60"},
           Row{"Cache-Control: max-age=60\nCache-Control: max-age=\"060\"", "max-age=60"},
           Row{"Cache-Control: max-age=60, max-age=61", "max-age=0"},
           Row{"Cache-Control: max-age=61, max-age=60", "max-age=0"},
           Row{"Cache-Control: max-age=60, max-age=x", "max-age=0"},
           Row{"Cache-Control: max-age=60, max-age=61, max-age=60", "max-age=0"},
           Row{"Cache-Control: s-maxage=60, s-maxage=61", "s-maxage=0"},
           Row{"Cache-Control: no-store, no-store, public, public", "no-store public"},
           Row{"Cache-Control: no-cache=\"a\", no-cache=\"b, A\"", "no-cache:2"},
           Row{"Cache-Control: no-cache=\"a\", no-cache", "no-cache no-cache:1"},
       })
    EXPECT_EQ(response(row.lines), row.expected) << row.lines;
}

// RFC 9111 §5.2.3
TEST(CacheControl, UnknownDirectivesAreIgnored) {
  for (const Row& row : {
           Row{"Cache-Control: community=\"UCI\", private", "private"},
           Row{"Cache-Control: none", ""},
           Row{"Cache-Control: foo=bar, baz=\"a, b\", max-age=1", "max-age=1"},
           Row{"Cache-Control: foo=\"no-store\", foo=\"a, no-store, b\", max-age=1", "max-age=1"},
           Row{"Cache-Control: foo=\"\\\", no-store, \\\"\", max-age=1", "max-age=1"},
           Row{"Cache-Control: max_age=1, maxage=1, no store, no-store-x", ""},
           Row{"Cache-Control: =1, @=2, max-age=1", "max-age=1"},
       })
    EXPECT_EQ(response(row.lines), row.expected) << row.lines;
}

// RFC 9111 §5.2.2.4 and §5.2.2.7
TEST(CacheControl, NamesOfFieldsLimitNoCacheAndPrivate) {
  Arena arena;
  const http::Fields fields = field_lines("Cache-Control: no-cache=\"Set-Cookie , X-A\", private=X-B, private=\"x-c\"", arena);
  const cache::ResponseDirectives d = cache::response_directives(fields);
  EXPECT_FALSE(d.no_cache);
  EXPECT_FALSE(d.is_private);
  for (const char* name : {"set-cookie", "SET-COOKIE", "x-a"}) EXPECT_TRUE(d.no_cache_fields.contains(name)) << name;
  for (const char* name : {"x-b", "X-C"}) EXPECT_TRUE(d.private_fields.contains(name)) << name;
  EXPECT_FALSE(d.no_cache_fields.contains("x-b"));
}

TEST(CacheControl, NamesThatCanNotBeReadAreTheWholeResponse) {
  std::string many;
  for (std::size_t i = 0; i <= cache::FieldNames::kMax; ++i) many.append(i == 0 ? "" : ",").append("f").append(std::to_string(i));
  for (const Row& row : {
           Row{"Cache-Control: no-cache=", "no-cache"},
           Row{"Cache-Control: no-cache=\"\"", "no-cache"},
           Row{"Cache-Control: no-cache=\" , \"", "no-cache"},
           Row{"Cache-Control: no-cache=\"a b\"", "no-cache"},
           Row{"Cache-Control: no-cache=\"a, b@\"", "no-cache no-cache:1"},
           Row{"Cache-Control: private=\"a\\b\"", "private"},
           Row{"Cache-Control: private =\"a\"", "private"},
           Row{"Cache-Control: private=\"" + many + "\"", "private private:16"},
       })
    EXPECT_EQ(response(row.lines), row.expected) << row.lines;
}

// What restricts counts whatever its argument; what permits only as it is written (RFC 9111 §5.2: no argument is allowed).
TEST(CacheControl, AnArgumentThatDoesNotBelongThereTakesPermissionsOnly) {
  for (const Row& row : {
           Row{"Cache-Control: no-store=0", "no-store"},
           Row{"Cache-Control: no-store=\"x\"", "no-store"},
           Row{"Cache-Control: must-revalidate=no, proxy-revalidate=no, no-transform=no", "must-revalidate proxy-revalidate no-transform"},
           Row{"Cache-Control: public=1, immutable=1, must-understand=1", ""},
       })
    EXPECT_EQ(response(row.lines), row.expected) << row.lines;
}

TEST(CacheControl, WhatAQuoteMayHideCountsAsNoStore) {
  for (const Row& row : {
           Row{"Cache-Control: max-age=60, foo=\"bar, no-store", "max-age=60 no-store"},
           Row{"Cache-Control: no-cache=\"a, b", "no-store no-cache"},
           Row{"Cache-Control: foo=ba\"r, no-store\"", "no-store"},
           Row{"Cache-Control: foo=\"a\"\"b, c\"", "no-store"},
           Row{"Cache-Control: \"x, y\", max-age=1", "max-age=1 no-store"},
           Row{"Cache-Control: max-age=60, foo=\"bar", "max-age=60"},  // nothing is behind it
       })
    EXPECT_EQ(response(row.lines), row.expected) << row.lines;
}

// RFC 9111 §5.2.1
TEST(CacheControl, ReadsEveryRequestDirective) {
  for (const Row& row : {
           Row{"", ""},
           Row{"Cache-Control: no-cache", "no-cache"},
           Row{"Cache-Control: no-store, No-Transform, only-if-cached", "no-store no-transform only-if-cached"},
           Row{"Cache-Control: max-age=0", "max-age=0"},
           Row{"Cache-Control: max-age=\"5\", min-fresh=20", "max-age=5 min-fresh=20"},
           Row{"Cache-Control: max-stale", "max-stale=any"},
           Row{"Cache-Control: max-stale=10", "max-stale=10"},
           Row{"Cache-Control: max-stale, max-stale=10", "max-stale=10"},
           Row{"Cache-Control: stale-if-error=60", "sie=60"},
           Row{"Cache-Control: max-age=5, max-age=3, min-fresh=1, min-fresh=2, max-stale=5, max-stale=3", "max-age=3 max-stale=3 min-fresh=2"},
           Row{"Cache-Control: max-age=x", "max-age=0"},
           Row{"Cache-Control: max-stale=x, max-stale=\"\", min-fresh, min-fresh=-1, stale-if-error=x", ""},
           Row{"Cache-Control: s-maxage=5, must-revalidate, foo", ""},
           Row{"Cache-Control: max-age=99999999999", "max-age=2147483648"},
       })
    EXPECT_EQ(request(row.lines), row.expected) << row.lines;
}

// RFC 9111 §5.4, and RFC 7234 §5.4 for what it meant: only where there is no Cache-Control.
TEST(CacheControl, PragmaCountsWhereNothingBetterIsSaid) {
  for (const Row& row : {
           Row{"Pragma: no-cache", "no-cache"},
           Row{"Pragma: foo, NO-CACHE", "no-cache"},
           Row{"Pragma: foo\nPragma: no-cache", "no-cache"},
           Row{"Pragma: no-cache=1", ""},
           Row{"Pragma: no-cache\nCache-Control: max-age=5", "max-age=5"},
           Row{"Pragma: no-cache\nCache-Control:", ""},
       })
    EXPECT_EQ(request(row.lines), row.expected) << row.lines;
}

}  // namespace
}  // namespace gatelab::test
