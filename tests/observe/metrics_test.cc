// SPDX-License-Identifier: Apache-2.0
// Counters and their Prometheus text.
#include "observe/metrics.h"

#include <gtest/gtest.h>

#include <string>

namespace gatelab::observe {
namespace {

using namespace std::chrono_literals;

struct Exchange {
  Exchange(std::string_view route, std::uint16_t status, std::string_view by, std::string_view reason, Duration total) : record(arena) {
    record.route = route;
    record.route_index = route == "(none)" ? -1 : 0;
    record.status = status;
    record.ended.by = by;
    record.ended.reason = reason;
    record.total = total;
    record.request_octets = 10;
    record.response_octets = 100;
  }
  void attempt(std::string_view upstream, std::string_view reason, bool reused) {
    Attempt a;
    a.upstream = upstream;
    a.reason = reason;
    a.reused = reused;
    record.attempts.add(a);
  }
  Arena arena;
  Record record;
};

void serve(WorkerMetrics& worker) {
  worker.adopt({"orders"}, {"backend"});
  Exchange fine("orders", 200, "upstream", "completed", 3ms);
  fine.attempt("backend", "upstream-reset", true);
  fine.attempt("backend", "completed", false);
  worker.count(fine.record);
  worker.count(Exchange("orders", 429, "rate-limit", "rate-limited", 100us).record);
  worker.count(Exchange("(none)", 404, "gateway", "no-route", 10s).record);
  worker.connections_accepted.add(3);
  worker.connections_closed.add(2);
}

constexpr const char* kText =
    "# HELP gatelab_connections_accepted_total Client connections accepted.\n# TYPE gatelab_connections_accepted_total counter\ngatelab_connections_accepted_total 3\n"
    "# HELP gatelab_connections_active Client connections that are open.\n# TYPE gatelab_connections_active gauge\ngatelab_connections_active 1\n";

TEST(Metrics, CountExchangesByRouteClassReasonAndUpstream) {
  WorkerMetrics worker;
  serve(worker);
  MetricsText text;
  text.add(worker);
  text.gauge("gatelab_config_generation", "Which.", 3);
  const std::string got = text.text();
  EXPECT_NE(got.find(std::string(kText)), std::string::npos) << got;
  for (const char* line : {
           "gatelab_requests_total{route=\"(none)\",status_class=\"4xx\"} 1\n", "gatelab_requests_total{route=\"orders\",status_class=\"2xx\"} 1\n",
           "gatelab_ended_total{route=\"orders\",by=\"rate-limit\",reason=\"rate-limited\"} 1\n",
           "gatelab_request_duration_seconds_bucket{route=\"orders\",le=\"0.0005\"} 1\n", "gatelab_request_duration_seconds_bucket{route=\"orders\",le=\"0.0025\"} 1\n",
           "gatelab_request_duration_seconds_bucket{route=\"orders\",le=\"0.005\"} 2\n", "gatelab_request_duration_seconds_bucket{route=\"(none)\",le=\"5\"} 0\n",
           "gatelab_request_duration_seconds_bucket{route=\"(none)\",le=\"+Inf\"} 1\n", "gatelab_request_duration_seconds_sum{route=\"orders\"} 0.0031\n",
           "gatelab_request_duration_seconds_count{route=\"orders\"} 2\n", "gatelab_response_bytes_total{route=\"orders\"} 200\n",
           "gatelab_upstream_attempts_total{upstream=\"backend\",target=\"\",reason=\"completed\"} 1\n", "gatelab_upstream_attempts_total{upstream=\"backend\",target=\"\",reason=\"upstream-reset\"} 1\n",
           "gatelab_upstream_connections_reused_total{upstream=\"backend\"} 1\n", "# TYPE gatelab_request_duration_seconds histogram\n", "gatelab_config_generation 3\n"})
    EXPECT_NE(got.find(line), std::string::npos) << line << got;
}

TEST(Metrics, BucketsStandInTheOrderOfTheirBounds) {
  WorkerMetrics worker;
  serve(worker);
  MetricsText text;
  text.add(worker);
  const std::string got = text.text();
  std::size_t at = got.find("_bucket{route=\"orders\"");
  for (const char* bound : {"0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "5", "+Inf"}) {
    const std::size_t next = got.find(std::string("_bucket{route=\"orders\",le=\"") + bound + "\"}", at);
    ASSERT_NE(next, std::string::npos) << bound << "\n" << got;
    at = next + 1;
  }
}

TEST(Metrics, SumWorkersAndGiveEqualTextForEqualStates) {
  WorkerMetrics one, two, same_one, same_two;
  serve(one);
  serve(two);
  same_one.adopt({"zebra", "orders"}, {"backend", "another"});
  serve(same_one);
  serve(same_two);
  MetricsText sum, again;
  sum.add(one);
  sum.add(two);
  again.add(same_two);
  again.add(same_one);
  EXPECT_EQ(sum.text(), again.text());
  double value = 0;
  EXPECT_TRUE(sum.value("gatelab_requests_total", {{"route", "orders"}}, value));
  EXPECT_EQ(value, 4);
  EXPECT_TRUE(sum.value("gatelab_requests_total", {{"status_class", "2xx"}}, value));
  EXPECT_EQ(value, 2);
  EXPECT_TRUE(sum.value("gatelab_request_duration_seconds_count", {}, value));
  EXPECT_EQ(value, 6);
  EXPECT_FALSE(sum.value("gatelab_requests_total", {{"route", "nobody"}}, value));
  EXPECT_FALSE(sum.value("gatelab_no_such_total", {}, value));
}

TEST(Metrics, ARouteKeepsItsCountsThroughAReload) {
  WorkerMetrics worker;
  serve(worker);
  worker.adopt({"new", "orders"}, {});
  Exchange old("orders", 200, "upstream", "completed", 1ms);  // its index is the old configuration's
  worker.count(old.record);
  worker.count(Exchange("gone", 200, "upstream", "completed", 1ms).record);
  MetricsText text;
  text.add(worker);
  double value = 0;
  EXPECT_TRUE(text.value("gatelab_requests_total", {{"route", "orders"}}, value));
  EXPECT_EQ(value, 3);
}

TEST(Metrics, OpenMetricsNamesCountersWithoutTotalAndEndsWithItsMark) {
  WorkerMetrics worker;
  serve(worker);
  Exchange traced("orders", 200, "upstream", "completed", 4ms);
  traced.record.began = Instant::from_seconds(1'767'225'600);
  traced.record.trace.id = "4bf92f3577b34da6a3ce929d0e0e4736";
  traced.record.trace.sampled = true;
  worker.count(traced.record);
  Exchange unsampled("orders", 200, "upstream", "completed", 40ms);
  unsampled.record.trace.id = "00000000000000000000000000000001";
  worker.count(unsampled.record);
  MetricsText text;
  text.add(worker);
  text.labelled("counter", "gatelab_odd_total", "Says \"this\" \\ that.", {{"a", "b"}}, 1);
  const std::string got = text.text(Exposition::OpenMetrics), plain = text.text();
  for (const char* line : {"# TYPE gatelab_requests counter\n", "gatelab_requests_total{route=\"orders\",status_class=\"2xx\"} 3\n", "# HELP gatelab_odd Says \\\"this\\\" \\\\ that.\n",
                           "gatelab_request_duration_seconds_bucket{route=\"orders\",le=\"1.0\"} 4\n", "gatelab_request_duration_seconds_bucket{route=\"orders\",le=\"+Inf\"} 4\n",
                           "gatelab_request_duration_seconds_bucket{route=\"orders\",le=\"0.005\"} 3 # {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"} 0.004 1767225600.004\n"})
    EXPECT_NE(got.find(line), std::string::npos) << line << got;
  EXPECT_TRUE(got.ends_with("\n# EOF\n"));
  EXPECT_EQ(got.find("00000000000000000000000000000001"), std::string::npos) << "a trace that nobody keeps";
  for (const char* only_open : {"trace_id", "# EOF", "le=\"1.0\"", "# TYPE gatelab_requests counter"}) EXPECT_EQ(plain.find(only_open), std::string::npos) << only_open;
}

TEST(Metrics, OpenMetricsIsForWhoeverNamesIt) {
  const std::pair<const char*, Exposition> cases[] = {
      {"", Exposition::Prometheus},
      {"*/*", Exposition::Prometheus},
      {"text/plain", Exposition::Prometheus},
      {"application/openmetrics-text", Exposition::OpenMetrics},
      {"Application/OpenMetrics-Text; Version=1.0.0; charset=utf-8", Exposition::OpenMetrics},
      {"application/openmetrics-text;version=\"1.0.0\"", Exposition::OpenMetrics},
      {"application/openmetrics-text;version=2.0.0", Exposition::Prometheus},
      {"application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", Exposition::OpenMetrics},
      {"application/openmetrics-text;q=0.2,text/plain;q=0.3", Exposition::Prometheus},
      {"application/openmetrics-text;q=0", Exposition::Prometheus},
      {"application/openmetrics-text;q=2", Exposition::Prometheus},
      {"application/openmetrics-text;q=0.3, text/plain;q=0.3", Exposition::OpenMetrics},
      {", ;, application/openmetrics-text", Exposition::OpenMetrics},
  };
  for (const auto& [accept, form] : cases) EXPECT_EQ(choose_exposition(accept), form) << accept;
}

TEST(Metrics, NamesThatAreGoneAreNotKeptWithoutABound) {
  WorkerMetrics worker;
  for (int i = 0; i < 3000; ++i) {
    const std::string name = "route-" + std::to_string(i);
    worker.adopt({name}, {name});
    worker.count(Exchange(name, 200, "upstream", "completed", 1ms).record);
  }
  MetricsText text;
  text.add(worker);
  const std::string got = text.text();
  std::size_t routes = 0;
  for (std::size_t at = 0; (at = got.find("gatelab_request_bytes_total{", at)) != std::string::npos; ++at) ++routes;
  EXPECT_LE(routes, 1002U);
  EXPECT_NE(got.find("gatelab_requests_total{route=\"route-2999\",status_class=\"2xx\"} 1\n"), std::string::npos);
}

TEST(Metrics, LabelsAreEscaped) {
  WorkerMetrics worker;
  worker.adopt({"a\"b\\c\nd"}, {});
  worker.count(Exchange("a\"b\\c\nd", 200, "x", "y", 1ms).record);
  MetricsText text;
  text.add(worker);
  EXPECT_NE(text.text().find("gatelab_requests_total{route=\"a\\\"b\\\\c\\nd\",status_class=\"2xx\"} 1\n"), std::string::npos) << text.text();
}

}  // namespace
}  // namespace gatelab::observe
