// SPDX-License-Identifier: Apache-2.0
// A store and what it takes to put something into it. For tests of the store; one thread each.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "cache/store.h"
#include "cache/vary.h"
#include "support/field_lines.h"

namespace gatelab::test {

using namespace std::chrono_literals;
using cache::Fill;
using cache::Follower;
using cache::Hit;
using cache::Purge;
using cache::Store;
using Role = cache::Store::Role;
using News = cache::Follower::News;

constexpr Instant kNow = Instant::from_seconds(1'000'000);

struct Answer {
  std::string body = "body";
  std::string fields = "ETag: \"1\"";
  std::vector<std::string_view> tags{};
  Instant date = kNow;
};

inline cache::Facts facts_at(Instant date) {
  cache::Facts facts;
  facts.response_time = facts.date = date;
  facts.lifetime = 60s;
  facts.status = 200;
  facts.has_validator = true;
  return facts;
}

inline std::string text_of(const cache::Body& body) {
  std::string out;
  for (const cache::Chunk& chunk : body.chunks()) out.append(chunk.view());
  return out;
}

// What one client asks for: a URL and the lines of its request.
struct Ask {
  std::string url = "http://a:80/";
  std::string lines{};
  std::string key{};  // empty: made of the URL
};

class StoreWorld {
 public:
  explicit StoreWorld(std::size_t bytes = 64 << 20, std::size_t shards = 4) : store(bytes, 1, shards) {}

  Store store;
  int woken = 0;

  std::optional<Hit> find(const Ask& ask, Instant now = kNow, std::uint32_t route = 0) {
    Arena arena;
    const std::string key = key_of(ask);
    return store.find({ask.url, key}, field_lines(ask.lines, arena), now, route, arena);
  }
  std::string body(const Ask& ask) {
    const auto hit = find(ask);
    return hit ? text_of(*hit->body) : "(none)";
  }
  Store::Joined join(const Ask& ask, const Hit* seen = nullptr, bool waits = true, Instant now = kNow, std::uint32_t route = 0) {
    Arena arena;
    const http::Fields request = field_lines(ask.lines, arena);
    const std::string key = key_of(ask);
    return store.join({ask.url, key}, {&request, seen, waits, route, [this] { ++woken; }}, now, arena);
  }
  Fill lead(const Ask& ask, const Hit* seen = nullptr, std::uint32_t route = 0) {
    Store::Joined joined = join(ask, seen, true, kNow, route);
    EXPECT_EQ(joined.role, Role::Lead) << ask.url;
    return std::move(joined.fill);
  }
  Follower follow(const Ask& ask, const Hit* seen = nullptr) {
    Store::Joined joined = join(ask, seen);
    EXPECT_EQ(joined.role, Role::Follow) << ask.url;
    return std::move(joined.follower);
  }
  static bool head(Fill& fill, const Ask& ask, const Answer& answer, const Fill::Limits& limits = {}) {
    return with_parts(ask, answer, [&](const cache::HeadParts& parts) { return fill.head(parts, facts_at(answer.date), limits); });
  }
  template <class Use>
  static bool with_parts(const Ask& ask, const Answer& answer, const Use& use) {
    Arena arena;
    const http::Fields request = field_lines(ask.lines, arena), fields = field_lines(answer.fields, arena);
    const auto names = cache::parse_vary(fields, arena).names;
    return use(cache::HeadParts{200, &fields, names, cache::variant_key(names, request, arena), answer.tags});
  }
  bool put(const Ask& ask, const Answer& answer = {}, std::uint32_t route = 0) {
    const auto seen = find(ask);
    Fill fill = lead(ask, seen ? &*seen : nullptr, route);
    if (!head(fill, ask, answer)) return false;
    fill.append(answer.body);
    return fill.complete();
  }
  static Follower::Event poll(Follower& follower, const Ask& ask = {}) {
    Arena arena;
    return follower.poll(field_lines(ask.lines, arena), arena);
  }
  // All that there is to read now: "H" for a head, the pieces, "." for the end, "!" where it is cut off, "?" for what is yet to
  // come.
  static std::string read(Follower& follower, const Ask& ask = {}) {
    std::string out;
    while (true) {
      const Follower::Event event = poll(follower, ask);
      switch (event.news) {
        case News::Head: out += 'H'; break;
        case News::Piece: out += event.piece.view(); break;
        case News::Nothing: return out + '?';
        case News::End: return out + '.';
        case News::CutOff: return out + '!';
        case News::Validated: return out + "validated " + text_of(*event.hit.body);
        case News::Pass: return out + "pass";
        case News::Again: return out + "again";
        case News::Lead: return out + "lead";
      }
    }
  }

 private:
  static std::string key_of(const Ask& ask) { return ask.key.empty() ? "key of " + ask.url : ask.key; }
};

}  // namespace gatelab::test
