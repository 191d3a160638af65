// SPDX-License-Identifier: Apache-2.0
// Which target a request goes to, and what its result means for that target.
#include <algorithm>
#include <array>

#include "http/uri.h"
#include "upstream/upstream.h"

namespace gatelab::upstream {
namespace {

// What the sticky cookie says of a target: its name, as nobody has to know it.
std::string cookie_of(std::string_view upstream, std::string_view target) {
  constexpr char kHex[] = "0123456789abcdef";
  std::uint64_t h = hash64(target, hash64(upstream));
  std::string out(16, '0');
  for (char& c : out) {
    c = kHex[h & 15];
    h >>= 4;
  }
  return out;
}

std::uint64_t hash_of(const IpAddress& ip) noexcept {
  return hash64({reinterpret_cast<const char*>(ip.octets.data()), ip.octets.size()}, static_cast<std::uint64_t>(ip.family));
}

}  // namespace

Upstream::Upstream(const Config& config, std::vector<Target::Place> places, Dice dice) : config_(config), simple_(!config.keeps_state()), dice_(dice) {
  targets_.reserve(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    targets_.emplace_back(config, i < config.targets.size() ? &config.targets[i] : nullptr, std::move(places[i]), static_cast<std::uint32_t>(dice_.below(1U << 16)));
    if (config.sticky) targets_.back().set_cookie(cookie_of(config.name, targets_.back().name()));
  }
  if (simple_) return;
  std::vector<std::string_view> names;
  std::vector<std::uint32_t> weights;
  for (const TargetConfig& target : config.targets) {
    names.push_back(target.name);
    weights.push_back(target.weight);
  }
  balancer_.emplace(config.balance, names, weights);
  seats_.resize(targets_.size());
}

std::uint64_t Upstream::hash_of(const Asker& asker) const noexcept {
  const balance::HashOn& on = config_.balance.hash;
  std::optional<std::string_view> text;
  switch (on.kind) {
    case balance::HashOn::Kind::Ip: break;
    case balance::HashOn::Kind::Consumer:
      if (!asker.consumer.empty()) text = asker.consumer;
      break;
    case balance::HashOn::Kind::Header:
      if (const http::Field* f = asker.fields.find(on.name)) text = f->value;
      break;
    case balance::HashOn::Kind::Cookie:
      if (const http::Field* f = asker.fields.find(http::FieldId::Cookie)) text = http::cookie_value(f->value, on.name);
      break;
  }
  // Who doesn't say what the ring is asked with still stays where he is.
  return text ? hash64(*text) : upstream::hash_of(asker.client.ip);
}

Target* Upstream::by_cookie(const Asker& asker, const TriedTargets* tried, Instant now) noexcept {
  const http::Field* cookies = asker.fields.find(http::FieldId::Cookie);
  if (cookies == nullptr) return nullptr;
  const auto said = http::cookie_value(cookies->value, config_.sticky->cookie);
  if (!said) return nullptr;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i].cookie() != *said) continue;
    const bool goes = !(tried != nullptr && tried->test(i)) && (targets_[i].state() == nullptr || targets_[i].state()->available(config_.rules(), now));
    return goes ? &targets_[i] : nullptr;
  }
  return nullptr;
}

bool Upstream::enter(Choice& choice, std::size_t index, bool anyway, Instant now) noexcept {
  choice.target = &targets_[index];
  if (choice.target->state() == nullptr) return true;
  choice.pass = choice.target->state()->enter(config_.rules(), anyway, now);
  return choice.pass.entered;
}

Upstream::Choice Upstream::choose_one(const Asker& asker, const TriedTargets* tried, Instant now) noexcept {
  Choice choice;
  if (config_.sticky) {
    Target* const known = by_cookie(asker, tried, now);
    if (known != nullptr && enter(choice, index_of(*known), false, now)) return choice;
    choice.sets_cookie = true;
  }
  const TargetRules rules = config_.rules();
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    balance::Seat& seat = seats_[i];
    const TargetState* state = targets_[i].state();
    seat.weight = config_.targets[i].weight;
    seat.tier = config_.targets[i].tier;
    seat.tried = tried != nullptr && tried->test(i);
    seat.available = state == nullptr || state->available(rules, now);
    seat.in_flight = state == nullptr ? 0 : state->in_flight();
    seat.since = state == nullptr ? Instant{} : state->since();
  }
  const std::uint64_t hash = config_.balance.algorithm == balance::Algorithm::RingHash ? hash_of(asker) : 0;
  for (std::size_t left = targets_.size(); left > 0; --left) {
    const int index = balancer_->choose(seats_, hash, now, dice_);
    if (index < 0) break;
    const auto i = static_cast<std::size_t>(index);
    if (enter(choice, i, balancer_->panicked(), now)) return choice;
    seats_[i].available = false;  // another worker took the last place
  }
  choice.target = nullptr;
  choice.none = &why_none(now);
  if (choice.none == &observe::reason::kCircuitOpen) choice.open_for = open_for(now);
  return choice;
}

// The reason that weighs least: what is only busy will be back first.
const observe::Reason& Upstream::why_none(Instant now) const noexcept {
  const observe::Reason* why = &observe::reason::kNoHealthyTarget;
  for (const Target& target : targets_) {
    const std::string_view word = target.state() == nullptr ? std::string_view() : target.state()->unavailable(config_.rules(), now);
    if (word == "busy") return observe::reason::kUpstreamBusy;
    if (word == "circuit-open") why = &observe::reason::kCircuitOpen;
  }
  return *why;
}

Duration Upstream::open_for(Instant now) const noexcept {
  Duration shortest{};
  for (const Target& target : targets_) {
    const Duration open = target.state() == nullptr ? Duration{} : target.state()->open_for(now);
    if (open > Duration{} && (shortest == Duration{} || open < shortest)) shortest = open;
  }
  return shortest;
}

void Upstream::leave_one(Choice& choice, const TargetState::Result& result, Instant now) noexcept {
  TargetState::Others others;
  const TargetRules rules = config_.rules();
  if (rules.ejection != nullptr && result.says) {
    std::size_t ejected = 0, known = 0;
    std::array<Duration, kMaxTargets> averages;
    for (const Target& target : targets_) {
      if (&target == choice.target || target.state() == nullptr) continue;
      ejected += target.state()->ejected(now) ? 1 : 0;
      if (!rules.ejection->latency) continue;
      if (const auto average = target.state()->average(*rules.ejection, now)) averages[known++] = *average;
    }
    others.may_eject = ejected < balance::may_eject(*rules.ejection, targets_.size());
    if (known > 0) {
      const auto middle = averages.begin() + static_cast<std::ptrdiff_t>(known / 2);
      std::nth_element(averages.begin(), middle, averages.begin() + static_cast<std::ptrdiff_t>(known));
      others.average = *middle;
    }
  }
  choice.target->state()->leave(rules, choice.pass, result, others, now);
  if (config_.limits.pending != 0 && !config_.state->waiting.empty()) config_.state->waiting.call_next();
}

}  // namespace gatelab::upstream
