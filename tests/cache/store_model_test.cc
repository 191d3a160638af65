// SPDX-License-Identifier: Apache-2.0
// Whatever is done in whatever order: what is found is what a plain list of responses would have.
#include <algorithm>
#include <list>

#include "base/random.h"
#include "cache/store_world.h"

namespace gatelab::test {
namespace {

constexpr const char* kUrls[] = {"http://a:80/", "http://a:80/x", "http://a:80/x/1", "http://a:80/x/2", "http://b:80/"};
constexpr const char* kTags[] = {"s", "t", "u"};

struct Stored {
  Ask ask;
  std::string body;
  std::vector<std::string_view> tags;
  bool is_fresh = true;
  bool is_invalid = false;
};

bool is_same(const Ask& a, const Ask& b) { return a.url == b.url && a.key == b.key && a.lines == b.lines; }

class Model {
 public:
  explicit Model(std::uint64_t seed) : dice_(Random(seed).fork("model")), world_(16 << 20, std::size_t{1} << seed % 4) {}

  void step() {
    switch (dice_.below(10)) {
      case 0: purge(); break;
      case 1: case 2: case 3: finish(); break;
      case 4: freshen(); break;
      default: begin(); break;
    }
    check();
  }
  void end() {
    fills_.clear();
    world_.store.purge_prefix("", Purge::Hard, kNow);
    EXPECT_EQ(world_.store.bytes(), 0U);
    EXPECT_EQ(world_.store.passing(), 0U);
  }

 private:
  struct Open {
    Fill fill;
    Stored answer;
    bool is_doomed = false;
  };

  Ask any() {
    const std::string url = kUrls[dice_.below(std::size(kUrls))];
    return {url, "A: " + std::to_string(dice_.below(3)), dice_.below(3) == 0 ? "private " + url : "shared " + url};
  }
  Stored* stored(const Ask& ask) {
    const auto it = std::find_if(stored_.begin(), stored_.end(), [&](const Stored& s) { return is_same(s.ask, ask); });
    return it == stored_.end() ? nullptr : &*it;
  }

  void begin() {
    const Ask ask = any();
    const auto seen = world_.find(ask);
    Store::Joined joined = world_.join(ask, seen ? &*seen : nullptr);
    const bool is_open = std::any_of(fills_.begin(), fills_.end(), [&](const Open& o) { return !o.is_doomed && is_same(o.answer.ask, ask); });
    ASSERT_EQ(joined.role, is_open ? Role::Follow : Role::Lead);
    if (is_open) return;
    std::vector<std::string_view> tags;
    for (const char* tag : kTags)
      if (dice_.below(2) == 0) tags.emplace_back(tag);
    const std::string body = "body " + std::to_string(++serial_);
    ASSERT_TRUE(world_.head(joined.fill, ask, {body, "Vary: A", tags}));
    joined.fill.append(body);
    fills_.push_back({std::move(joined.fill), {ask, body, tags}});
  }
  void finish() {
    if (fills_.empty()) return;
    const auto it = std::next(fills_.begin(), static_cast<std::ptrdiff_t>(dice_.below(fills_.size())));
    if (dice_.below(4) == 0) {
      it->fill.failed();
    } else {
      EXPECT_EQ(it->fill.complete(), !it->is_doomed);
      if (!it->is_doomed) {
        std::erase_if(stored_, [&](const Stored& s) { return is_same(s.ask, it->answer.ask); });
        stored_.push_back(it->answer);
      }
    }
    fills_.erase(it);
  }
  void freshen() {
    const Ask ask = any();
    const auto hit = world_.find(ask);
    if (!hit) return;
    Stored& s = *stored(ask);
    s.tags = {kTags[dice_.below(3)]};
    s.is_fresh = true;
    s.is_invalid = false;
    EXPECT_TRUE(world_.with_parts(ask, {.fields = "Vary: A", .tags = s.tags}, [&](const cache::HeadParts& parts) {
      return world_.store.freshen({ask.url, ask.key}, *hit, parts, facts_at(kNow));
    }));
  }
  template <class Matches>
  std::size_t purge(Purge how, const Matches& matches) {
    std::size_t n = 0;
    for (Open& open : fills_) open.is_doomed = open.is_doomed || matches(open.answer);
    for (Stored& s : stored_) {
      if (!matches(s)) continue;
      ++n;
      s.is_fresh = s.is_fresh && how != Purge::Soft;
      s.is_invalid = s.is_invalid || how == Purge::Invalid;
    }
    if (how == Purge::Hard) std::erase_if(stored_, matches);
    return n;
  }
  void purge() {
    const auto how = static_cast<Purge>(dice_.below(3));
    const std::string url = kUrls[dice_.below(std::size(kUrls))];
    const std::string_view tag = kTags[dice_.below(3)];
    switch (dice_.below(3)) {
      case 0: EXPECT_EQ(world_.store.purge_url(url, how, kNow), purge(how, [&](const Stored& s) { return s.ask.url == url; })); break;
      case 1: EXPECT_EQ(world_.store.purge_prefix(url, how, kNow), purge(how, [&](const Stored& s) { return s.ask.url.starts_with(url); })); break;
      default:
        EXPECT_EQ(world_.store.purge_tag(tag, how, kNow),
                  purge(how, [&](const Stored& s) { return std::find(s.tags.begin(), s.tags.end(), tag) != s.tags.end(); }));
    }
  }
  void check() {
    ASSERT_EQ(world_.store.entries(), stored_.size());
    for (const char* url : kUrls)
      for (const char* whose : {"private ", "shared "})
        for (int variant = 0; variant < 3; ++variant) {
          const Ask ask{url, "A: " + std::to_string(variant), std::string(whose) + url};
          const Stored* expected = stored(ask);
          const auto hit = world_.find(ask);
          ASSERT_EQ(hit.has_value(), expected != nullptr);
          if (expected == nullptr) continue;
          ASSERT_EQ(text_of(*hit->body), expected->body);
          ASSERT_EQ(is_fresh(hit->facts, kNow), expected->is_fresh);
          ASSERT_EQ(hit->facts.invalid, expected->is_invalid);
        }
  }

  Dice dice_;
  StoreWorld world_;
  std::list<Open> fills_;
  std::vector<Stored> stored_;
  int serial_ = 0;
};

TEST(StoreModel, FindsWhatAPlainListWouldHave) {
  for (std::uint64_t seed = 1; seed <= 20 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Model model(seed);
    for (int i = 0; i < 500 && !::testing::Test::HasFailure(); ++i) model.step();
    model.end();
  }
}

}  // namespace
}  // namespace gatelab::test
