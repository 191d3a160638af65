// SPDX-License-Identifier: Apache-2.0
// allow and deny speak of the same requests; what they do about them differs.
#pragma once

#include <string>
#include <utility>

#include "policy/stepped.h"

namespace gatelab::test {

// `fits_passes`: what the rule fits passes; else it is refused. `reason`: of refusals.
inline void check_access(const std::string& kind, bool fits_passes, std::string_view reason) {
  struct Case {
    const char* rule;
    const char* consumer;  // null: nobody
    const char* request;
    bool fits;
  };
  const Case cases[] = {
      {"{ consumers: [one] }", "one", "GET", true},
      {"{ consumers: [one] }", "two", "GET", false},
      {"{ consumers: [one] }", nullptr, "GET", false},
      {"{ groups: [silver, eu] }", "one", "GET", true},
      {"{ groups: [eu] }", "two", "GET", false},
      {"{ methods: [GET, HEAD] }", nullptr, "GET", true},
      {"{ methods: [GET, HEAD] }", nullptr, "POST", false},
      {"{ addresses: [192.0.2.0/24] }", nullptr, "GET", true},
      {"{ addresses: [198.51.100.0/24] }", nullptr, "GET", false},
      {"{ consumers: [one], methods: [POST] }", "one", "GET", false},
      {"{ consumers: [one], methods: [POST] }", "one", "POST", true},
      {"{ scopes: [a] }", "one", "GET", false},
      {"{ claims: { a: b } }", "one", "GET", false},
  };
  for (const Case& c : cases) {
    Stepped policy("[ { " + kind + ": " + c.rule + " } ]", "[ { name: one, groups: [gold, eu] }, { name: two, groups: [silver] } ]");
    ASSERT_EQ(policy.errors, "") << c.rule;
    const policy::Consumer* consumer = c.consumer == nullptr ? nullptr : policy.people.find(c.consumer);
    const policy::Step step = policy.step(std::string(c.request) + " / HTTP/1.1\r\nHost: a\r\n\r\n", Instant::from_seconds(1000), consumer);
    const bool passes = c.fits == fits_passes;
    EXPECT_EQ(step.verdict == policy::Verdict::Continue, passes) << c.rule << " " << c.request;
    if (passes) continue;
    EXPECT_EQ(step.reason, reason);
    EXPECT_EQ(step.answer->status, 403);
  }
}

inline void check_access_errors(const std::string& kind) {
  for (const auto& [rule, error] : {std::pair{"{}", "missing-key"}, {"{ consumers: [three] }", "unknown-consumer"}, {"{ groups: [blue] }", "unknown-group"},
                                    {"{ methods: [\"G ET\"] }", "bad-method"}, {"{ addresses: [300.1.1.1] }", "bad-cidr"}, {"{ ips: [a] }", "unknown-key"}}) {
    Stepped policy("[ { " + kind + ": " + rule + " } ]", "[ { name: one, groups: [gold, eu] } ]");
    EXPECT_NE(policy.errors.find("error[" + std::string(error) + "]"), std::string::npos) << rule << "\n" << policy.errors;
  }
}

}  // namespace gatelab::test
