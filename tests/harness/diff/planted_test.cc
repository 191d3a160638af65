// SPDX-License-Identifier: Apache-2.0
// One configuration that uses much, changed in one value at a time: every change is found, and no change is found where there
// is none.
#include <gtest/gtest.h>

#include <string>

#include "harness/diff/diff.h"
#include "io/disk.h"

namespace gatelab::harness::diff {
namespace {

constexpr const char* kBase = R"(gatelab: 1
listeners:
  - { name: plain, address: 127.0.0.1:8080, max_head: 4KiB, max_fields: 40, trusted_proxies: [192.0.2.0/24] }
consumers:
  - { name: mobile, groups: [gold], keys: [ { value: key-of-mobile }, { value: second-key } ] }
  - { name: partner, groups: [silver], keys: [ { sha256: 2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b } ] }
issuers:
  main: { issuer: https://idp.example, audiences: [orders], leeway: 30s, algorithms: [ES256], keys: { jwks_url: http://127.0.0.1:9100/jwks.json } }
upstreams:
  orders:
    targets:
      primary: { url: http://127.0.0.1:9001, weight: 3 }
      backup: { url: http://127.0.0.1:9002, weight: 1 }
    timeouts: { response: 2s, connect: 300ms }
    retry: { max_retries: 2, on: [connect-failure, 503], per_try_timeout: 800ms }
    breaker: { failures: 4, open: 20s }
  catalog: { url: http://127.0.0.1:9003, timeouts: { response: 5s } }
  checked: { targets: { only: { url: http://127.0.0.1:9004 } }, health: { path: /healthz, every: 3s, unhealthy: 2 }, host: target }
policies:
  - headers: { response: { set: { X-Frame-Options: DENY }, remove: [Server] } }
routes:
  - name: read-orders
    match: { hosts: [api.local], path: "/orders/{id}", methods: [GET, PUT] }
    policies:
      - jwt: { issuer: main, scopes: [orders:read], forward: { sub: X-User } }
    upstream: orders
  - name: items
    match: { path: /items/*, headers: { X-Version: "2" }, query: { lang: en } }
    policies:
      - size-limit: { max_body: 1KiB }
      - api-key: { groups: [gold] }
      - rate-limit: { rate: 5/m, key: consumer }
    upstream: catalog
    rewrite_prefix: /v2/items
  - name: scripts
    match: { path: /scripts, methods: [GET, OPTIONS] }
    policies:
      - cors: { origins: [https://app.example], methods: [GET, PUT], headers: [X-Token], max_age: 10m }
      - rate-limit: { rate: 10/s, algorithm: gcra, burst: 3, key: ip }
    upstream: catalog
  - name: inside
    match: { path: /inside }
    policies:
      - ip-filter: { allow: [10.1.0.0/16], deny: [10.1.2.0/24] }
      - headers: { request: { set: { X-Zone: inside }, remove: [X-Debug] } }
    upstream: checked
  - name: health
    match: { path: /healthz }
    policies: [ { respond: { status: 200, text: fine } } ]
  - name: old
    match: { path: /old }
    policies: [ { redirect: { to: https://new.example/, status: 301 } } ]
  - name: canary
    match: { path: /canary }
    policies:
      - split: { variants: { stable: { upstream: catalog, weight: 90 }, next: { upstream: checked, weight: 10 } }, key: { header: X-User }, override: { header: X-Variant } }
  - name: sometimes
    match: { path: /sometimes }
    timeouts: { response: 1500ms }
    policies:
      - jwt: { issuer: main }
      - { respond: { status: 418 }, if: { headers: { X-Beta: "on" }, scopes: [beta], claims: { tier: gold }, addresses: [10.3.0.0/16], not: { query: { stable: "1" } } } }
    upstream: catalog
  - name: copied
    match: { path: /copied }
    policies:
      - fault: { delay: { fixed: 200ms, share: 10% } }
      - mirror: { upstream: checked, share: 20% }
    upstream: catalog
  - name: coded
    match: { path: /coded }
    policies: [ { compress: { codings: [gzip, br], decompress: request, max_size: 2KiB } } ]
    upstream: catalog
  - name: reports
    match: { path: { regex: "^/reports/[0-9]{4}$" } }
    policies:
      - quota: { limit: 3, per: day, key: constant }
      - allow: { methods: [GET] }
    upstream: catalog
)";

diag::SourcePtr source(const char* name, std::string text) { return std::make_shared<diag::SourceFile>(diag::SourceFile{name, std::move(text)}); }

std::string changed(std::string_view from, std::string_view to) {
  std::string text = kBase;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  EXPECT_EQ(text.find(from, at + 1), std::string::npos) << from << " is there twice";
  return text.replace(at, from.size(), to);
}

// What is wrong with `b` fails the test.
// What chance adds is left out unless `most` is said.
Report explored(const std::string& b, std::uint64_t seed = 1, std::optional<std::size_t> most = {}) {
  const io::DiskFiles files;
  Options options;
  options.seed = seed;
  options.explore = most.value_or(100'000);
  options.combine = most.has_value();
  options.files = &files;
  options.jobs = 2;
  diag::Sink of_a, of_b, of_requests;
  std::string problem;
  auto report = run(source("a.yaml", kBase), source("b.yaml", b), options, of_a, of_b, of_requests, problem);
  EXPECT_TRUE(report) << problem << diag::render_all(of_a, diag::Colour::Off) << diag::render_all(of_b, diag::Colour::Off);
  return report ? std::move(*report) : Report{};
}

struct Planted {
  const char *name, *from, *to;
  const char* shows;  // in the account of one of the groups
};

class DiffPlanted : public testing::TestWithParam<Planted> {};

TEST_P(DiffPlanted, IsFound) {
  const Planted& planted = GetParam();
  const Report report = explored(changed(planted.from, planted.to));
  EXPECT_GT(report.different, 0U);
  const std::string text = as_text(report, "a.yaml", "b.yaml", diag::Colour::Off) + as_json(report, "a.yaml", "b.yaml");
  EXPECT_NE(text.find(planted.shows), std::string::npos) << text.substr(0, 8'000);
}

INSTANTIATE_TEST_SUITE_P(Each, DiffPlanted, testing::Values(
    Planted{"RouteRemoved", "  - name: health\n    match: { path: /healthz }\n    policies: [ { respond: { status: 200, text: fine } } ]\n", "", "health → (none)"},
    Planted{"RouteAdded", "  - name: old\n", "  - { name: fresh, match: { path: /fresh }, policies: [ { respond: { status: 200 } } ] }\n  - name: old\n", "(none) → fresh"},
    Planted{"RoutePriority", "  - name: old\n", "  - { name: one-report, match: { path: /reports/2024 }, policies: [ { respond: { status: 200 } } ] }\n  - name: old\n", "reports → one-report"},
    Planted{"ExactForPrefix", "path: /items/*", "path: /items", "items → (none)"},
    Planted{"Pattern", "[0-9]{4}$", "[0-9]{4,5}$", "(none) → reports"},
    Planted{"Method", "methods: [GET, PUT] }\n    policies:\n      - jwt", "methods: [GET] }\n    policies:\n      - jwt", "header Allow"},
    Planted{"Host", "hosts: [api.local]", "hosts: [api2.local]", "read-orders → (none)"},
    Planted{"HeaderCondition", "X-Version: \"2\"", "X-Version: \"3\"", "items → (none)"},
    Planted{"QueryCondition", "lang: en", "lang: de", "items → (none)"},
    Planted{"IfHeader", "X-Beta: \"on\"", "X-Gamma: \"on\"", "418"},
    Planted{"IfScope", "scopes: [beta]", "scopes: [alpha]", "418"},
    Planted{"IfClaim", "tier: gold", "tier: silver", "418"},
    Planted{"IfAddress", "10.3.0.0/16", "10.3.0.0/17", "418"},
    Planted{"IfNot", "stable: \"1\"", "stable: \"2\"", "418"},
    Planted{"IfRemoved", ", if: { headers: { X-Beta: \"on\" }, scopes: [beta], claims: { tier: gold }, addresses: [10.3.0.0/16], not: { query: { stable: \"1\" } } }", "", "418"},
    Planted{"RouteTimeout", "response: 1500ms", "response: 1600ms", "504"},
    Planted{"Rewrite", "rewrite_prefix: /v2/items", "rewrite_prefix: /v3/items", "/v3/items"},
    Planted{"HeaderSet", "X-Zone: inside", "X-Zone: outside", "header X-Zone"},
    Planted{"HeaderRemoved", "remove: [X-Debug]", "remove: [X-Trace]", "header X-Debug"},
    Planted{"AnswerHeader", "remove: [Server]", "remove: [X-Powered-By]", "header server"},
    Planted{"UpstreamPort", "http://127.0.0.1:9003", "http://127.0.0.1:9013", "http://127.0.0.1:9013"},
    Planted{"Upstream", "    upstream: catalog\n    rewrite_prefix", "    upstream: checked\n    rewrite_prefix", "checked/only"},
    Planted{"Weight", "weight: 3", "weight: 2", "orders/backup"},
    Planted{"Retries", "max_retries: 2", "max_retries: 3", "attempts"},
    Planted{"RetryOn", "on: [connect-failure, 503]", "on: [connect-failure, 502]", "attempts"},
    Planted{"PerTry", "per_try_timeout: 800ms", "per_try_timeout: 801ms", "latency"},
    Planted{"ResponseTimeout", "response: 5s", "response: 5001ms", "latency"},
    Planted{"ConnectTimeout", "connect: 300ms", "connect: 301ms", "latency"},
    Planted{"BreakerFailures", "failures: 4", "failures: 5", "breaker"},
    Planted{"BreakerOpen", "open: 20s", "open: 21s", "circuit-open"},
    Planted{"HealthPath", "path: /healthz, every", "path: /ready, every", "health"},
    Planted{"HealthCount", "unhealthy: 2", "unhealthy: 3", "health"},
    Planted{"HostPolicy", "host: target", "host: preserve", "header Host"},
    Planted{"KeyRevoked", ", { value: second-key }", "", "unknown-key"},
    Planted{"HashedKey", "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b", "3bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b", "unknown-key"},
    Planted{"Group", "groups: [silver]", "groups: [silver, gold]", "not-in-group"},
    Planted{"Audience", "audiences: [orders]", "audiences: [orders, billing]", "audience"},
    Planted{"Leeway", "leeway: 30s", "leeway: 31s", "expired"},
    Planted{"Scope", "scopes: [orders:read]", "scopes: [orders:write]", "insufficient-scope"},
    Planted{"Forward", "forward: { sub: X-User }", "forward: { sub: X-Subject }", "header X-Subject"},
    Planted{"Issuer", "issuer: https://idp.example", "issuer: https://idp2.example", "issuer"},
    Planted{"Rate", "rate: 5/m", "rate: 6/m", "rate-limited"},
    Planted{"Window", "rate: 5/m", "rate: 5/59s", "rate-limited"},
    Planted{"RateKey", "rate: 5/m, key: consumer", "rate: 5/m, key: constant", "rate-limited"},
    Planted{"Burst", "burst: 3", "burst: 4", "rate-limited"},
    Planted{"Quota", "limit: 3, per: day", "limit: 4, per: day", "quota-exceeded"},
    Planted{"QuotaZone", "per: day, key", "per: day, time_zone: Europe/Berlin, key", "header Retry-After"},
    Planted{"Origin", "https://app.example", "https://app2.example", "origin-not-allowed"},
    Planted{"CorsMethod", "origins: [https://app.example], methods: [GET, PUT]", "origins: [https://app.example], methods: [GET]", "cors-method-not-allowed"},
    Planted{"CorsHeader", "headers: [X-Token]", "headers: [X-Tokens]", "cors-header-not-allowed"},
    Planted{"MaxAge", "max_age: 10m", "max_age: 11m", "Access-Control-Max-Age"},
    Planted{"AllowedRange", "10.1.0.0/16", "10.1.0.0/17", "address-not-allowed"},
    Planted{"DeniedRange", "10.1.2.0/24", "10.1.2.0/25", "address-denied"},
    Planted{"TrustedProxies", "192.0.2.0/24", "192.0.2.0/25", "client"},
    Planted{"BodyLimit", "max_body: 1KiB", "max_body: 1025B", "body-too-large"},
    Planted{"HeadLimit", "max_head: 4KiB", "max_head: 4097B", "431"},
    Planted{"FieldLimit", "max_fields: 40", "max_fields: 41", "431"},
    Planted{"FixedStatus", "respond: { status: 200, text: fine }", "respond: { status: 203, text: fine }", "200 → 203"},
    Planted{"FixedText", "text: fine", "text: good", "body: fine → good"},
    Planted{"RedirectStatus", "status: 301", "status: 302", "301 → 302"},
    Planted{"AllowedMethods", "allow: { methods: [GET] }", "allow: { methods: [GET, POST] }", "not-allowed"},
    Planted{"SplitWeight", "weight: 10 }", "weight: 12 }", "checked/only"},
    Planted{"SplitOverride", "override: { header: X-Variant }", "override: { header: X-Version }", "checked/only"},
    Planted{"MirrorShare", "share: 20%", "share: 25%", "upstream 2"},
    Planted{"FaultShare", "share: 10%", "share: 12%", "latency"},
    Planted{"FaultDelay", "fixed: 200ms", "fixed: 201ms", "latency"},
    Planted{"Compression", "    policies: [ { compress: { codings: [gzip, br], decompress: request, max_size: 2KiB } } ]\n", "", "header Vary"},
    Planted{"Coding", "codings: [gzip, br]", "codings: [gzip]", "header Content-Encoding"},
    Planted{"AnotherCoding", "codings: [gzip, br]", "codings: [gzip, br, zstd]", "header Content-Encoding"},
    Planted{"CodingLiked", "codings: [gzip, br]", "codings: [br, gzip]", "header Content-Encoding"},
    Planted{"Decompression", ", decompress: request, max_size: 2KiB", "", "unsupported-encoding"},
    Planted{"DecompressedSize", "max_size: 2KiB", "max_size: 2049B", "decompressed-too-large"},
    Planted{"DecompressionObserved", "max_size: 2KiB } }", "max_size: 2KiB }, mode: observe }", "malformed-encoding"},
    Planted{"Observed", "      - api-key: { groups: [gold] }\n", "      - api-key: { groups: [gold] }\n        mode: observe\n", "missing-key"}),
    [](const auto& planted) { return std::string(planted.param.name); });

TEST(DiffSame, NoSeedFindsADifferenceBetweenAFileAndItself) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Report report = explored(kBase, seed, 300);
    EXPECT_EQ(report.different, 0U) << "seed " << seed << "\n" << as_text(report, "a.yaml", "b.yaml", diag::Colour::Off).substr(0, 4'000);
    EXPECT_EQ(report.probes, 300U);
  }
}

TEST(DiffSame, WhatIsWrittenInAnotherWayIsTheSame) {
  const Report report = explored(changed("rate: 5/m, key: consumer", "key: consumer, algorithm: fixed-window, rate: 5/60s"));
  EXPECT_EQ(report.different, 0U) << as_text(report, "a.yaml", "b.yaml", diag::Colour::Off).substr(0, 4'000);
}

TEST(DiffSame, TheSameSeedMakesTheSameReport) {
  const std::string b = changed("burst: 3", "burst: 4");
  EXPECT_EQ(as_json(explored(b, 7, 400), "a", "b"), as_json(explored(b, 7, 400), "a", "b"));
}

}  // namespace
}  // namespace gatelab::harness::diff
