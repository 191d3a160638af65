// SPDX-License-Identifier: Apache-2.0
#include "cache/target.h"

#include <gtest/gtest.h>

#include <string>

#include "support/field_lines.h"

namespace gatelab::test {
namespace {

constexpr http::PathOptions kPaths{.encoded_slash = http::EncodedSlash::Keep};

std::string text_of(const cache::Target& t) {
  return std::string(t.scheme) + "://" + std::string(t.host) + ":" + std::to_string(t.port) + std::string(t.path) + (t.has_query ? "?" + std::string(t.query) : "");
}
std::string text_of(const std::optional<cache::Target>& t) { return t ? text_of(*t) : "none"; }

// RFC 9110 §4.2.3
TEST(Target, HasOneSpelling) {
  Arena arena;
  EXPECT_EQ(text_of(cache::make_target("HTTP", "API.local", "/a/%7Eb/../c", "q=1", true, kPaths, arena)), "http://api.local:80/a/c?q=1");
  EXPECT_EQ(text_of(cache::make_target("https", "api.local:443", "", "", false, kPaths, arena)), "https://api.local:443/");
  EXPECT_EQ(text_of(cache::make_target("https", "[::1]:8443", "/", "", true, kPaths, arena)), "https://[::1]:8443/?");
  for (const char* authority : {"", "a b", "u@h", "h:0", "h:99999"}) EXPECT_EQ(text_of(cache::make_target("http", authority, "/", "", false, kPaths, arena)), "none") << authority;
  EXPECT_EQ(text_of(cache::make_target("ftp", "h", "/", "", false, kPaths, arena)), "none");
  EXPECT_EQ(text_of(cache::make_target("http", "h", "/a\\b", "", false, kPaths, arena)), "none");
  EXPECT_EQ(text_of(cache::make_target("http", "h", "/a", "b c", true, kPaths, arena)), "none");
}

// RFC 3986 §5.4.1 and §5.4.2, as far as http and canonical paths go
TEST(Target, ResolvesReferences) {
  Arena arena;
  const cache::Target base = *cache::make_target("http", "a", "/b/c/d;p", "q", true, kPaths, arena);
  struct Row {
    const char *reference, *expected;
  };
  for (const Row& row : {
           Row{"g", "http://a:80/b/c/g"},
           Row{"./g", "http://a:80/b/c/g"},
           Row{"g/", "http://a:80/b/c/g/"},
           Row{"/g", "http://a:80/g"},
           Row{"//g", "http://g:80/"},
           Row{"//g/h?i", "http://g:80/h?i"},
           Row{"?y", "http://a:80/b/c/d;p?y"},
           Row{"?", "http://a:80/b/c/d;p?"},
           Row{"g?y", "http://a:80/b/c/g?y"},
           Row{"g?y/./x", "http://a:80/b/c/g?y/./x"},
           Row{"#s", "http://a:80/b/c/d;p?q"},
           Row{"g#s", "http://a:80/b/c/g"},
           Row{"g?y#s", "http://a:80/b/c/g?y"},
           Row{";x", "http://a:80/b/c/;x"},
           Row{"", "http://a:80/b/c/d;p?q"},
           Row{".", "http://a:80/b/c/"},
           Row{"..", "http://a:80/b/"},
           Row{"../g", "http://a:80/b/g"},
           Row{"../../g", "http://a:80/g"},
           Row{"../../../../g", "http://a:80/g"},
           Row{"/./g", "http://a:80/g"},
           Row{"g;x=1/../y", "http://a:80/b/c/y"},
           Row{"http://a/x", "http://a:80/x"},
           Row{"HTTP://A:80/x", "http://a:80/x"},
           Row{"https://a/x", "https://a:443/x"},
           Row{"http://a:81/x", "http://a:81/x"},
           Row{"http:g", "none"},
           Row{"http:/g", "none"},
           Row{"g:h", "none"},
           Row{"javascript:alert(1)", "none"},
           Row{"./g:h", "http://a:80/b/c/g:h"},
           Row{"http://", "none"},
           Row{"http://u@a/x", "none"},
           Row{"/a b", "none"},
           Row{"/a?b c", "none"},
       })
    EXPECT_EQ(text_of(cache::resolve(base, row.reference, kPaths, arena)), row.expected) << row.reference;
}

std::string invalidated(http::Method method, std::uint16_t status, const std::string& response) {
  Arena arena;
  const cache::Target target = *cache::make_target("http", "api.local", "/items/1", "", false, kPaths, arena);
  std::string out;
  for (const cache::Target& one : cache::invalidated(method, target, status, field_lines(response, arena), kPaths, arena)) out += text_of(one).substr(19) + " ";
  return out;
}

// RFC 9111 §4.4, RFC 9110 §9.2.1
TEST(Invalidation, FollowsANonErrorAnswerToAMethodThatIsNotSafe) {
  for (const auto method : {http::Method::Post, http::Method::Put, http::Method::Delete, http::Method::Patch, http::Method::Other}) {
    for (const std::uint16_t status : std::initializer_list<std::uint16_t>{200, 201, 204, 299, 301, 303, 399}) EXPECT_EQ(invalidated(method, status, ""), "/items/1 ") << status;
    for (const std::uint16_t status : std::initializer_list<std::uint16_t>{100, 199, 400, 404, 409, 500, 503}) EXPECT_EQ(invalidated(method, status, ""), "") << status;
  }
  for (const auto method : {http::Method::Get, http::Method::Head, http::Method::Options, http::Method::Trace}) EXPECT_EQ(invalidated(method, 200, ""), "");
}

TEST(Invalidation, ReachesLocationAndContentLocationOfTheSameOriginOnly) {
  struct Row {
    const char *response, *expected;
  };
  for (const Row& row : {
           Row{"Location: /items/2", "/items/1 /items/2 "},
           Row{"Location: 2\nContent-Location: http://API.local:80/items/3?a", "/items/1 /items/2 /items/3?a "},
           Row{"Location: /items/1", "/items/1 "},
           Row{"Location: /x\nContent-Location: /x#frag", "/items/1 /x "},
           Row{"Location: http://evil.local/items/2", "/items/1 "},
           Row{"Location: https://api.local/items/2", "/items/1 "},
           Row{"Location: http://api.local:8080/items/2", "/items/1 "},
           Row{"Location: //evil.local/items/2\nContent-Location: //api.local/items/2", "/items/1 /items/2 "},
           Row{"Location: mailto:x@y", "/items/1 "},
       })
    EXPECT_EQ(invalidated(http::Method::Post, 201, row.response), row.expected) << row.response;
}

}  // namespace
}  // namespace gatelab::test
