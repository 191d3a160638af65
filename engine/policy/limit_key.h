// SPDX-License-Identifier: Apache-2.0
// What limits tell requests apart by: `key` and `groups` of rate-limit and quota. Immutable once parsed; any thread.
#pragma once

#include <string>
#include <string_view>

#include "policy/catalog.h"

namespace gatelab::policy {

struct LimitKey {
  enum class By : std::uint8_t { Ip, Consumer, Header, Route, Constant };
  static constexpr std::size_t kMax = 256;  // octets of a key that is remembered as it is

  By by = By::Ip;
  std::string header;

  // Whose request this is, in words that people can read. In the arena.
  std::string_view read(Input& in) const noexcept;
  // Limits that need no principal run before authentication, so that guessing keys is limited too.
  Phase phase() const noexcept { return by == By::Consumer ? Phase::Limit : Phase::PreLimit; }
  std::string_view field() const noexcept { return by == By::Header ? std::string_view(header) : std::string_view(); }
  // What makes counted numbers meaningless when it changes.
  std::string shape() const;
};

// The value of `key`. Reports; what it returns can be used all the same.
LimitKey parse_limit_key(const config::Node& node, std::string_view kind, diag::Sink& sink);
// The map `groups`: reports groups that nobody is in, and a key that knows no groups. False if it is no map.
bool check_limit_groups(const config::Node& node, const LimitKey& key, std::string_view example, const Context& context);

}  // namespace gatelab::policy
