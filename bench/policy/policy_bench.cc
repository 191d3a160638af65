// SPDX-License-Identifier: Apache-2.0
// The policies that look something up for every request.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <string>
#include <vector>

#include "policy/consumers.h"
#include "policy/rate_limit/limiter_table.h"

namespace gatelab::policy {
namespace {

void limiter(benchmark::State& state, Algorithm algorithm, std::size_t keys) {
  static LimiterTable* table = nullptr;
  if (state.thread_index() == 0) table = new LimiterTable(200'000, 1);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < keys; ++i) names.push_back("consumer " + std::to_string(i));
  const LimitRule rules[] = {{algorithm, {1'000'000'000, std::chrono::seconds(1)}, 1'000'000}};
  Instant now = Instant::from_seconds(1'767'225'600);
  std::size_t i = static_cast<std::size_t>(state.thread_index()) * 7919;
  for (auto _ : state) {
    now = now + Duration{1000};
    benchmark::DoNotOptimize(table->charge(names[i++ % keys], rules, 1, now));
  }
  if (state.thread_index() == 0) delete table;
}
BENCHMARK_CAPTURE(limiter, fixed_window_one_key, Algorithm::FixedWindow, 1);
BENCHMARK_CAPTURE(limiter, sliding_window_one_key, Algorithm::SlidingWindow, 1);
BENCHMARK_CAPTURE(limiter, gcra_one_key, Algorithm::Gcra, 1);
BENCHMARK_CAPTURE(limiter, gcra_100_000_keys, Algorithm::Gcra, 100'000);
BENCHMARK_CAPTURE(limiter, gcra_threads, Algorithm::Gcra, 1'000)->Threads(2);

// Ten million distinct keys come by: what the table holds of them, and what each costs.
void limiter_memory(benchmark::State& state) {
  const LimitRule rules[] = {{Algorithm::FixedWindow, {100, std::chrono::hours(1)}, 0}};
  for (auto _ : state) {
    const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    LimiterTable table(static_cast<std::size_t>(state.range(0)), 1);
    for (int i = 0; i < 10'000'000; ++i) {
      const std::string client = std::to_string(i >> 16 & 255) + "." + std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255) + ".7";
      benchmark::DoNotOptimize(table.charge(client, rules, 1, Instant::from_seconds(3600)));
    }
    const std::size_t octets = mallinfo2().uordblks + mallinfo2().hblkhd - before;
    state.counters["keys"] = static_cast<double>(table.size());
    state.counters["MiB"] = static_cast<double>(octets) / 1048576;
    state.counters["octets_a_key"] = static_cast<double>(octets) / static_cast<double>(table.size());
  }
}
BENCHMARK(limiter_memory)->Arg(100'000)->Arg(10'000'000)->Iterations(1)->Unit(benchmark::kSecond);

void api_key(benchmark::State& state) {
  KeyStore store;
  std::vector<Consumer> people(static_cast<std::size_t>(state.range(0)));
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < people.size(); ++i) {
    const Consumer* owner = nullptr;
    keys.push_back("test-key-" + std::to_string(i));
    store.add(crypto::sha256(keys.back()), {&people[i], {}, {}}, owner);
  }
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(store.find(keys[i++ * 7919 % keys.size()]));
}
BENCHMARK(api_key)->Arg(10)->Arg(10'000);

}  // namespace
}  // namespace gatelab::policy
