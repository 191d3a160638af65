// SPDX-License-Identifier: Apache-2.0
#include "balance/balancer.h"

#include <algorithm>
#include <cmath>

#include "http/chars.h"

namespace gatelab::balance {
namespace {

constexpr std::uint32_t kPoints = 160;         // on the ring for the least weight
constexpr std::size_t kMaxPoints = 64 * 1024;  // of one ring
constexpr double kSlowest = 0.1;               // of its weight, when slow start begins

constexpr std::array<std::string_view, 4> kNames{"round-robin", "least-requests", "random-two", "ring-hash"};

}  // namespace

Balancer::Balancer(const BalanceRules& rules, std::span<const std::string_view> names, std::span<const std::uint32_t> weights) : rules_(rules), current_(names.size()), asks_(names.size()) {
  chosen_.reserve(names.size());
  if (rules.algorithm != Algorithm::RingHash) return;
  std::uint64_t sum = 0, least = UINT32_MAX;
  for (const std::uint32_t w : weights) {
    sum += w;
    if (w > 0) least = std::min<std::uint64_t>(least, w);
  }
  const double scale = sum == 0 ? 0 : std::min(static_cast<double>(kPoints) / static_cast<double>(least), static_cast<double>(kMaxPoints) / static_cast<double>(sum));
  for (std::uint32_t i = 0; i < names.size(); ++i) {
    const std::uint64_t points = weights[i] == 0 ? 0 : std::max<std::uint64_t>(1, static_cast<std::uint64_t>(scale * weights[i]));
    const std::uint64_t base = hash64(names[i]);
    for (std::uint64_t p = 0; p < points; ++p) points_.push_back({mix64(base + p * 0x9e3779b97f4a7c15ULL), i});
  }
  std::sort(points_.begin(), points_.end(), [](const Point& a, const Point& b) { return a.at != b.at ? a.at < b.at : a.seat < b.seat; });
}

// The lowest tier in which somebody is left; of it those who were not tried yet, if there are any.
bool Balancer::collect(std::span<const Seat> seats, bool also_unavailable) noexcept {
  chosen_.clear();
  std::uint32_t tier = UINT32_MAX;
  bool untried = false;
  const auto takes = [also_unavailable](const Seat& s) { return s.weight > 0 && (s.available || also_unavailable); };
  for (const bool fresh : {true, false}) {
    for (const Seat& s : seats)
      if (takes(s) && !(fresh && s.tried) && s.tier < tier) tier = s.tier;
    untried = fresh;
    if (tier != UINT32_MAX) break;
  }
  if (tier == UINT32_MAX) return false;
  for (std::uint32_t i = 0; i < seats.size(); ++i)
    if (seats[i].tier == tier && takes(seats[i]) && !(untried && seats[i].tried)) chosen_.push_back(i);
  return true;
}

bool Balancer::candidates(std::span<const Seat> seats) noexcept {
  panicked_ = false;
  if (rules_.panic.millionths > 0) {
    std::size_t all = 0, well = 0;
    for (const Seat& s : seats) {
      if (s.weight == 0) continue;
      ++all;
      well += s.available ? 1 : 0;
    }
    panicked_ = static_cast<double>(well) < rules_.panic.fraction() * static_cast<double>(all);
  }
  return collect(seats, panicked_);
}

double Balancer::weight(const Seat& seat, Instant now) const noexcept {
  const double full = seat.weight;
  if (rules_.slow_start <= Duration{} || seat.since == Instant{} || now - seat.since >= rules_.slow_start) return full;
  const double grown = static_cast<double>((now - seat.since).count()) / static_cast<double>(rules_.slow_start.count());
  return full * std::max(kSlowest, grown);
}

// nginx's smooth order: with weights 5, 1, 1 it is a a b a c a a, never five in a row.
int Balancer::round_robin(std::span<const Seat> seats, Instant now) noexcept {
  double sum = 0;
  std::uint32_t best = chosen_.front();
  for (const std::uint32_t i : chosen_) {
    const double w = weight(seats[i], now);
    current_[i] += w;
    sum += w;
    if (current_[i] > current_[best]) best = i;
  }
  current_[best] -= sum;
  return static_cast<int>(best);
}

int Balancer::least_requests(std::span<const Seat> seats, Instant now) noexcept {
  const std::size_t first = turn_++ % chosen_.size();
  std::uint32_t best = chosen_[first];
  double least = HUGE_VAL;
  for (std::size_t k = 0; k < chosen_.size(); ++k) {
    const std::uint32_t i = chosen_[(first + k) % chosen_.size()];
    const double load = (seats[i].in_flight + 1.0) / weight(seats[i], now);
    if (load >= least) continue;
    least = load;
    best = i;
  }
  return static_cast<int>(best);
}

int Balancer::random_two(std::span<const Seat> seats, Instant now, Dice& dice) noexcept {
  if (chosen_.size() == 1) return static_cast<int>(chosen_.front());
  const auto a = static_cast<std::size_t>(dice.below(chosen_.size()));
  auto b = static_cast<std::size_t>(dice.below(chosen_.size() - 1));
  if (b >= a) ++b;
  const auto load = [&](std::size_t k) { return (seats[chosen_[k]].in_flight + 1.0) / weight(seats[chosen_[k]], now); };
  return static_cast<int>(chosen_[load(b) < load(a) ? b : a]);
}

// Consistent hashing with bounded loads: clockwise from the key's place, past those who have more than their part already.
int Balancer::ring(std::span<const Seat> seats, std::uint64_t hash) noexcept {
  double in_flight = 1, weights = 0;
  std::fill(asks_.begin(), asks_.end(), false);
  for (const std::uint32_t i : chosen_) {
    asks_[i] = true;
    in_flight += seats[i].in_flight;
    weights += seats[i].weight;
  }
  const auto full = [&](std::uint32_t i) { return rules_.bound > 0 && seats[i].in_flight + 1.0 > std::ceil(rules_.bound * in_flight * seats[i].weight / weights); };
  const auto from = static_cast<std::size_t>(std::lower_bound(points_.begin(), points_.end(), hash, [](const Point& p, std::uint64_t at) { return p.at < at; }) - points_.begin());
  int first = -1;
  // Each is asked once, where he comes first; who is none of the candidates never.
  for (std::size_t k = 0, left = chosen_.size(); k < points_.size() && left > 0; ++k) {
    const std::uint32_t seat = points_[(from + k) % points_.size()].seat;
    if (!asks_[seat]) continue;
    if (!full(seat)) return static_cast<int>(seat);
    asks_[seat] = false;
    --left;
    if (first < 0) first = static_cast<int>(seat);
  }
  return first;
}

int Balancer::choose(std::span<const Seat> seats, std::uint64_t hash, Instant now, Dice& dice) noexcept {
  if (!candidates(seats)) return -1;
  switch (rules_.algorithm) {
    case Algorithm::RoundRobin: return round_robin(seats, now);
    case Algorithm::LeastRequests: return least_requests(seats, now);
    case Algorithm::RandomTwo: return random_two(seats, now, dice);
    case Algorithm::RingHash: return ring(seats, hash);
  }
  return -1;
}

std::string_view name(Algorithm algorithm) noexcept { return kNames[static_cast<std::size_t>(algorithm)]; }

HashOn parse_hash(const config::Node& node, diag::Sink& sink, const std::string& what) {
  HashOn hash;
  if (node.kind == config::Kind::Text) {
    if (node.text == "ip") return hash;
    if (node.text == "consumer") {
      hash.kind = HashOn::Kind::Consumer;
      return hash;
    }
  }
  if (node.kind == config::Kind::Map) {
    config::Reader r(node, sink, what);
    const auto header = r.text("header");
    const auto cookie = r.text("cookie");
    r.finish();
    if (header.has_value() != cookie.has_value()) {
      hash.kind = header ? HashOn::Kind::Header : HashOn::Kind::Cookie;
      hash.name = header ? *header : *cookie;
      if (hash.name.empty() || !http::all(hash.name, http::kToken)) sink.error("bad-name", r.span_of(header ? "header" : "cookie"), "`" + hash.name + "` is no name of a " + (header ? "header" : "cookie"));
      return hash;
    }
  }
  sink.error("bad-choice", node.span, what + " is `ip`, `consumer`, a header or a cookie", "hash: { header: X-Tenant }");
  return hash;
}

BalanceRules parse_balance(const config::Node& node, diag::Sink& sink, const std::string& upstream) {
  BalanceRules rules;
  const std::string what = "`balance` of upstream `" + upstream + "`";
  const std::vector<std::string_view> words(kNames.begin(), kNames.end());
  if (node.kind == config::Kind::Text) {
    if (const auto word = config::as_choice(node, sink, what, words)) rules.algorithm = static_cast<Algorithm>(*word);
    return rules;
  }
  config::Reader r(node, sink, what);
  rules.algorithm = static_cast<Algorithm>(r.choice("algorithm", 0, words));
  const bool ring = rules.algorithm == Algorithm::RingHash;
  if (const config::Node* hash = r.get("hash")) rules.hash = parse_hash(*hash, sink, "`hash` of " + what);
  if (const config::Node* bound = r.get("bound")) rules.bound = config::as_number(*bound, sink, "`bound` of " + what).value_or(rules.bound);
  if (rules.bound != 0 && rules.bound < 1) sink.error("out-of-range", r.span_of("bound"), "`bound` is at least 1, or 0 for none", "bound: 1.25");
  for (const std::string_view key : {"hash", "bound"})
    if (!ring && r.get(key) != nullptr) sink.error("two-places", r.key_span(key), "`" + std::string(key) + "` belongs to `algorithm: ring-hash`", "algorithm: ring-hash");
  rules.slow_start = r.duration("slow_start", rules.slow_start);
  if (ring && rules.slow_start > Duration{}) sink.error("two-places", r.key_span("slow_start"), "places on a ring don't grow: `slow_start` has no meaning with ring-hash", "leave it out");
  if (const config::Node* panic = r.get("panic")) rules.panic = config::as_share(*panic, sink, "`panic` of " + what).value_or(rules.panic);
  r.finish();
  return rules;
}

}  // namespace gatelab::balance
