// SPDX-License-Identifier: Apache-2.0
#include "upstream/addresses.h"

#include <algorithm>
#include <utility>

#include "base/units.h"

namespace gatelab::upstream {

Instant Addresses::good_until(const NameRules& rules) const noexcept {
  if (ttl_ == Duration::max()) return Instant::max();
  return since_ + std::clamp(ttl_.value_or(rules.unknown_ttl), rules.min_ttl, rules.max_ttl);
}

bool Addresses::usable(const NameRules& rules, Instant now) const noexcept {
  if (known_.empty()) return false;
  const Instant good = good_until(rules);
  return good == Instant::max() || now < good + rules.stale;
}

Instant Addresses::expire(const NameRules& rules) const noexcept { return known_.empty() ? Instant::max() : std::max(good_until(rules), ask_again_); }

bool Addresses::set(io::Resolved resolved, Instant now) {
  since_ = now;
  ask_again_ = {};
  ttl_ = resolved.ttl;
  const bool others = resolved.addresses.size() != known_.size() ||
                      !std::all_of(known_.begin(), known_.end(), [&](const IpAddress& ip) { return std::find(resolved.addresses.begin(), resolved.addresses.end(), ip) != resolved.addresses.end(); });
  known_ = std::move(resolved.addresses);
  return others;
}

bool Addresses::forget() noexcept {
  const bool known = !known_.empty();
  known_.clear();
  return known;
}

bool Addresses::holds(const IpAddress& ip) const noexcept { return std::find(known_.begin(), known_.end(), ip) != known_.end(); }

void Addresses::answered(const IpAddress& ip, Instant now) noexcept {
  // Not longer for being confirmed: where there is always traffic the other family would never be asked again.
  if (answered_ == ip.family && now < answered_until_) return;
  answered_ = ip.family;
  answered_until_ = now + kRemembered;
}

std::vector<Address> Addresses::in_order(std::uint16_t port, std::uint32_t turn, Instant now) const {
  std::vector<IpAddress> first, second;
  if (known_.empty()) return {};
  const IpAddress::Family begin = answered_ && now < answered_until_ ? *answered_ : known_.front().family;
  for (const IpAddress& ip : known_) (ip.family == begin ? first : second).push_back(ip);
  for (std::vector<IpAddress>* family : {&first, &second})
    if (!family->empty()) std::rotate(family->begin(), family->begin() + static_cast<std::ptrdiff_t>(turn % family->size()), family->end());
  std::vector<Address> out;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) out.push_back({first[i], port});
    if (i < second.size()) out.push_back({second[i], port});
  }
  return out;
}

NameRules parse_names(const config::Node& node, diag::Sink& sink, const std::string& upstream) {
  NameRules rules;
  config::Reader r(node, sink, "`dns` of upstream `" + upstream + "`");
  for (const auto& text : r.texts("servers")) {
    auto address = parse_address(text.value);
    if (const auto ip = parse_ip(text.value)) address = Address{*ip, 53};
    if (!address) sink.error("bad-address", text.span, "`" + text.value + "` is no address of a DNS server", "servers: [ 127.0.0.1:8600 ]");
    else rules.servers.push_back(*address);
  }
  r.range("ttl", rules.min_ttl, rules.max_ttl);
  rules.unknown_ttl = std::clamp(rules.unknown_ttl, rules.min_ttl, rules.max_ttl);
  rules.stale = r.duration("stale", rules.stale);
  r.finish();
  return rules;
}

}  // namespace gatelab::upstream
