// SPDX-License-Identifier: Apache-2.0
// What is written down of every request.
#include <benchmark/benchmark.h>

#include <string>

#include "observe/access_log.h"
#include "observe/metrics.h"

namespace gatelab::observe {
namespace {

void fill(Record& r) {
  r.request_id = "0123456789abcdef0123456789abcdef";
  r.began = Instant::from_seconds(1'767'225'600);
  r.total = std::chrono::microseconds(1234);
  r.upstream = std::chrono::microseconds(1000);
  r.client = *parse_address("192.0.2.1:5000");
  r.listener = "main";
  r.method = "GET";
  r.host = "api.local";
  r.target = "/orders/17?x=y";
  r.version = "1.1";
  r.route = "orders";
  r.consumer = "mobile";
  r.user_agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36";
  r.status = 200;
  r.response_octets = 100;
  r.ended.by = "upstream";
  r.ended.id = "orders";
  r.ended.reason = "completed";
  r.route_index = 0;
  Attempt attempt;
  attempt.upstream = "orders";
  attempt.reason = "completed";
  attempt.reused = true;
  r.attempts.add(attempt);
}

void line(benchmark::State& state, LogFormat format) {
  Arena arena;
  Record r(arena);
  fill(r);
  std::string out;
  for (auto _ : state) {
    out.clear();
    r.began = r.began + std::chrono::microseconds(50);
    append_line(out, r, format, false);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * out.size()));
}
BENCHMARK_CAPTURE(line, json, LogFormat::Json);
BENCHMARK_CAPTURE(line, logfmt, LogFormat::Logfmt);
BENCHMARK_CAPTURE(line, combined, LogFormat::Combined);
BENCHMARK_CAPTURE(line, pretty, LogFormat::Pretty);

void count(benchmark::State& state) {
  Arena arena;
  Record r(arena);
  fill(r);
  WorkerMetrics metrics;
  metrics.adopt({"orders", "items"}, {"orders", "items"});
  for (auto _ : state) metrics.count(r);
}
BENCHMARK(count);

}  // namespace
}  // namespace gatelab::observe
