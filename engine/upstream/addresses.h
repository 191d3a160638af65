// SPDX-License-Identifier: Apache-2.0
// Where the host of a target's URL is, for as long as DNS says. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
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
  Duration stale = std::chrono::minutes(5);         // what was known goes on for so long, until DNS has answered again
};
NameRules parse_names(const config::Node& node, diag::Sink& sink, const std::string& upstream);

class Addresses {
 public:
  // What is known will do: it is true, or has been until a moment ago and nobody has said otherwise.
  bool usable(const NameRules& rules, Instant now) const noexcept;
  // Nothing needs to be asked.
  bool fresh(const NameRules& rules, Instant now) const noexcept { return usable(rules, now) && now < expire(rules); }
  // When it is time to ask again; max(): nothing is known, or it is true for ever.
  Instant expire(const NameRules& rules) const noexcept;

  // The same without a request, which could otherwise have no end where an answer holds for no time at all.
  Instant refresh_at(const NameRules& rules) const noexcept { return std::max(expire(rules), since_ + std::chrono::seconds(1)); }
  bool empty() const noexcept { return known_.empty(); }

  // True if there are others than before.
  bool set(io::Resolved resolved, Instant now);
  // There is no such name any more. True if there was one.
  bool forget() noexcept;
  // Nobody answered: what is known is used for a moment more.
  void failed(Instant now) noexcept { ask_again_ = now + std::chrono::seconds(1); }

  // In the order in which one connection tries them: the families in turn, first the one that was connected to last, of late, or
  // else the one that the resolver put first (RFC 8305 §4), and within a family each `turn` begins with another address.
  std::vector<Address> in_order(std::uint16_t port, std::uint32_t turn, Instant now) const;
  // `ip` was the first to answer of several.
  void answered(const IpAddress& ip, Instant now) noexcept;
  bool holds(const IpAddress& ip) const noexcept;

 private:
  Instant good_until(const NameRules& rules) const noexcept;
  // A family that is silent is asked first again after so long (RFC 6555: on the order of ten minutes).
  static constexpr Duration kRemembered = std::chrono::minutes(10);
  std::vector<IpAddress> known_;
  std::optional<IpAddress::Family> answered_;  // until
  Instant answered_until_;
  Instant since_, ask_again_;
  std::optional<Duration> ttl_;  // as io::Resolved has it: the rules may be others by the time it counts
};

}  // namespace gatelab::upstream
