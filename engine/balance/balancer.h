// SPDX-License-Identifier: Apache-2.0
// Which target of several a request goes to, from numbers. One balancer a worker and upstream: its thread only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "base/units.h"
#include "config/reader.h"

namespace gatelab::balance {

enum class Algorithm : std::uint8_t { RoundRobin, LeastRequests, RandomTwo, RingHash };

// What the ring is asked with.
struct HashOn {
  enum class Kind : std::uint8_t { Ip, Header, Cookie, Consumer } kind = Kind::Ip;
  std::string name;  // of the header or cookie
};

struct BalanceRules {
  Algorithm algorithm = Algorithm::RoundRobin;
  HashOn hash;
  double bound = 1.25;    // of a ring: nobody gets more than so many times the average; 0: no bound
  Duration slow_start{};  // in which a target that has come back grows from a tenth of its weight; 0: none
  Share panic{};          // fewer available targets than this share, and all get requests; 0: never
};

// One target, as it is now.
struct Seat {
  std::uint32_t weight = 1;  // 0: gets nothing new
  std::uint32_t tier = 0;
  bool available = true;     // healthy, not ejected, let through by its breaker, below its limits
  bool tried = false;        // by this request already
  std::uint32_t in_flight = 0;
  Instant since;             // available since then; slow start counts from here. Instant{}: always was
};

class Balancer {
 public:
  // `names` decide where targets stand on the ring: the same names, the same places.
  Balancer(const BalanceRules& rules, std::span<const std::string_view> names, std::span<const std::uint32_t> weights);

  // Index of the chosen seat, -1: there is none. One that was tried is chosen only if no other is there. `hash`: of what the
  // ring is asked with.
  int choose(std::span<const Seat> seats, std::uint64_t hash, Instant now, Dice& dice) noexcept;
  // The seats of the last choice came from the panic rule: none of them may be well.
  bool panicked() const noexcept { return panicked_; }

 private:
  bool candidates(std::span<const Seat> seats) noexcept;
  bool collect(std::span<const Seat> seats, bool also_unavailable) noexcept;
  double weight(const Seat& seat, Instant now) const noexcept;
  int round_robin(std::span<const Seat> seats, Instant now) noexcept;
  int least_requests(std::span<const Seat> seats, Instant now) noexcept;
  int random_two(std::span<const Seat> seats, Instant now, Dice& dice) noexcept;
  int ring(std::span<const Seat> seats, std::uint64_t hash) noexcept;

  struct Point {
    std::uint64_t at;
    std::uint32_t seat;
  };
  BalanceRules rules_;
  std::vector<double> current_;         // of smooth weighted round-robin
  std::vector<std::uint32_t> chosen_;   // candidates of this choice
  std::vector<Point> points_;
  std::vector<bool> asks_;              // of a ring: candidates that were not passed by yet
  std::size_t turn_ = 0;                // breaks ties, so that nobody is always first
  bool panicked_ = false;
};

// `balance:`, one word or a map. Reports.
BalanceRules parse_balance(const config::Node& node, diag::Sink& sink, const std::string& upstream);
// `ip`, `consumer`, or a map with a header or a cookie. Reports.
HashOn parse_hash(const config::Node& node, diag::Sink& sink, const std::string& what);
std::string_view name(Algorithm algorithm) noexcept;  // "least-requests"

}  // namespace gatelab::balance
