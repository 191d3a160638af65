// SPDX-License-Identifier: Apache-2.0
// Ten million distinct URLs through a store of 32 MiB: the bound holds, and says what is really taken.
#include <malloc.h>

#include <charconv>

#include "cache/store_world.h"

namespace gatelab::test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kCrawled = 300'000;
constexpr bool kIsCounted = false;  // the heap is not malloc's
#else
constexpr std::size_t kCrawled = 1'000'000;
constexpr bool kIsCounted = true;
#endif

TEST(StoreBound, HoldsHoweverManyDistinctUrlsCome) {
  constexpr std::size_t kBytes = 32 << 20;
  const std::size_t before = mallinfo2().uordblks;
  Store store(kBytes, 1);
  Arena arena;
  const std::string body(200, 'x');
  std::size_t stored = 0, most = 0, most_real = 0;
  for (std::size_t i = 0; i < kCrawled; ++i) {
    arena.reset();
    char url[48] = "http://crawled.local:80/items/";
    char* const end = std::to_chars(url + 30, url + sizeof url, i).ptr;
    const std::string_view text(url, static_cast<std::size_t>(end - url));
    http::Fields fields(arena);
    fields.add("Content-Type", "application/json");
    fields.add("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
    Store::Joined joined = store.join({text, text}, {&fields, nullptr, true, 0, {}}, kNow, arena);
    ASSERT_EQ(joined.role, Role::Lead);
    ASSERT_TRUE(joined.fill.head({200, &fields}, facts_at(kNow), {}));
    joined.fill.append(body);
    stored += joined.fill.complete() ? 1U : 0U;
    most = std::max(most, store.bytes());
    if (kIsCounted && i % 100'000 == 99'999) most_real = std::max(most_real, mallinfo2().uordblks - before);
  }
  EXPECT_EQ(stored, kCrawled);
  EXPECT_LE(most, kBytes);
  EXPECT_GT(most, kBytes * 99 / 100);
  EXPECT_EQ(store.counts().evicted + store.entries(), kCrawled);
  if (kIsCounted) {
    EXPECT_LE(most_real, kBytes);
    EXPECT_GT(most_real, kBytes * 7 / 10) << "the bound is not reached: what is counted is far from what is taken";
  }
  RecordProperty("real", static_cast<int>(most_real));
  RecordProperty("entries", static_cast<int>(store.entries()));
}

}  // namespace
}  // namespace gatelab::test
