// SPDX-License-Identifier: Apache-2.0
// Where the host of a target's URL is, for as long as DNS says. Belongs to a worker's target: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/reader.h"
#include "io/resolver.h"

namespace gatelab::upstream {

// `dns:` of an upstream.
struct NameRules {
  std::vector<Address> servers;  // none: the system's
  Duration min_ttl = std::chrono::seconds(1), max_ttl = std::chrono::minutes(5);
  Duration unknown_ttl = std::chrono::seconds(30);  // where nobody says one, as in a hosts file
  Duration stale = std::chrono::minutes(5);         // what was known goes on for so long when nobody answers any more
};
NameRules parse_names(const config::Node& node, diag::Sink& sink, const std::string& upstream);

class Addresses {
 public:
  explicit Addresses(std::uint32_t first) noexcept : next_(first) {}

  // Nothing needs to be asked.
  bool fresh(Instant now) const noexcept { return !known_.empty() && now < ask_at_; }
  // What is known will do, if nobody answers.
  bool usable(const NameRules& rules, Instant now) const noexcept { return !known_.empty() && (good_until_ == Instant::max() || now < good_until_ + rules.stale); }
  // When it is time to ask again; max(): nothing is known, or it is true for ever.
  Instant expire() const noexcept { return known_.empty() ? Instant::max() : ask_at_; }
  // True if there are others than before.
  bool set(const NameRules& rules, io::Resolved resolved, Instant now);
  // Nobody answered: what is known is used for a moment more.
  void failed(Instant now) noexcept;

  // In the order in which one connection tries them: the families in turn, the one that the resolver put first before the
  // other (RFC 8305 §4), and within a family each connection begins with another address.
  std::vector<Address> in_order(std::uint16_t port);
  bool holds(const IpAddress& ip) const noexcept;

 private:
  std::vector<IpAddress> known_;
  Instant good_until_, ask_at_;
  std::uint32_t next_;
};

}  // namespace gatelab::upstream
