// SPDX-License-Identifier: Apache-2.0
// Several threads at once: for the thread sanitizer, and for what has to hold whatever they do.
#include <array>
#include <atomic>
#include <thread>

#include "base/random.h"
#include "cache/store_world.h"

namespace gatelab::test {
namespace {

constexpr std::size_t kThreads = 4, kAddresses = 24;

// Content that says whether it is whole: its number, and what follows from it.
std::string content(std::uint64_t serial) {
  std::string out = std::to_string(serial) + ":";
  const std::size_t size = out.size() + mix64(serial) % 4'000;
  for (std::uint64_t i = 0; out.size() < size; ++i) out += static_cast<char>('a' + mix64(serial * 1'000 + i) % 26);
  return out;
}
bool is_whole(std::string_view text) { return text == content(std::strtoull(std::string(text.substr(0, text.find(':'))).c_str(), nullptr, 10)); }

struct Shared {
  Shared(std::size_t bytes, bool with_purges) : store(bytes, 1, 4), purges(with_purges) {}
  Store store;
  const bool purges;
  std::atomic<std::uint64_t> serial{0}, hits{0}, read_whole{0}, broken{0}, over{0}, second_leader{0}, wakes{0}, led_on{0}, stored{0};
  std::array<std::atomic<int>, kAddresses> leaders{};
};

class Worker {
 public:
  Worker(Shared& shared, std::uint64_t index) : s_(shared), dice_(Random(index).fork("worker")) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      if (s_.store.bytes() > s_.store.bound()) ++s_.over;
      switch (dice_.below(8)) {
        case 0: case 1: case 2: ask(); break;
        case 3: case 4: lead(); break;
        case 5: case 6: read(); break;
        default: if (s_.purges) disturb();
      }
      arena_.reset();
    }
    for (Led& led : leads_) fail(led);
    leads_.clear();
  }

 private:
  struct Led {
    std::size_t url;
    Fill fill;
    std::string rest;
    bool has_head = false;
  };
  struct Reading {
    std::size_t url;
    Follower follower;
    std::string text;
  };

  void ask() {
    const std::size_t url = dice_.below(kAddresses);
    const std::string text = "http://a:80/" + std::to_string(url);
    const cache::Place place{text, text};
    const http::Fields request(arena_);
    const auto hit = s_.store.find(place, request, kNow, 0, arena_);
    if (hit) {
      ++s_.hits;
      if (!is_whole(text_of(*hit->body))) ++s_.broken;
      if (dice_.below(4) != 0) return;
    }
    if (leads_.size() + readings_.size() > 8) return;
    Store::Joined joined = s_.store.join(place, {&request, hit ? &*hit : nullptr, true, 0, [this] { ++s_.wakes; }}, kNow, arena_);
    if (joined.role == Role::Lead) begin(url, std::move(joined.fill));
    if (joined.role == Role::Follow) readings_.push_back({url, std::move(joined.follower), {}});
  }
  void begin(std::size_t url, Fill fill) {
    if (++s_.leaders[url] != 1 && !s_.purges) ++s_.second_leader;
    leads_.push_back({url, std::move(fill), content(++s_.serial)});
  }
  void fail(Led& led) {
    --s_.leaders[led.url];
    led.fill.failed();
  }
  void lead() {
    if (leads_.empty()) return;
    const std::size_t at = dice_.below(leads_.size());
    if (advance(leads_[at])) return;
    leads_.erase(leads_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  // False: it is over.
  bool advance(Led& led) {
    if (dice_.below(16) == 0) return fail(led), false;
    if (!led.has_head) {
      const http::Fields fields(arena_);
      const std::string_view tags[] = {led.url % 2 == 0 ? "even" : "odd"};
      led.has_head = true;
      if (dice_.below(8) == 0) return --s_.leaders[led.url], led.fill.uncacheable(kNow), false;
      if (led.fill.head({200, &fields, {}, {}, tags}, facts_at(kNow), {.pass_until = kNow})) return true;
      return --s_.leaders[led.url], false;
    }
    if (!led.rest.empty()) {
      const std::size_t n = std::min<std::size_t>(led.rest.size(), 1 + dice_.below(1'500));
      led.fill.append(led.rest.substr(0, n));
      led.rest.erase(0, n);
      return true;
    }
    --s_.leaders[led.url];
    if (led.fill.complete()) ++s_.stored;
    return false;
  }
  void read() {
    if (readings_.empty()) return;
    const std::size_t at = dice_.below(readings_.size());
    Reading& one = readings_[at];
    if (dice_.below(32) != 0 && read(one)) return;
    readings_.erase(readings_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  bool read(Reading& one) {
    const http::Fields request(arena_);
    while (true) {
      const Follower::Event event = one.follower.poll(request, arena_);
      switch (event.news) {
        case News::Nothing: return true;
        case News::Head: break;
        case News::Piece: one.text += event.piece.view(); break;
        case News::End:
          ++(is_whole(one.text) ? s_.read_whole : s_.broken);
          return false;
        case News::Lead:
          ++s_.led_on;
          begin(one.url, one.follower.take_lead());
          return false;
        case News::Validated: case News::Pass: case News::Again: case News::CutOff: return false;
      }
    }
  }
  void disturb() {
    const auto how = static_cast<Purge>(dice_.below(3));
    switch (dice_.below(5)) {
      case 0: s_.store.purge_tag("even", how, kNow); break;
      case 1: s_.store.purge_prefix("http://a:80/1", how, kNow); break;
      case 2: s_.store.set_bytes(60'000 + dice_.below(2) * 60'000); break;
      case 3: (void)s_.store.counts(); break;
      default: s_.store.purge_url("http://a:80/" + std::to_string(dice_.below(kAddresses)), how, kNow);
    }
  }

  Shared& s_;
  Dice dice_;
  Arena arena_;
  std::vector<Led> leads_;
  std::vector<Reading> readings_;
};

void run(Shared& shared, int steps) {
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) threads.emplace_back([&shared, t, steps] { Worker(shared, t).run(steps); });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(shared.broken, 0U);
  EXPECT_GT(shared.hits, 100U);
  EXPECT_GT(shared.read_whole, 100U);
  EXPECT_GT(shared.led_on, 10U);
  EXPECT_GT(shared.wakes, 100U);
  shared.store.purge_prefix("", Purge::Hard, kNow);
  EXPECT_EQ(shared.store.bytes(), 0U) << "all that was reserved was given back";
  EXPECT_EQ(shared.store.passing(), 0U);
}

TEST(StoreThreads, OneLeaderAtATimeAndNothingButWholeContent) {
  Shared shared(64 << 20, false);
  run(shared, 30'000);
  EXPECT_EQ(shared.second_leader, 0U);
}

TEST(StoreThreads, PurgesAndWantOfRoomLeaveNothingPartialBehind) {
  Shared shared(60'000, true);
  run(shared, 30'000);
  EXPECT_GT(shared.stored, 100U);
}

TEST(StoreThreads, NeverOverTheBound) {
  Shared shared(40'000, false);
  run(shared, 30'000);
  EXPECT_EQ(shared.over, 0U);
  EXPECT_GT(shared.store.counts().evicted, 100U);
}

}  // namespace
}  // namespace gatelab::test
