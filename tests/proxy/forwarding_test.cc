// SPDX-License-Identifier: Apache-2.0
// The path that matched is the path that is forwarded: over thousands of paths made of what attackers use.
#include "proxy/forwarding.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "http/uri.h"
#include "proxy/exchange.h"

namespace gatelab::proxy {
namespace {

constexpr const char* kPieces[] = {"/", "//", "/.", "/..", ".", "..", "%2e", "%2E%2e", "%2f", "%2F", "%5c", "\\", ";", "..;", "%00", "api", "API", "admin", "%61pi", "x", "%252e", "%", "?", "a", "api.."};

std::string random_path(Dice& dice) {
  std::string path = "/";
  for (std::uint64_t n = dice.below(9); n > 0; --n) path += kPieces[dice.below(std::size(kPieces))];
  return path;
}

bool is_canonical(std::string_view path, const http::PathOptions& options) {
  Arena arena;
  const http::CanonicalPath again = http::canonical_path(path, options, arena);
  return again.rule == http::Rule::Ok && again.path == path;
}

class Gateway {
 public:
  Gateway() {
    const std::pair<const char*, route::PathKind> paths[] = {{"/api", route::PathKind::Prefix}, {"/admin", route::PathKind::Prefix}, {"/", route::PathKind::Prefix}};
    std::vector<route::Spec> specs;
    for (const auto& [path, kind] : paths) {
      route::Spec spec;
      spec.name = path;
      spec.match.path_kind = kind;
      spec.match.path = std::string_view(path) == "/" ? "" : path;
      specs.push_back(std::move(spec));
      snapshot.routes.emplace_back().upstream = 0;
    }
    diag::Sink sink;
    table = std::make_unique<route::Table>(std::move(specs), sink);
    snapshot.table = table.get();
  }
  Matching match(std::string_view path, const http::PathOptions& options, Arena& arena) const {
    http::RequestHead head(arena);
    head.method = http::Method::Get;
    head.method_text = "GET";
    head.host = head.authority = "a";
    head.path = path;
    return match_request(head, options, {}, snapshot, arena);
  }
  Snapshot snapshot;
  std::unique_ptr<route::Table> table;
};

TEST(Forwarding, WhatReachesTheTargetIsThePathThatMatched) {
  const Gateway gateway;
  Dice dice = Random(7).fork("paths", 1);
  std::size_t forwarded = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string path = random_path(dice);
    for (const auto encoded : {http::EncodedSlash::Reject, http::EncodedSlash::Keep})
      for (const auto duplicate : {http::DuplicateSlash::Keep, http::DuplicateSlash::Merge, http::DuplicateSlash::Reject})
        for (const auto forward : {http::ForwardPath::Canonical, http::ForwardPath::Original}) {
          Arena arena;
          const http::PathOptions options{encoded, duplicate, forward};
          const Matching matching = gateway.match(path, options, arena);
          if (!matching.refusal.word.empty()) continue;
          ++forwarded;
          const http::CanonicalPath again = http::canonical_path(matching.forwarded, options, arena);
          ASSERT_EQ(again.rule, http::Rule::Ok) << path;
          ASSERT_EQ(again.path, matching.path) << path;
          // Whoever reads what was forwarded takes the same route, be it canonicalised once more or not.
          const Matching theirs = gateway.match(matching.forwarded, options, arena);
          ASSERT_EQ(theirs.route_index, matching.route_index) << path;
        }
  }
  EXPECT_GT(forwarded, 20'000U);
}

TEST(Forwarding, APrefixIsTakenOffWholeSegmentsAndNothingLeavesTheNewOne) {
  Dice dice = Random(8).fork("paths", 1);
  const PrefixRewrite rewrites[] = {{true, "/api", ""}, {true, "/api", "/v2"}, {true, "", "/v2/x"}, {true, "/admin", "/api"}};
  std::size_t rewritten = 0;
  for (int i = 0; i < 40'000; ++i) {
    const std::string raw = random_path(dice);
    for (const auto encoded : {http::EncodedSlash::Reject, http::EncodedSlash::Keep}) {
      const http::PathOptions options{encoded, http::DuplicateSlash::Keep, {}};
      Arena arena;
      const http::CanonicalPath canonical = http::canonical_path(raw, options, arena);
      if (canonical.rule != http::Rule::Ok) continue;
      for (const PrefixRewrite& rewrite : rewrites) {
        const std::string_view out = rewrite_path(canonical.path, rewrite, arena);
        ASSERT_TRUE(is_canonical(out, options)) << raw << " -> " << out;
        if (!has_prefix(canonical.path, rewrite.from)) {
          ASSERT_EQ(out, canonical.path);
          continue;
        }
        ++rewritten;
        ASSERT_TRUE(has_prefix(out, rewrite.to)) << raw << " -> " << out;
        ASSERT_TRUE(!rewrite.to.empty() || !out.starts_with("//")) << raw;
      }
    }
  }
  EXPECT_GT(rewritten, 10'000U);
}

TEST(Forwarding, PrefixesByTable) {
  struct Row {
    const char *path, *from, *to, *out;
  };
  for (const Row& row : {Row{"/api/x", "/api", "", "/x"}, Row{"/api", "/api", "", "/"}, Row{"/api/", "/api", "", "/"}, Row{"/api../admin", "/api", "", "/api../admin"},
                         Row{"/apix", "/api", "", "/apix"}, Row{"/api//evil.example/x", "/api", "", "/evil.example/x"}, Row{"/api/x", "/api", "/v2", "/v2/x"}, Row{"/api", "/api", "/v2", "/v2"},
                         Row{"/api/", "/api", "/v2", "/v2/"}, Row{"/x", "", "/v2", "/v2/x"}, Row{"*", "/api", "", "*"}}) {
    Arena arena;
    EXPECT_EQ(rewrite_path(row.path, {true, row.from, row.to}, arena), row.out) << row.path;
  }
}

TEST(Forwarding, AnEncodedSlashNeverHidesADotSegment) {
  for (const char* path : {"/api/..%2fadmin", "/api/%2e%2e%2Fadmin", "/a%2f..", "/a%2F.%2Fb", "/..%2f"}) {
    Arena arena;
    EXPECT_EQ(http::canonical_path(path, {http::EncodedSlash::Keep, {}, {}}, arena).rule, http::Rule::EncodedSlash) << path;
  }
  Arena arena;
  EXPECT_EQ(http::canonical_path("/a%2Fb/..c%2f...", {http::EncodedSlash::Keep, {}, {}}, arena).path, "/a%2Fb/..c%2F...");
}

}  // namespace
}  // namespace gatelab::proxy
