// SPDX-License-Identifier: Apache-2.0
// cache_policy [REQUESTS]: replays Zipf traces against orders of eviction and prints how often, and for how many octets, each
// had what was asked for (docs/decisions/0012-cache-eviction.md). Seeded: the ratios are the same each time.
//
// belady knows the future: it puts out what is asked for last, and does not let in what is asked for later than all else. Where
// all have one size nothing can be better; with sizes the true optimum is too hard to compute, and belady is a bar that size-aware
// orders may pass in one of the two ratios.
#include <time.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <utility>
#include <vector>

#include "bench/cache/policies.h"

namespace gatelab::bench {
namespace {

struct Trace {
  std::vector<std::uint32_t> requests;
  std::vector<std::uint32_t> sizes;  // by object
  std::uint64_t footprint = 0;       // of all objects that are asked for
};

// Ranks by inversion of the cumulated weights.
class Zipf {
 public:
  Zipf(std::size_t objects, double alpha) : sums_(objects) {
    double sum = 0;
    for (std::size_t i = 0; i < objects; ++i) sums_[i] = sum += std::pow(static_cast<double>(i + 1), -alpha);
  }
  std::uint32_t draw(Dice& dice) const {
    const double at = dice.unit() * sums_.back();
    return static_cast<std::uint32_t>(std::upper_bound(sums_.begin(), sums_.end() - 1, at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

struct Shape {
  double alpha;
  bool sized;
  bool scan;
  bool drift = false;  // what is popular changes: after each twentieth of the requests the ranks are another's
};

Trace make_trace(const Shape& shape, std::size_t objects, std::size_t requests) {
  const Random random(1);
  Dice order = random.fork("order"), size = random.fork("size");
  const Zipf zipf(objects, shape.alpha);
  Trace trace;
  const std::size_t scanned = shape.scan ? objects / 2 : 0;
  for (std::size_t i = 0; i < requests; ++i) {
    // What a crawler asks for: each once, and nobody again.
    if (shape.scan && i == requests / 2)
      for (std::size_t s = 0; s < scanned; ++s) trace.requests.push_back(static_cast<std::uint32_t>(objects + s));
    const std::size_t turn = shape.drift ? i / (requests / 20 + 1) * (objects / 100) : 0;
    trace.requests.push_back(static_cast<std::uint32_t>((zipf.draw(order) + turn) % objects));
  }
  // Log-normal: median 4 KiB, mean about 18 KiB, at most 4 MiB.
  for (std::size_t i = 0; i < objects + scanned; ++i) {
    const double normal = std::sqrt(-2 * std::log(1 - size.unit())) * std::cos(2 * 3.141592653589793 * size.unit());
    trace.sizes.push_back(shape.sized ? static_cast<std::uint32_t>(std::clamp(4096 * std::exp(1.75 * normal), 64.0, 4194304.0)) : 1024);
  }
  std::vector<bool> seen(trace.sizes.size());
  for (const std::uint32_t object : trace.requests)
    if (!seen[object]) seen[object] = true, trace.footprint += trace.sizes[object];
  return trace;
}

// The store's knows no capacity.
class S3Fifo : public cache::S3Fifo {
 public:
  explicit S3Fifo(std::uint64_t) noexcept {}
};

// Of this thread: the machine may be busy.
double cpu_ns() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

struct Ratios {
  double hits = 0, bytes = 0, ns = 0;
};

template <class Policy>
Ratios replay(const Trace& trace, std::uint64_t capacity) {
  struct Node : Evictable {
    bool in = false;
  };
  std::vector<Node> nodes(trace.sizes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i].hash = mix64(i), nodes[i].size = trace.sizes[i];
  Policy policy(capacity);
  std::uint64_t hits = 0, hit_bytes = 0, bytes = 0;
  const double begin = cpu_ns();
  for (const std::uint32_t object : trace.requests) {
    Node& node = nodes[object];
    bytes += node.size;
    if (node.in) {
      policy.touch(node);
      ++hits, hit_bytes += node.size;
      continue;
    }
    if (node.size > capacity / 8) continue;  // the store's share for one
    node.in = true;
    policy.insert(node);
    while (policy.bytes() > capacity) static_cast<Node*>(policy.evict())->in = false;
  }
  const double took = cpu_ns() - begin;
  const auto n = static_cast<double>(trace.requests.size());
  return {static_cast<double>(hits) / n, static_cast<double>(hit_bytes) / static_cast<double>(bytes), took / n};
}

Ratios belady(const Trace& trace, std::uint64_t capacity) {
  const std::size_t n = trace.requests.size();
  std::vector<std::uint32_t> next(n), last(trace.sizes.size(), static_cast<std::uint32_t>(n));
  for (std::size_t i = n; i-- > 0;) next[i] = std::exchange(last[trace.requests[i]], static_cast<std::uint32_t>(i));
  std::set<std::pair<std::uint32_t, std::uint32_t>> in;  // by next request
  std::uint64_t held = 0, hits = 0, hit_bytes = 0, bytes = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t object = trace.requests[i], size = trace.sizes[object];
    bytes += size;
    if (in.erase({static_cast<std::uint32_t>(i), object}) != 0) ++hits, hit_bytes += size, held -= size;
    if (next[i] == n || size > capacity / 8) continue;
    in.insert({next[i], object});
    held += size;
    for (; held > capacity; in.erase(std::prev(in.end()))) held -= trace.sizes[std::prev(in.end())->second];
  }
  return {static_cast<double>(hits) / static_cast<double>(n), static_cast<double>(hit_bytes) / static_cast<double>(bytes), 0};
}

void print(const char* name, const Ratios& r) { std::printf("  %s %5.2f %5.2f %4.0f", name, 100 * r.hits, 100 * r.bytes, r.ns); }

void run(std::size_t objects, std::size_t requests) {
  std::printf("%zu objects, %zu requests; each: hits %%, octets %%, ns a request\n", objects, requests);
  for (const Shape shape : {Shape{0.7, false, false}, {0.9, false, false}, {1.1, false, false}, {0.7, true, false}, {0.9, true, false}, {1.1, true, false},
                            {0.9, false, true}, {0.9, true, true}, {0.9, false, false, true}, {0.9, true, false, true}}) {
    const Trace trace = make_trace(shape, objects, requests);
    for (const double share : {0.001, 0.01, 0.1}) {
      const auto capacity = static_cast<std::uint64_t>(share * static_cast<double>(trace.footprint));
      std::printf("alpha %.1f%s%s%s, %4.1f %%:", shape.alpha, shape.sized ? " sizes" : "", shape.scan ? " scan" : "", shape.drift ? " drift" : "", 100 * share);
      print("lru", replay<Lru>(trace, capacity));
      print("s3-fifo", replay<S3Fifo>(trace, capacity));
      print("w-tinylfu", replay<WTinyLfu>(trace, capacity));
      print("belady", belady(trace, capacity));
      std::printf("\n");
      std::fflush(stdout);
    }
  }
}

}  // namespace
}  // namespace gatelab::bench

int main(int argc, char** argv) { gatelab::bench::run(200'000, argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 4'000'000); }
