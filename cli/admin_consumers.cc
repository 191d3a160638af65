// SPDX-License-Identifier: Apache-2.0
#include "cli/admin_consumers.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/units.h"

namespace gatelab::cli {
namespace {

using Json = nlohmann::ordered_json;
using observe::ConsumerReport;

constexpr std::string_view kSorts[] = {"requests", "errors", "bytes", "p50", "p90", "p99", "last", "name"};

double key_of(const ConsumerReport& one, std::string_view sort) {
  if (sort == "errors") return static_cast<double>(one.classes[0] + one.classes[4] + one.classes[5]);
  if (sort == "bytes") return static_cast<double>(one.request_octets + one.response_octets);
  if (sort == "last") return static_cast<double>(one.last.ns);
  const double q = sort == "p50" ? 0.5 : sort == "p90" ? 0.9 : sort == "p99" ? 0.99 : 0;
  return q > 0 ? static_cast<double>(observe::quantile(one.latency, q).count()) : static_cast<double>(one.requests());
}

double milliseconds(Duration d) { return static_cast<double>(d.count() / 1000) / 1000; }

Json shown(const ConsumerReport& one, bool buckets) {
  Json out{{"name", one.name}, {"class", one.consumer_class}, {"requests", one.requests()}};
  out["errors"] = {{"client", one.classes[4]}, {"server", one.classes[5]}, {"unanswered", one.classes[0]}};
  out["limited"] = one.limited;
  out["request_bytes"] = one.request_octets;
  out["response_bytes"] = one.response_octets;
  out["latency_ms"] = {{"p50", milliseconds(observe::quantile(one.latency, 0.5))}, {"p90", milliseconds(observe::quantile(one.latency, 0.9))}, {"p99", milliseconds(observe::quantile(one.latency, 0.99))}};
  out["last"] = format(one.last);
  if (!buckets) return out;
  Json& all = out["buckets_us"] = Json::array();
  for (std::size_t i = 0; i < one.latency.size(); ++i)
    if (one.latency[i] > 0) all.push_back({observe::LatencyBuckets::middle(i).count() / 1000, one.latency[i]});
  return out;
}

}  // namespace

bool is_consumer_sort(std::string_view word) noexcept { return std::find(std::begin(kSorts), std::end(kSorts), word) != std::end(kSorts); }
const char* consumer_sorts() noexcept { return "requests, errors, bytes, p50, p90, p99, last, name"; }

std::string consumers_json(const gateway::Gateway& gateway, const ConsumerQuery& query, Instant now) {
  std::vector<ConsumerReport> all = gateway.consumers();
  // By name they are sorted already, and so are those whose keys are equal.
  if (query.sort != "name") {
    std::vector<std::pair<double, std::size_t>> order;
    for (std::size_t i = 0; i < all.size(); ++i) order.emplace_back(-key_of(all[i], query.sort), i);
    std::sort(order.begin(), order.end());
    std::vector<ConsumerReport> sorted;
    for (const auto& [key, i] : order) sorted.push_back(std::move(all[i]));
    all = std::move(sorted);
  }
  Json out{{"time", format(now)}, {"consumers", Json::array()}, {"left_out", all.size() - std::min(all.size(), query.limit)}};
  for (std::size_t i = 0; i < std::min(all.size(), query.limit); ++i) out["consumers"].push_back(shown(all[i], query.buckets));
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gatelab::cli
