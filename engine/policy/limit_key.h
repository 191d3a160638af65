// SPDX-License-Identifier: Apache-2.0
// What limits tell requests apart by: `key` and `groups` of rate-limit and quota. Immutable once parsed; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/catalog.h"

namespace gatelab::policy {

struct LimitKey {
  enum class By : std::uint8_t { Ip, Consumer, Header, Route, Constant };
  static constexpr std::size_t kMax = 256;  // octets of a key that is remembered as it is

  By by = By::Ip;
  std::string header;

  // Whose request this is, in words that people can read. In the arena.
  std::string_view read(Input& in) const noexcept;
  // What read() makes of the request of whom people call `name`: a consumer, an address, a header's value.
  std::string written(std::string_view name) const;
  // Limits that need no principal run before authentication, so that guessing keys is limited too.
  Phase phase() const noexcept { return by == By::Consumer ? Phase::Limit : Phase::PreLimit; }
  std::string_view field() const noexcept { return by == By::Header ? std::string_view(header) : std::string_view(); }
  // What makes counted numbers meaningless when it changes.
  std::string shape() const;
};

// What happens to who comes when the table has no room for another key.
enum class OnFull : std::uint8_t { Reject, Admit };
OnFull parse_on_full(config::Reader& r);
Step when_full(Input& in, OnFull on_full, std::string_view key) noexcept;

// What holds for a consumer, or null for who is none: of the first group that he is in, else the last, which is everyone else's.
template <class T>
inline const T& for_consumer(const std::vector<T>& by_group, const Consumer* consumer) noexcept {
  for (const T& one : by_group)
    if (one.group.empty() || (consumer != nullptr && consumer->in_group(one.group))) return one;
  return by_group.back();
}

// The value of `key`. Reports; what it returns can be used all the same.
LimitKey parse_limit_key(const config::Node& node, std::string_view kind, diag::Sink& sink);
// The map `groups`: reports groups that nobody is in, and a key that knows no groups. False if it is no map.
bool check_limit_groups(const config::Node& node, const LimitKey& key, std::string_view example, const Context& context);

}  // namespace gatelab::policy
