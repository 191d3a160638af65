// SPDX-License-Identifier: Apache-2.0
// Whether a request is tried again (design §5). Values; any thread where not said otherwise.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/outcome.h"
#include "base/random.h"
#include "base/time.h"
#include "base/units.h"

namespace gatelab::balance {

struct RetryRules {
  std::uint32_t max_retries = 0;  // 0: none but those of connections that had gone stale
  OutcomeSet on;
  bool idempotent = true;               // methods that RFC 9110 §9.2.2 calls so, or
  std::vector<std::string> methods;     // these
  std::optional<Duration> per_try_timeout;  // until the answer's head
  Duration backoff = std::chrono::milliseconds(25), max_backoff = std::chrono::milliseconds(250);
  Duration max_retry_after = std::chrono::seconds(1);  // a target that asks for more gets no retry
  std::uint64_t buffer = 64 * 1024;  // octets of a request's body kept for another try
  struct Budget {
    Share share{200'000};  // of the requests within the window
    std::uint32_t min = 3;     // are always allowed within it
    Duration window = std::chrono::seconds(10);
  } budget;

  bool takes(std::string_view method, bool is_idempotent) const noexcept;
};

// Retries against requests within a window that slides in tenths. Shared by all workers: any thread; counts that cross the
// border of a tenth at the same moment may be lost, so it is a budget and no limit.
class RetryBudget {
 public:
  void request(const RetryRules::Budget& rules, Instant now) noexcept { slot(rules, now).requests.fetch_add(1, std::memory_order_relaxed); }
  // True if there is one left, which is taken.
  bool take(const RetryRules::Budget& rules, Instant now) noexcept;

 private:
  struct Slot {
    std::atomic<std::int64_t> index{-1};
    std::atomic<std::uint32_t> requests{0}, retries{0};
  };
  static constexpr std::int64_t kSlots = 10;
  Slot& slot(const RetryRules::Budget& rules, Instant now) noexcept;
  std::array<Slot, kSlots> slots_;
};

// What is known when a try has ended without an answer that the client got anything of.
struct Tried {
  Outcome outcome;
  bool method_allowed = false;   // RetryRules::takes()
  bool untouched = false;        // nothing of the request can have reached an application
  bool repeatable = true;        // its body is there once more
  std::uint32_t retries = 0;     // before this
  Duration left{};               // until the total timeout
  std::optional<Duration> retry_after;  // said by the answer
};
struct Again {
  bool again = false;
  Duration pause{};
  std::string_view why;  // not: a literal; empty where nobody had asked for a retry
};
// All but the budget.
Again decide(const RetryRules& rules, const Tried& tried, Dice& dice) noexcept;

// Report.
RetryRules::Budget parse_budget(RetryRules::Budget budget, const config::Node& node, diag::Sink& sink, const std::string& what);
RetryRules parse_retry(const config::Node& node, diag::Sink& sink, const std::string& upstream);

}  // namespace gatelab::balance
