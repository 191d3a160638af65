// SPDX-License-Identifier: Apache-2.0
// How long finding a route takes, by the number of routes: 10,000 plain ones must cost about what 10 cost.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "route/table.h"

namespace gatelab::route {
namespace {

Spec spec(std::string name, PathKind kind, std::string path) {
  Spec out;
  out.name = std::move(name);
  out.match.path_kind = kind;
  out.match.path = std::move(path);
  return out;
}

// Plain routes as a configuration has them: exact, templates and prefixes, several for each service.
std::vector<Spec> plain(std::int64_t n) {
  std::vector<Spec> out;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::string at = "/service" + std::to_string(i / 5) + "/";
    switch (i % 5) {
      case 0: out.push_back(spec("exact" + std::to_string(i), PathKind::Exact, at + "status")); break;
      case 1: out.push_back(spec("list" + std::to_string(i), PathKind::Exact, at + "orders")); break;
      case 2: out.push_back(spec("one" + std::to_string(i), PathKind::Template, at + "orders/{id}")); break;
      case 3: out.push_back(spec("lines" + std::to_string(i), PathKind::Template, at + "orders/{id}/lines")); break;
      default: out.push_back(spec("rest" + std::to_string(i), PathKind::Prefix, at + "files"));
    }
  }
  return out;
}

void match(benchmark::State& state) {
  diag::Sink sink;
  const Table table(plain(state.range(0)), sink);
  // Requests all over the table: one path again and again would measure the processor's cache.
  std::vector<std::string> paths;
  const std::int64_t services = state.range(0) / 5;
  for (std::int64_t i = 0; i < 1024; ++i) {
    const std::string at = "/service" + std::to_string(i * 7919 % services) + "/";
    constexpr const char* kTails[] = {"status", "orders", "orders/17", "orders/17/lines", "files/a/b.txt"};
    paths.push_back(at + kTails[i % 5]);
  }
  Arena arena;
  Request request;
  request.host = "api.local";
  request.method = "GET";
  std::size_t i = 0;
  std::int64_t missed = 0;
  for (auto _ : state) {
    request.path = paths[i++ % paths.size()];
    missed += table.match(request, arena).route < 0 ? 1 : 0;
    arena.reset();
  }
  if (missed > 0) state.SkipWithError("a request found no route");
}
BENCHMARK(match)->Arg(10)->Arg(1'000)->Arg(10'000);

void hosts(benchmark::State& state) {
  std::vector<Spec> specs;
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    specs.push_back(spec("host" + std::to_string(i), PathKind::Prefix, ""));
    names.push_back("a" + std::to_string(i) + ".example.local");
    specs.back().match.hosts.push_back({names.back(), {}});
  }
  diag::Sink sink;
  const Table table(std::move(specs), sink);
  Arena arena;
  Request request;
  request.path = "/x";
  request.method = "GET";
  std::size_t i = 0;
  for (auto _ : state) {
    request.host = names[i++ * 7919 % names.size()];
    benchmark::DoNotOptimize(table.match(request, arena));
  }
}
BENCHMARK(hosts)->Arg(10)->Arg(1'000)->Arg(10'000);

void no_route(benchmark::State& state) {
  diag::Sink sink;
  const Table table(plain(state.range(0)), sink);
  Arena arena;
  Request request;
  request.host = "api.local";
  request.method = "GET";
  request.path = "/service1/orders/17/nothing/here";
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.match(request, arena));
    arena.reset();
  }
}
BENCHMARK(no_route)->Arg(10)->Arg(10'000);

void build(benchmark::State& state) {
  for (auto _ : state) {
    diag::Sink sink;
    const Table table(plain(state.range(0)), sink);
    benchmark::DoNotOptimize(table.size());
  }
}
BENCHMARK(build)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gatelab::route
